//! The future of a handler.

use std::{
    fmt,
    panic::resume_unwind,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::processing::Processing;
use crate::{
    messaging::settlement::{Outcome, failure_of},
    panic::Payload,
};

pin_project! {
    /// A future that is polled within a message's context, and whose panics are caught. Returns the message with its result.
    pub(in crate::messaging) struct CaughtFuture<F> {
        // `None` once it is ready, or while it is being dropped.
        #[pin]
        future: Option<F>,
        // `None` once it is ready.
        processing: Option<Processing>,
    }

    impl<F> PinnedDrop for CaughtFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(processing) = this.processing.as_mut() else { return };
            processing.cancelled();
            let _inside = processing.snapshot.enter();
            this.future.set(None);
        }
    }
}

impl<F> CaughtFuture<F> {
    pub(in crate::messaging) fn new(future: F, processing: Processing) -> Self {
        CaughtFuture { future: Some(future), processing: Some(processing) }
    }
}

impl<F: Future> Future for CaughtFuture<F> {
    type Output = (Processing, Result<F::Output, Payload>);

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(processing) = this.processing.as_mut() else { return Poll::Pending };
        let polled = processing.caught(|| {
            let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
            let result = ready!(future.poll(task));
            // What the handler owns is dropped within its context.
            this.future.set(None);
            Poll::Ready(result)
        });
        let result = match polled {
            Ok(polled) => Ok(ready!(polled)),
            Err(payload) => {
                // A panic of what the handler owned, too, is the handler's.
                let _ = processing.caught(|| this.future.set(None));
                Err(payload)
            }
        };
        match this.processing.take() {
            Some(processing) => Poll::Ready((processing, result)),
            None => Poll::Pending,
        }
    }
}

pin_project! {
    /// The future of a handler. Created by [`Processing::run`].
    #[must_use = "futures do nothing unless polled"]
    pub struct ProcessFuture<F> {
        #[pin]
        inner: CaughtFuture<F>,
    }
}

impl<F> ProcessFuture<F> {
    pub(super) fn new(future: F, processing: Processing) -> Self {
        ProcessFuture { inner: CaughtFuture::new(future, processing) }
    }
}

impl<F> Future for ProcessFuture<F>
where
    F: Future,
    F::Output: Outcome,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let (mut processing, result) = ready!(self.project().inner.poll(task));
        match result {
            Ok(result) => {
                processing.ended(failure_of(&result).as_ref());
                Poll::Ready(result)
            }
            Err(payload) => {
                processing.record_panic(&payload);
                drop(processing);
                resume_unwind(payload)
            }
        }
    }
}

impl<F> fmt::Debug for ProcessFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessFuture").field("processing", &self.inner.processing).finish_non_exhaustive()
    }
}

impl Processing {
    /// Runs the future that handles the message within its context and span, at each poll, and records its outcome.
    ///
    /// Code before the future's first poll is not in the context: pass an `async` block that calls the handler, as in
    /// `processing.run(async { handle(message).await })`.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use ctx_layer::messaging::{Consumer, Destination};
    ///
    /// # async fn handle(_: HashMap<String, String>) -> Result<(), std::io::Error> { Ok(()) }
    /// # async fn received(headers: HashMap<String, String>) -> Result<(), std::io::Error> {
    /// let consumer = Consumer::new(Destination::new("nats", "orders"));
    /// let processing = consumer.process(&headers);
    /// processing.run(async move { handle(headers).await }).await
    /// # }
    /// ```
    pub fn run<F>(self, handle: F) -> ProcessFuture<F>
    where
        F: Future,
        F::Output: Outcome,
    {
        ProcessFuture::new(handle, self)
    }
}
