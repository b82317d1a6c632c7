//! Messages that are sent together.

use std::fmt;

use opentelemetry::trace::SpanContext;
use tracing::Span;

use super::{
    producer::{Producer, set_headers},
    send_options::SendOptions,
    sending::{SendFuture, Sending},
    span::ProducerSpan,
};
use crate::{
    layer::opentelemetry_layer::add_link,
    messaging::active_span::active_span,
    propagation::{Carrier, CarrierMut},
};

/// Messages that are sent by one call of the client.
///
/// Each message has a span of its own, of kind `PRODUCER` and with the operation `create`, so that each consumer has one parent.
/// The send has one span of kind `CLIENT`, which is linked to all of them.
///
/// ```
/// use std::{collections::HashMap, convert::Infallible};
/// use ctx_layer::messaging::{Destination, Producer};
///
/// # async fn publish_all(_: Vec<HashMap<String, String>>) -> Result<(), Infallible> { Ok(()) }
/// # async fn send() -> Result<(), Infallible> {
/// let orders = Producer::new(Destination::new("kafka", "orders"));
/// let mut batch = orders.batch();
/// let mut messages = vec![HashMap::new(), HashMap::new()];
/// for headers in &mut messages {
///     batch.inject(headers);
/// }
/// batch.run(publish_all(messages)).await
/// # }
/// ```
#[must_use = "a batch counts as sent only when it runs: call `run` or `in_scope`"]
pub struct SendBatch {
    producer: Producer,
    links: Vec<SpanContext>,
    messages: usize,
}

impl Producer {
    /// Starts a batch of messages that are sent together.
    pub fn batch(&self) -> SendBatch {
        SendBatch::new(self.clone())
    }
}

impl SendBatch {
    pub(super) fn new(producer: Producer) -> Self {
        SendBatch { producer, links: Vec::new(), messages: 0 }
    }

    /// Writes the current context to the headers of a message of the batch, and returns the message's id.
    pub fn inject<C: Carrier + CarrierMut + ?Sized>(&mut self, headers: &mut C) -> Box<str> {
        self.inject_with(headers, &SendOptions::new())
    }

    /// Writes the current context to the headers of a message with these properties, and returns the message's id.
    pub fn inject_with<C: Carrier + CarrierMut + ?Sized>(
        &mut self,
        headers: &mut C,
        options: &SendOptions,
    ) -> Box<str> {
        let message_id = set_headers(headers, options);
        let settings = &self.producer.settings;
        let span = self.producer.span_of("producer", options, &message_id).create();
        span.in_scope(|| {
            settings.boundary.inject(headers, settings.outbound);
            if !span.is_disabled() {
                self.links.extend(active_span());
            }
        });
        self.messages += 1;
        message_id
    }

    /// Returns the number of messages.
    pub fn len(&self) -> usize {
        self.messages
    }

    /// Returns `true` if there are no messages.
    pub fn is_empty(&self) -> bool {
        self.messages == 0
    }

    fn start(self) -> Sending {
        let SendBatch { producer, links, messages } = self;
        let span: Span =
            ProducerSpan { message_count: Some(messages), ..ProducerSpan::new(&producer.settings, "client") }.send();
        links.into_iter().for_each(|message| add_link(&span, message));
        Sending::new(producer.settings, messages as u64, span, None)
    }

    /// Calls `send` within the span of the send, and records its outcome.
    ///
    /// # Errors
    /// Returns the error of `send`.
    pub fn in_scope<T, E: fmt::Display>(self, send: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.start().in_scope(send)
    }

    /// Runs the future that sends the messages within the span of the send, and records its outcome.
    pub fn run<F, T, E>(self, send: F) -> SendFuture<F>
    where
        F: Future<Output = Result<T, E>>,
        E: fmt::Display,
    {
        self.start().run(send)
    }
}

impl fmt::Debug for SendBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendBatch").field("producer", &self.producer).field("messages", &self.messages).finish()
    }
}
