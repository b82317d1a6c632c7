//! Setting values for a future.

use std::{
    future::Future,
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use opentelemetry::{Context, baggage::BaggageExt};
use pin_project_lite::pin_project;

use super::{ContextFieldsExt, active_ids, read};
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

/// The context to attach so that fields and baggage of `remembered` come into force.
///
/// Where `current` has an active OpenTelemetry span of its own, that span stays: somebody (an OpenTelemetry layer, when
/// the span was entered) made it active on purpose. Suppressed telemetry stays suppressed.
fn attach_over(current: &Context, remembered: &Context) -> Context {
    let own_span = active_ids(current);
    let cx = if own_span.is_none() || own_span == active_ids(remembered) {
        remembered.clone()
    } else {
        let cx = current.with_fields(remembered.fields().clone());
        if std::ptr::eq(current.baggage(), remembered.baggage()) {
            cx
        } else {
            cx.with_baggage(remembered.baggage().iter().map(|(key, (value, metadata))| {
                opentelemetry::baggage::KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone())
            }))
        }
    };
    if current.is_telemetry_suppressed() && !cx.is_telemetry_suppressed() { cx.with_telemetry_suppressed() } else { cx }
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
