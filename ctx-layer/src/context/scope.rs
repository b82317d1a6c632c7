//! Setting values until a guard is dropped.

use std::marker::PhantomData;

use opentelemetry::Context;

use super::{
    ContextFieldsExt,
    attach::{Attached, attach},
    late,
    thread::read,
};
use crate::field::{ContextField, FieldType, Fields};

/// Keeps field values in force on this thread; dropping it brings back those before.
///
/// Guards may be dropped out of order: an outer one dropped first changes nothing until the inner one is dropped too.
/// Leave the spans that you entered within the scope before you drop its guard: a span that found its fields in force when
/// it was entered does not hold them.
///
/// A guard cannot be sent to another thread, nor be held across `.await` in a future that is spawned: use
/// [`with_field`](super::FutureFieldsExt::with_field) there.
#[derive(Debug)]
#[must_use = "the values are in force only until the guard is dropped: bind it, as in `let _guard = ...`"]
pub struct FieldsGuard {
    _scope: Scope,
    /// Contexts belong to a thread.
    _not_send: PhantomData<*const ()>,
}

/// Fields in force until this is dropped.
#[derive(Debug)]
pub(super) struct Scope {
    attached: Option<Attached>,
    fields: Fields,
    before: Context,
}

impl Scope {
    pub(super) fn new(fields: Fields) -> Self {
        let before = read(Context::clone).unwrap_or_default();
        // Nothing, where there was something, is not the same as never having set anything.
        let fields = if fields.is_blank() && !before.fields().is_blank() { Fields::emptied() } else { fields };
        Scope { attached: Some(attach(before.with_fields(fields.clone()))), fields, before }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.attached = None;
        // A blank scope over a blank context changed nothing that could be outlived.
        if late::is_any() && !self.fields.is_blank() {
            late::outlive(&self.fields, &self.before);
        }
    }
}

impl Fields {
    /// Puts exactly these values in force on this thread until the guard is dropped.
    ///
    /// Values in force before that are not in this set are hidden: start from [`Fields::current`] to keep them.
    pub fn attach(self) -> FieldsGuard {
        FieldsGuard { _scope: Scope::new(self), _not_send: PhantomData }
    }

    /// Calls `f` with exactly these values in force.
    pub fn in_scope<R>(self, f: impl FnOnce() -> R) -> R {
        let _guard = self.attach();
        f()
    }
}

impl<T: FieldType> ContextField<T> {
    /// Sets the value on this thread until the guard is dropped. All other values stay in force.
    ///
    /// Spans that are open already do not get it, only their events and the spans made from now on; for them there is
    /// [`record`](Self::record).
    pub fn attach(&'static self, value: impl Into<T>) -> FieldsGuard {
        let fields = read(late::effective).unwrap_or_default();
        fields.with(self, value).attach()
    }

    /// Takes the value out of force on this thread until the guard is dropped. All other values stay.
    ///
    /// A value in OpenTelemetry baggage is not taken out.
    pub fn detach(&'static self) -> FieldsGuard {
        let fields = read(late::effective).unwrap_or_default();
        fields.without(self).attach()
    }

    /// Calls `f` with the value set.
    pub fn in_scope<R>(&'static self, value: impl Into<T>, f: impl FnOnce() -> R) -> R {
        let _guard = self.attach(value);
        f()
    }
}
