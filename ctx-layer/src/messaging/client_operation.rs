//! A call of a broker's client: its span, its outcome, and how long it took.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tracing::{Span, record_all};

use super::{
    failure::Failure,
    metrics::{Clock, Measured, Metrics},
};
use crate::panic::Panicked;

/// An operation whose outcome is measured.
pub(super) trait Operation {
    /// Returns what is measured.
    fn measured(&self) -> Measured<'_>;

    fn metrics(&self) -> &Metrics;

    /// Returns how many messages are sent, if the operation sends.
    fn sent(&self) -> Option<u64>;
}

/// A call of a client that has started. It has ended when this is dropped.
pub(super) struct ClientOperation<O: Operation> {
    pub(super) operation: O,
    pub(super) span: Span,
    clock: Clock,
    is_recorded: bool,
}

impl<O: Operation> ClientOperation<O> {
    pub(super) fn new(operation: O, span: Span) -> Self {
        ClientOperation { operation, span, clock: Clock::start(), is_recorded: false }
    }

    /// Records the outcome.
    pub(super) fn ended(&mut self, failure: Option<&Failure>) {
        if std::mem::replace(&mut self.is_recorded, true) {
            return;
        }
        if let Some(failure) = failure {
            failure.record_on(&self.span);
        }
        self.measure(failure.map(|failure| failure.kind));
    }

    fn measure(&self, error: Option<&str>) {
        let measured = Measured { error, ..self.operation.measured() };
        let metrics = self.operation.metrics();
        if let Some(messages) = self.operation.sent() {
            metrics.sent(messages, &measured);
        }
        metrics.operation(&self.clock, &measured);
    }

    /// Calls `f` within the span, and records its outcome.
    pub(super) fn in_scope<T, E: fmt::Display>(mut self, f: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let result = {
            let _entered = self.span.enter();
            f()
        };
        self.ended(result.as_ref().err().map(Failure::of).as_ref());
        result
    }

    /// Runs a future within the span, and records its outcome.
    pub(super) fn run<F>(self, future: F) -> OperationFuture<F, O> {
        OperationFuture { future: Some(future), operation: self }
    }

    /// Records that the future was dropped before its end.
    #[cold]
    fn cancelled(&mut self) {
        if !std::mem::replace(&mut self.is_recorded, true) {
            record_all!(self.span, cancelled = true);
            // The message may have been sent.
            self.measure(Some("cancelled"));
        }
    }
}

impl<O: Operation> Drop for ClientOperation<O> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.ended(Some(&Failure::of_panic(&Panicked::without_message())));
        } else {
            self.ended(None);
        }
    }
}

impl<O: Operation> fmt::Debug for ClientOperation<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOperation").field("span", &self.span).finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of a call of a client.
    pub(super) struct OperationFuture<F, O: Operation> {
        // `None` once it is ready, or while it is being dropped.
        #[pin]
        future: Option<F>,
        operation: ClientOperation<O>,
    }

    impl<F, O: Operation> PinnedDrop for OperationFuture<F, O> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                if !std::thread::panicking() {
                    this.operation.cancelled();
                }
                let _entered = this.operation.span.enter();
                this.future.set(None);
            }
        }
    }
}

impl<F, O: Operation, T, E: fmt::Display> Future for OperationFuture<F, O>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mut this = self.project();
        let polled = {
            let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
            let _entered = this.operation.span.enter();
            let polled = future.poll(task);
            if polled.is_ready() {
                this.future.set(None);
            }
            polled
        };
        if let Poll::Ready(result) = &polled {
            this.operation.ended(result.as_ref().err().map(Failure::of).as_ref());
        }
        polled
    }
}
