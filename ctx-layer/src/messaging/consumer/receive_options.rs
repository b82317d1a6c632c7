//! The properties of one received message.

/// The properties of one received message that its headers do not have.
///
/// | property | default |
/// |---|---|
/// | [`message_id`](Self::message_id) | the header `message_id` |
/// | [`delivery`](Self::delivery) | 1: the first delivery |
/// | [`conversation_id`](Self::conversation_id), [`partition`](Self::partition), [`body_size`](Self::body_size) | not recorded |
#[derive(Clone, Debug, Default)]
pub struct ReceiveOptions {
    pub(super) message_id: Option<String>,
    pub(super) delivery: Option<u32>,
    pub(super) conversation_id: Option<String>,
    pub(super) partition: Option<String>,
    pub(super) body_size: Option<usize>,
}

impl ReceiveOptions {
    /// Creates the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the id that the broker gave the message. The header `message_id` counts if it is not set.
    pub fn message_id(mut self, id: impl Into<String>) -> Self {
        self.message_id = Some(id.into());
        self
    }

    /// Sets how often the broker has delivered the message, this time included. It is added to the attempts that the program counts
    /// in `message_attempt`.
    pub fn delivery(mut self, count: u32) -> Self {
        self.delivery = Some(count);
        self
    }

    /// Sets the id of the conversation that the message belongs to, often named correlation id. It is recorded on the span.
    pub fn conversation_id(mut self, id: impl Into<String>) -> Self {
        self.conversation_id = Some(id.into());
        self
    }

    /// Sets the partition from which the message was received. It is recorded on the span.
    pub fn partition(mut self, partition: impl Into<String>) -> Self {
        self.partition = Some(partition.into());
        self
    }

    /// Sets the size of the body in bytes. It is recorded on the span.
    pub fn body_size(mut self, bytes: usize) -> Self {
        self.body_size = Some(bytes);
        self
    }
}
