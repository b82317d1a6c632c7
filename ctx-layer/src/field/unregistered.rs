//! A warning, once per field, that a field was set that no schema in use has, so that no output shows it.
//!
//! A program may set fields before it installs its subscriber. Those are checked with the first span or event of a
//! [`ContextSubscriber`](crate::ContextSubscriber).

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tracing::{Dispatch, dispatcher, subscriber::NoSubscriber};

use super::declaration::Declaration;
use crate::warning::warn;

/// `true` once a layer of this crate was created, or a schema registered.
static IS_ANY_LAYER: AtomicBool = AtomicBool::new(false);

/// `true` once an output without a schema shows every field.
static ARE_ALL_SHOWN: AtomicBool = AtomicBool::new(false);

/// The fields that were set before a subscriber could show the warning.
static POSTPONED: Mutex<Vec<&'static Declaration>> = Mutex::new(Vec::new());

/// Records that a schema is in use. Its fields are [registered](Declaration::set_registered) as well.
pub(crate) fn set_any_layer() {
    IS_ANY_LAYER.store(true, Ordering::Relaxed);
}

/// Records that an output shows fields that no schema has.
#[cfg(feature = "_output")]
pub(crate) fn set_all_shown() {
    ARE_ALL_SHOWN.store(true, Ordering::Relaxed);
}

/// Warns of the postponed fields that no schema has. Returns `true` if there are any.
#[cold]
pub(crate) fn warn_of_postponed(dispatch: &Dispatch) -> bool {
    // Warns after the lock is released: layers run foreign code.
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
    /// Records that a schema in use has the field.
    pub(crate) fn set_registered(&self) {
        self.registration.is_registered.store(true, Ordering::Relaxed);
    }

    #[inline]
    fn is_registered(&self) -> bool {
        self.registration.is_registered.load(Ordering::Relaxed)
    }

    /// Called when the program sets the field.
    #[inline]
    pub(crate) fn note_set(&'static self) {
        if !self.is_registered() {
            self.note_set_unregistered();
        }
    }

    #[cold]
    #[inline(never)]
    fn note_set_unregistered(&'static self) {
        // A field that is shown nowhere by choice is not missing.
        let is_shown = self.policy().on_spans() || self.policy().on_events();
        if !is_shown || ARE_ALL_SHOWN.load(Ordering::Relaxed) || self.registration.has_warned.load(Ordering::Relaxed) {
            return;
        }
        // Cloned, not borrowed: events that a layer logs during the borrow are lost.
        let current = dispatcher::has_been_set().then(|| dispatcher::get_default(Dispatch::clone));
        match current.filter(|dispatch| !dispatch.is::<NoSubscriber>()) {
            Some(dispatch) => {
                self.warn_unregistered(&dispatch);
            }
            None if self.registration.is_postponed.swap(true, Ordering::Relaxed) => {}
            None => POSTPONED.lock().unwrap_or_else(PoisonError::into_inner).push(self),
        }
    }

    /// Warns, unless it was done before. Returns `true` if it warned.
    fn warn_unregistered(&self, dispatch: &Dispatch) -> bool {
        static HAS_WARNED_OF_NO_LAYER: AtomicBool = AtomicBool::new(false);
        // A layer that is created later may not have the field either.
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
                    "a field was set that no schema has, so no span and no event shows it. Add it to the schema passed \
                     to `with_context_fields`, as in `Schema::builder().field(&FIELD)`, or declare it with `spans(false), \
                     events(false)`"
                ),
            );
        } else {
            warn(
                dispatch,
                Some(self.name()),
                format_args!(
                    "a field was set, but no layer of `ctx-layer` is installed, so no span and no event shows fields. Call \
                     `with_context_fields(schema)` on the subscriber, last, right before `.init()`"
                ),
            );
        }
        true
    }
}
