//! The properties of one message.

use crate::messaging::trace_mode::{Cause, TraceMode};

/// The properties of one message that is sent.
///
/// | property | default |
/// |---|---|
/// | [`cause`](Self::cause) | [`Cause::Send`]: the consumer's span is a child |
/// | [`trace_mode`](Self::trace_mode) | that of the cause |
/// | [`message_id`](Self::message_id) | the header `message_id` if it is there, otherwise a new UUID of version 7 |
/// | [`conversation_id`](Self::conversation_id), [`partition`](Self::partition), [`body_size`](Self::body_size) | not recorded |
///
/// ```
/// use ctx_layer::messaging::{Cause, SendOptions};
///
/// let in_an_hour = SendOptions::new().cause(Cause::Delayed);
/// # drop(in_an_hour);
/// ```
#[derive(Clone, Debug, Default)]
pub struct SendOptions {
    pub(super) cause: Cause,
    pub(super) mode: Option<TraceMode>,
    pub(super) message_id: Option<String>,
    pub(super) conversation_id: Option<String>,
    pub(super) partition: Option<String>,
    pub(super) body_size: Option<usize>,
}

impl SendOptions {
    /// Creates the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets why the message is sent, which decides whether the consumer's span is a child or is linked.
    pub fn cause(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    /// Sets whether the consumer's span is a child or is linked. Defaults to the mode of the cause.
    pub fn trace_mode(mut self, mode: TraceMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Sets the message's id, such as the broker's or that of a row. An id that is empty, longer than 255 bytes or has control
    /// characters is ignored.
    pub fn message_id(mut self, id: impl Into<String>) -> Self {
        self.message_id = Some(id.into());
        self
    }

    /// Sets the id of the conversation that the message belongs to, often named correlation id. It is recorded on the span.
    pub fn conversation_id(mut self, id: impl Into<String>) -> Self {
        self.conversation_id = Some(id.into());
        self
    }

    /// Sets the partition to which the message is sent. It is recorded on the span.
    pub fn partition(mut self, partition: impl Into<String>) -> Self {
        self.partition = Some(partition.into());
        self
    }

    /// Sets the size of the body in bytes. It is recorded on the span.
    pub fn body_size(mut self, bytes: usize) -> Self {
        self.body_size = Some(bytes);
        self
    }

    /// Returns the mode that applies.
    pub(super) fn chosen_mode(&self) -> TraceMode {
        self.mode.unwrap_or(self.cause.default_mode())
    }
}
