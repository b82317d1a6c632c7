//! Messages that were received together.

use std::{fmt, sync::Arc};

use tracing::Span;

use super::{received::Received, settings::ConsumerSettings, span};
use crate::{
    layer::opentelemetry_layer::add_link,
    messaging::{
        active_span::active_span,
        client_operation::{ClientOperation, Operation},
        metrics::{Measured, Metrics},
    },
};

/// Messages that were received by one call of the client.
///
/// The batch has one span of kind `CLIENT`, which is linked to the sender of each message, and ends when this is dropped. Each
/// message is handled in its own context: it is no child of the batch, but linked to it.
///
/// ```
/// use std::collections::HashMap;
/// use ctx_layer::messaging::{Consumer, Destination};
///
/// # let messages: Vec<HashMap<String, String>> = Vec::new();
/// let consumer = Consumer::new(Destination::new("kafka", "orders"));
/// let mut batch = consumer.receive_batch(&messages);
/// for (message, received) in messages.iter().zip(batch.take_messages()) {
///     received.process().in_scope(|| println!("{message:?}"));
/// }
/// ```
#[must_use = "the messages have to be handled: take them with `take_messages`"]
pub struct ReceivedBatch {
    operation: ClientOperation<Receive>,
    messages: Vec<Received>,
}

impl ReceivedBatch {
    pub(super) fn new(settings: Arc<ConsumerSettings>, mut messages: Vec<Received>) -> Self {
        let span = span::receive(&settings, messages.len());
        if !span.is_disabled() {
            let within = span.in_scope(active_span);
            for message in &mut messages {
                if let Some(sender) = message.sender() {
                    add_link(&span, sender);
                }
                message.within.clone_from(&within);
            }
        }
        ReceivedBatch { operation: ClientOperation::new(Receive { settings }, span), messages }
    }

    /// Takes the messages, in the order in which they were received. A second call returns none.
    pub fn take_messages(&mut self) -> Vec<Received> {
        std::mem::take(&mut self.messages)
    }

    /// Returns the messages that were not taken.
    pub fn messages(&self) -> &[Received] {
        &self.messages
    }

    /// Returns the span of the batch. It is disabled if no output wants it.
    pub fn span(&self) -> &Span {
        &self.operation.span
    }
}

impl fmt::Debug for ReceivedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedBatch").field("span", self.span()).field("messages", &self.messages).finish()
    }
}

/// The receipt of a batch, as it is measured.
struct Receive {
    settings: Arc<ConsumerSettings>,
}

impl Operation for Receive {
    fn measured(&self) -> Measured<'_> {
        self.settings.measured("receive", "receive")
    }

    fn metrics(&self) -> &Metrics {
        &self.settings.metrics
    }

    fn sent(&self) -> Option<u64> {
        None
    }
}
