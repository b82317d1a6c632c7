//! A message that is being sent.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tracing::Span;

use super::settings::ProducerSettings;
use crate::messaging::{
    client_operation::{ClientOperation, Operation, OperationFuture},
    metrics::{Measured, Metrics},
};

/// The send of a message or a batch, as it is measured.
#[derive(Debug)]
pub(super) struct Send {
    pub(super) settings: Arc<ProducerSettings>,
    pub(super) messages: u64,
}

impl Operation for Send {
    fn measured(&self) -> Measured<'_> {
        self.settings.measured()
    }

    fn metrics(&self) -> &Metrics {
        &self.settings.metrics
    }

    fn sent(&self) -> Option<u64> {
        Some(self.messages)
    }
}

/// A message that is being sent: its span, which ends with the send, and its id.
///
/// Send within it: with [`run`](Self::run) a future, with [`in_scope`](Self::in_scope) a call. Then the span covers the send, and a
/// failure is recorded on it. When this is dropped unused, the message counts as sent.
#[must_use = "the span ends when this is dropped: send the message with `run` or `in_scope`"]
pub struct Sending {
    operation: ClientOperation<Send>,
    message_id: Option<Box<str>>,
}

impl Sending {
    pub(super) fn new(
        settings: Arc<ProducerSettings>,
        messages: u64,
        span: Span,
        message_id: Option<Box<str>>,
    ) -> Self {
        Sending { operation: ClientOperation::new(Send { settings, messages }, span), message_id }
    }

    /// Returns the span. It is disabled if no output wants it.
    pub fn span(&self) -> &Span {
        &self.operation.span
    }

    /// Returns the message's id. `None` for a batch, and for a message without an id that is sent again.
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_deref()
    }

    /// Calls `send` within the span, and records its outcome.
    ///
    /// # Errors
    /// Returns the error of `send`.
    pub fn in_scope<T, E: fmt::Display>(self, send: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.operation.in_scope(send)
    }

    /// Runs the future that sends the message within the span, and records its outcome.
    ///
    /// ```
    /// use std::{collections::HashMap, convert::Infallible};
    /// use ctx_layer::messaging::{Destination, Producer};
    ///
    /// # async fn publish(_: HashMap<String, String>) -> Result<(), Infallible> { Ok(()) }
    /// # async fn send() -> Result<(), Infallible> {
    /// let orders = Producer::new(Destination::new("rabbitmq", "orders"));
    /// let mut headers = HashMap::new();
    /// let sending = orders.inject(&mut headers);
    /// sending.run(publish(headers)).await
    /// # }
    /// ```
    pub fn run<F, T, E>(self, send: F) -> SendFuture<F>
    where
        F: Future<Output = Result<T, E>>,
        E: fmt::Display,
    {
        SendFuture { inner: self.operation.run(send) }
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").field("span", self.span()).field("message_id", &self.message_id).finish()
    }
}

pin_project! {
    /// The future of a send. Created by [`Sending::run`].
    #[must_use = "futures do nothing unless polled"]
    pub struct SendFuture<F> {
        #[pin]
        inner: OperationFuture<F, Send>,
    }
}

impl<F, T, E: fmt::Display> Future for SendFuture<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Result<T, E>> {
        self.project().inner.poll(task)
    }
}

impl<F> fmt::Debug for SendFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFuture").finish_non_exhaustive()
    }
}
