//! Setting values for a future.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{
    frame::Frame,
    frame_stack,
    remembered::Remembered,
    scope::{FieldsGuard, Scope},
    thread_state::read,
    view::View,
};
use crate::field::{Call, ContextField, FieldType, Fields};

/// An extension trait that sets field values for a future.
pub trait FutureFieldsExt: Future + Sized {
    /// Runs the future with these values set, at every poll and while it is dropped, on any thread.
    ///
    /// If the future is polled inside the request in which this was called, all other values are those that are current at the
    /// poll, including values that [`record`](ContextField::record) set meanwhile. Elsewhere they are those that were current where
    /// this was called. If nothing was current then, the future joins the request it is polled in: use
    /// [`replace_fields`](Self::replace_fields) for work that must not.
    ///
    /// Each poll creates an OpenTelemetry context, which takes three allocations. To carry the whole context without allocating, call
    /// [`in_current_context`](crate::task::InContextExt::in_current_context) inside [`Fields::in_scope`].
    fn with_fields(self, fields: Fields) -> WithFields<Self> {
        WithFields::new(self, Setting::of(fields))
    }

    /// Runs the future with this value set. See [`with_fields`](Self::with_fields) for the other values it has.
    ///
    /// ```
    /// use ctx_layer::{context::FutureFieldsExt, field::well_known::TENANT_ID};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let handled = async { TENANT_ID.get() }.with_field(&TENANT_ID, "acme");
    /// assert_eq!(tokio::spawn(handled).await.unwrap().as_deref(), Some("acme"));
    /// # });
    /// ```
    fn with_field<T: FieldType>(self, field: &'static ContextField<T>, value: impl Into<T>) -> WithFields<Self> {
        self.with_fields(Fields::new().with(field, value))
    }

    /// Runs the future with exactly these values, and no OpenTelemetry baggage, wherever it is polled.
    ///
    /// ```
    /// use ctx_layer::{context::FutureFieldsExt, Fields, field::well_known::{TENANT_ID, USER_ID}};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let globex = async { USER_ID.get() }.replace_fields(Fields::new().with(&TENANT_ID, "globex"));
    /// let user = async { globex.await }.with_field(&USER_ID, "ada").await;
    /// assert_eq!(user, None);
    /// # });
    /// ```
    fn replace_fields(self, fields: Fields) -> WithFields<Self> {
        WithFields::new(self, Setting::replacing(fields))
    }
}

impl<F: Future> FutureFieldsExt for F {}

pin_project! {
    /// A future with field values of its own. Created by [`FutureFieldsExt`].
    #[must_use = "futures do nothing unless polled"]
    pub struct WithFields<F> {
        // `None` only once the future is being dropped.
        #[pin]
        inner: Option<F>,
        setting: Setting,
    }

    impl<F> PinnedDrop for WithFields<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _scope = this.setting.enter();
            this.inner.set(None);
        }
    }
}

impl<F> WithFields<F> {
    /// Wraps a future or a stream.
    pub(crate) fn new(inner: F, setting: Setting) -> Self {
        WithFields { inner: Some(inner), setting }
    }
}

impl<F: std::fmt::Debug> std::fmt::Debug for WithFields<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WithFields").field("inner", &self.inner).field("fields", &self.setting.fields).finish()
    }
}

/// Fields that are set at every poll, all by the same call.
pub struct Setting {
    fields: Fields,
    how: How,
    call: Call,
    last: Last,
}

/// The fields below at the last poll, and the changed ones: nearly always they are the same at the next.
#[derive(Default)]
struct Last(Option<(Fields, Fields)>);

/// The way in which fields are applied, each with the values that were current where the call was.
enum How {
    Change(Remembered),
    /// Shared with the frame of each poll.
    Replace(Arc<Remembered>),
}

impl Setting {
    /// Creates changes to the current fields.
    pub fn of(fields: Fields) -> Self {
        let (how, call) = (How::Change(Remembered::current()), Call::repeated());
        Setting { fields, how, call, last: Last::default() }
    }

    fn replacing(fields: Fields) -> Self {
        let (how, call) = (How::Replace(Arc::new(Remembered::current())), Call::repeated());
        Setting { fields: fields.replaced_by(call), how, call, last: Last::default() }
    }

    /// Applies the changes on this thread until the guard is dropped.
    pub fn attach(&self) -> FieldsGuard {
        FieldsGuard::new(Scope::changing(|below| below.changed_by(self.fields.clone(), self.call)))
    }

    fn enter(&mut self) -> Option<Scope> {
        let Setting { fields, how, call, last } = self;
        let (over, below) = read(|cx| (View::of(cx), Remembered::of(cx)))?;
        let (wanted, cover) = match how {
            How::Replace(made_in) => (Remembered::from(fields.clone()), Some(made_in.clone())),
            How::Change(made_in) if below.counts_as_descending_from(made_in) => {
                let fields = last.changed(below.fields.clone(), fields, *call);
                if fields.is_same(&below.fields) {
                    return Some(Scope::unchanged(over, fields));
                }
                return Some(Scope::changed(fields, over, below.fields));
            }
            // It belongs to another request: the two are not mixed.
            How::Change(made_in) => {
                let changed = last.changed(made_in.fields.clone(), fields, *call);
                (made_in.with_fields(changed), None)
            }
        };
        let is_apart = !frame_stack::is_same_request(&wanted.fields, &below.fields);
        let mut frame = Frame::attaching_all(read(|cx| wanted.put_in(cx))?);
        frame.apart(is_apart).with_cover(cover);
        Some(Scope::of(frame, over, below.fields))
    }
}

impl Last {
    /// Returns the fields below with the changes.
    fn changed(&mut self, below: Fields, changes: &Fields, call: Call) -> Fields {
        match &self.0 {
            Some((known, changed)) if known.is_same(&below) => changed.clone(),
            _ => {
                let changed = below.clone().changed_by(changes.clone(), call);
                self.0 = Some((below, changed.clone()));
                changed
            }
        }
    }
}

impl<F: Future> Future for WithFields<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = this.setting.enter();
        match this.inner.as_pin_mut() {
            Some(inner) => inner.poll(task),
            // Unreachable: a future is not polled while it is dropped.
            None => Poll::Pending,
        }
    }
}

impl<S: Stream> Stream for WithFields<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let _scope = this.setting.enter();
        match this.inner.as_pin_mut() {
            Some(inner) => inner.poll_next(task),
            // Unreachable, as above.
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}
