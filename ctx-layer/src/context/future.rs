//! Setting values for a future.

use std::{
    future::Future,
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{late, scope::Scope, thread::read};
use crate::field::{ContextField, FieldType, Fields};

/// Sets field values for a future.
pub trait FutureFieldsExt: Future + Sized {
    /// Runs the future with exactly these values in force, at every poll and when it is dropped, on whatever thread.
    ///
    /// Start from [`Fields::current`] to keep the values that are in force where this is called. Of the OpenTelemetry
    /// context only the fields are carried.
    ///
    /// Where a poll finds in force what was so where this was called, and more, then the *difference* made here is made
    /// there, and the rest stays: what [`record`](ContextField::record) set on an enclosing span, for one.
    ///
    /// So each poll that does not find the values in force makes an OpenTelemetry context, which takes three allocations. Where
    /// the whole context is to be carried, [`propagate`](crate::task::Propagate::propagate), called with the values in force,
    /// makes none and allocates nothing.
    fn with_fields(self, fields: Fields) -> WithFields<Self> {
        WithFields::new(self, fields)
    }

    /// Runs the future with this value set besides those in force where this is called.
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
        self.with_fields(Fields::current().with(field, value))
    }
}

impl<F: Future> FutureFieldsExt for F {}

pin_project! {
    /// A future with field values of its own. Made by [`FutureFieldsExt`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WithFields<F> {
        // `None` only once the future is being dropped.
        #[pin]
        inner: Option<F>,
        // What was in force where this was made.
        base: Fields,
        fields: Fields,
    }

    impl<F> PinnedDrop for WithFields<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _scope = enter(this.base, this.fields);
            this.inner.set(None);
        }
    }
}

impl<F> WithFields<F> {
    /// `inner` may be a stream, too.
    pub(crate) fn new(inner: F, fields: Fields) -> Self {
        let base = read(late::effective).unwrap_or_default();
        WithFields { inner: Some(inner), base, fields }
    }
}

fn enter(base: &Fields, fields: &Fields) -> Option<Scope> {
    let current = read(late::effective).unwrap_or_default();
    let wanted = if base.is_same(&current) || !base.is_within(&current) {
        fields.clone()
    } else {
        fields.rebased(base, &current)
    };
    (!wanted.is_same(&current)).then(|| Scope::new(wanted))
}

impl<F: Future> Future for WithFields<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = enter(this.base, this.fields);
        match this.inner.as_pin_mut() {
            Some(inner) => inner.poll(task),
            // Unreachable: a future that is being dropped is not polled.
            None => Poll::Pending,
        }
    }
}

impl<S: Stream> Stream for WithFields<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let _scope = enter(this.base, this.fields);
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
