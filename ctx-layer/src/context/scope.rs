//! Setting values until a guard is dropped.

use std::marker::PhantomData;

use opentelemetry::Context;

use super::{
    context_value::ContextValueExt,
    frame::{Frame, FrameId},
    frame_stack::{self, fields_in},
    remembered::Remembered,
    thread_state::read,
    view::View,
};
use crate::field::{Call, ContextField, FieldType, Fields};

/// A guard that restores the previous fields on drop.
///
/// Guards may be dropped in any order. Each removes only what it set itself. Values that were set inside of it, by another
/// guard or by a span that was entered, stay until that ends.
///
/// A guard cannot be sent to another thread, and must not be held across `.await`: use
/// [`with_field`](super::FutureFieldsExt::with_field) there.
#[derive(Debug)]
#[must_use = "the values are current only until the guard is dropped: bind it, as in `let _guard = ...`"]
pub struct FieldsGuard {
    _scope: Scope,
    /// Makes the guard `!Send`: contexts belong to a thread.
    _not_send: PhantomData<*const ()>,
}

impl FieldsGuard {
    pub(super) fn new(scope: Scope) -> Self {
        FieldsGuard { _scope: scope, _not_send: PhantomData }
    }
}

/// A guard that removes its frame on drop. `None` while the thread is being torn down.
#[derive(Debug)]
pub(crate) struct Scope(Option<FrameId>);

impl Scope {
    /// Pushes a frame with the current fields, changed.
    #[inline]
    pub(super) fn changing(change: impl FnOnce(Fields) -> Fields) -> Self {
        let Some((over, below)) = read(|cx| (View::of(cx), fields_in(cx))) else { return Scope(None) };
        let fields = change(below.clone());
        if fields.is_same(&below) {
            return Self::unchanged(over, below);
        }
        Self::changed(fields, over, below)
    }

    /// Pushes a frame in which these fields are current, and of everything else what is current. `over` is the view before that,
    /// and `below` are the fields that were current then.
    #[inline]
    pub(super) fn changed(fields: Fields, over: View, below: Fields) -> Self {
        let Some(cx) = read(|cx| cx.with_carried(fields.clone(), cx.remote().cloned())) else { return Scope(None) };
        // The fields alone differ: no further look at the context is needed.
        let mut frame = Frame::attaching(cx, over.with_address(fields.address()));
        frame.with_fields(fields);
        Self::of(frame, over, below)
    }

    /// Pushes a frame in which exactly these fields are current, and no baggage.
    fn replacing(fields: Fields) -> Self {
        let Some((cx, below)) = read(|cx| (cx.clone(), fields_in(cx))) else { return Scope(None) };
        let is_apart = !frame_stack::is_same_request(&fields, &below);
        let mut frame = Frame::attaching_all(Remembered::from(fields).put_in(&cx));
        frame.apart(is_apart);
        Self::of(frame, View::of(&cx), below)
    }

    /// Pushes a frame for a context that came from elsewhere.
    pub(crate) fn of_context(cx: Context) -> Self {
        let Some((over, below)) = read(|cx| (View::of(cx), fields_in(cx))) else { return Scope(None) };
        let is_apart = !frame_stack::is_same_request(cx.fields_alone(), &below);
        let mut frame = Frame::attaching_all(cx);
        frame.apart(is_apart);
        Self::of(frame, over, below)
    }

    /// Pushes a frame. `over` is the view before that, and `below` are the fields that were current then.
    #[inline]
    pub(super) fn of(frame: Frame, over: View, below: Fields) -> Self {
        Scope(frame_stack::push(frame, over, || below))
    }

    /// Pushes a frame that changes nothing, and keeps the current fields even if those below end first.
    pub(super) fn unchanged(view: View, fields: Fields) -> Self {
        let mut frame = Frame::new(view);
        frame.with_fields(fields.clone());
        Self::of(frame, view, fields)
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        if let Some(frame) = self.0 {
            frame_stack::remove(frame);
        }
    }
}

impl Fields {
    /// Sets these values on this thread until the guard is dropped. All others stay.
    ///
    /// A field that is [unset](Self::without) here has no value until then. To set these values and hide all others, use
    /// [`replace`](Self::replace). The guard must not be held across `.await`: use
    /// [`with_fields`](crate::FutureFieldsExt::with_fields) for a future.
    ///
    /// ```
    /// use ctx_layer::{Fields, field::well_known::{TENANT_ID, USER_ID}};
    ///
    /// let _tenant = TENANT_ID.attach("acme");
    /// let _user = Fields::new().with(&USER_ID, "ada").attach();
    /// assert_eq!(format!("{:?}", Fields::current()), r#"{"tenant_id": acme, "user_id": ada}"#);
    /// ```
    pub fn attach(self) -> FieldsGuard {
        FieldsGuard::new(Scope::changing(|below| below.changed_by(self, Call::once())))
    }

    /// Calls `f` with these values set. All others stay.
    pub fn in_scope<R>(self, f: impl FnOnce() -> R) -> R {
        let _guard = self.attach();
        f()
    }

    /// Replaces all current values by these until the guard is dropped, including OpenTelemetry baggage.
    ///
    /// Use it for work that belongs to another request than the code around it, or to none: a set without values hides everything.
    /// The current OpenTelemetry span and `tracing` span stay current. The guard must not be held across `.await`: use
    /// [`replace_fields`](crate::FutureFieldsExt::replace_fields) for a future.
    ///
    /// ```
    /// use ctx_layer::{Fields, field::well_known::{TENANT_ID, USER_ID}};
    ///
    /// let _tenant = TENANT_ID.attach("acme");
    /// let _user = Fields::new().with(&USER_ID, "ada").replace();
    /// assert_eq!(format!("{:?}", Fields::current()), r#"{"user_id": ada}"#);
    /// ```
    pub fn replace(self) -> FieldsGuard {
        FieldsGuard::new(Scope::replacing(self.replaced_by(Call::once())))
    }

    /// Calls `f` with all current values [replaced](Self::replace) by these.
    pub fn replace_in_scope<R>(self, f: impl FnOnce() -> R) -> R {
        let _guard = self.replace();
        f()
    }
}

impl<T: FieldType> ContextField<T> {
    /// Sets the value on this thread until the guard is dropped. All other values stay.
    ///
    /// Spans that are open already do not get the value; their events and new spans do. To set it on an open span, use
    /// [`record`](Self::record).
    ///
    /// The guard must not be held across `.await`: the task may continue on another thread, while other tasks of this thread
    /// have the value. Use [`with_field`](crate::FutureFieldsExt::with_field) for a future. With the lines for `clippy.toml` in
    /// [`task`](crate::task#a-bare-tokiospawn-is-a-warning), holding the guard across `.await` is a warning.
    ///
    /// ```compile_fail
    /// use ctx_layer::field::well_known::TENANT_ID;
    ///
    /// fn spawn(_: impl Future + Send + 'static) {}
    ///
    /// spawn(async {
    ///     let _guard = TENANT_ID.attach("acme"); // not `Send`: a guard belongs to its thread
    ///     std::future::ready(()).await;
    /// });
    /// ```
    pub fn attach(&'static self, value: impl Into<T>) -> FieldsGuard {
        let value = value.into();
        FieldsGuard::new(Scope::changing(|below| below.with(self, value).made_by(Call::once())))
    }

    /// Unsets the field on this thread until the guard is dropped. All other values stay.
    ///
    /// A value in OpenTelemetry baggage is ignored meanwhile. The guard must not be held across `.await`, like that of
    /// [`attach`](Self::attach).
    pub fn unset(&'static self) -> FieldsGuard {
        FieldsGuard::new(Scope::changing(|below| below.without(self).made_by(Call::once())))
    }

    /// Calls `f` with the value set.
    pub fn in_scope<R>(&'static self, value: impl Into<T>, f: impl FnOnce() -> R) -> R {
        let _guard = self.attach(value);
        f()
    }
}
