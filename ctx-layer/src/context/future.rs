//! Setting values for a future.

use std::{
    future::Future,
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use opentelemetry::Context;
use pin_project_lite::pin_project;

use super::{ContextFieldsExt, attach_over, read};
use crate::field::{ContextField, FieldType, Fields};

/// Sets field values for a future.
pub trait FutureFieldsExt: Future + Sized {
    /// Runs the future with exactly these values in force, at every poll and when it is dropped, on whatever thread.
    ///
    /// Start from [`Fields::current`] to keep the values that are in force where this is called.
    fn with_fields(self, fields: Fields) -> WithFields<Self> {
        let context = read(|cx| cx.with_fields(fields)).unwrap_or_default();
        WithFields { inner: Some(self), context }
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
        let fields = read(|cx| cx.fields().clone()).unwrap_or_default();
        self.with_fields(fields.with(field, value))
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
        context: Context,
    }

    impl<F> PinnedDrop for WithFields<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _guard = enter(this.context);
            this.inner.set(None);
        }
    }
}

fn enter(context: &Context) -> Option<opentelemetry::ContextGuard> {
    read(|current| attach_over(current, context)).map(Context::attach)
}

impl<F: Future> Future for WithFields<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _guard = enter(this.context);
        match this.inner.as_pin_mut() {
            Some(inner) => inner.poll(task),
            // Unreachable: a future that is being dropped is not polled.
            None => Poll::Pending,
        }
    }
}
