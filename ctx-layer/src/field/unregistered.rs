//! Fields that are set and that no schema in use has: no output shows them, which is said once.
//!
//! A program may set fields before it installs its subscriber. Those are looked at again with the first span or event that a
//! [`ContextSubscriber`](crate::ContextSubscriber) gets.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tracing::{Dispatch, dispatcher, subscriber::NoSubscriber};

use super::declaration::Declaration;
use crate::warning::warn;

/// Whether any layer of this crate was created, or any schema registered.
static IS_ANY_LAYER: AtomicBool = AtomicBool::new(false);

/// Whether an output without a schema shows every field.
static ARE_ALL_SHOWN: AtomicBool = AtomicBool::new(false);

/// Those that were set while there was no subscriber to say it to.
static POSTPONED: Mutex<Vec<&'static Declaration>> = Mutex::new(Vec::new());

/// What is known of a field.
#[derive(Debug)]
pub(super) struct Registration {
    is_registered: AtomicBool,
    is_postponed: AtomicBool,
    has_warned: AtomicBool,
}

impl Registration {
    pub(super) const fn new() -> Self {
        Registration {
            is_registered: AtomicBool::new(false),
            is_postponed: AtomicBool::new(false),
            has_warned: AtomicBool::new(false),
        }
    }
}

/// Notes that a schema is in use. Each of its fields is [registered](Declaration::set_registered) besides.
pub(crate) fn set_any_layer() {
    IS_ANY_LAYER.store(true, Ordering::Relaxed);
}

/// Notes that an output shows fields that no schema has.
#[cfg(feature = "json")]
pub(crate) fn set_all_shown() {
    ARE_ALL_SHOWN.store(true, Ordering::Relaxed);
}

/// Says which fields were set and are in no schema, of those that were set when there was no subscriber. Returns `true` if
/// there are any.
#[cold]
pub(crate) fn warn_of_postponed(dispatch: &Dispatch) -> bool {
    // Not said under the lock: layers are foreign code.
    let postponed = std::mem::take(&mut *POSTPONED.lock().unwrap_or_else(PoisonError::into_inner));
    let mut is_any = false;
    for declaration in postponed {
        declaration.registration.is_postponed.store(false, Ordering::Relaxed);
        if !declaration.is_registered() {
            is_any |= declaration.warn_unregistered(dispatch);
        }
    }
    is_any
}

impl Declaration {
    /// Notes that a schema in use has the field.
    pub(crate) fn set_registered(&self) {
        self.registration.is_registered.store(true, Ordering::Relaxed);
    }

    #[inline]
    fn is_registered(&self) -> bool {
        self.registration.is_registered.load(Ordering::Relaxed)
    }

    /// Called where the program sets the field.
    #[inline]
    pub(crate) fn note_set(&'static self) {
        if !self.is_registered() {
            self.note_set_unregistered();
        }
    }

    #[cold]
    #[inline(never)]
    fn note_set_unregistered(&'static self) {
        // What is to be on no line is not missing on any.
        let is_shown = self.policy().on_spans() || self.policy().on_events();
        if !is_shown || ARE_ALL_SHOWN.load(Ordering::Relaxed) || self.registration.has_warned.load(Ordering::Relaxed) {
            return;
        }
        // Cloned, and not lent: while it is lent, what a layer logs goes nowhere.
        let current = dispatcher::has_been_set().then(|| dispatcher::get_default(Dispatch::clone));
        match current.filter(|dispatch| !dispatch.is::<NoSubscriber>()) {
            Some(dispatch) => {
                self.warn_unregistered(&dispatch);
            }
            None if self.registration.is_postponed.swap(true, Ordering::Relaxed) => {}
            None => POSTPONED.lock().unwrap_or_else(PoisonError::into_inner).push(self),
        }
    }

    /// Returns `true` if it was said now.
    fn warn_unregistered(&self, dispatch: &Dispatch) -> bool {
        static HAS_WARNED_OF_NO_LAYER: AtomicBool = AtomicBool::new(false);
        // A layer that is created later may not know the field either.
        let is_any_layer = IS_ANY_LAYER.load(Ordering::Relaxed);
        let has_warned = if is_any_layer { &self.registration.has_warned } else { &HAS_WARNED_OF_NO_LAYER };
        if has_warned.swap(true, Ordering::Relaxed) {
            return false;
        }
        if is_any_layer {
            warn(
                dispatch,
                Some(self.name()),
                format_args!(
                    "a field was set that no schema has: no span and no event shows it. Add it to the schema that is given \
                     to `with_context_fields`, as in `Schema::builder().field(&FIELD)`, or declare it with `spans(false), \
                     events(false)`"
                ),
            );
        } else {
            warn(
                dispatch,
                Some(self.name()),
                format_args!(
                    "a field was set, but no layer of `ctx-layer` is installed: no span and no event shows fields. Call \
                     `with_context_fields(schema)` on the subscriber, last, right before `.init()`"
                ),
            );
        }
        true
    }
}
