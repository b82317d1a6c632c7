//! How the consumer's span belongs to the sender's.

/// How the consumer's span belongs to the sender's. The fields and the baggage are the sender's either way.
///
/// A [`Cause`] has a default. The sender overrides it with [`SendOptions::trace_mode`](super::SendOptions::trace_mode), and the
/// consumer overrides the sender with [`Consumer::trace_mode`](super::Consumer::trace_mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TraceMode {
    /// The consumer's span is a child of the sender's, in its trace. The default.
    #[default]
    Child,
    /// The consumer's span starts a new trace, and is linked to the sender's.
    Link,
}

impl TraceMode {
    /// Returns the value of the header [`trace_mode`](super::headers::TRACE_MODE).
    pub const fn as_str(self) -> &'static str {
        match self {
            TraceMode::Child => "child",
            TraceMode::Link => "link",
        }
    }

    /// Returns the mode of a header's value, whatever its case.
    pub(super) fn parse(value: &str) -> Option<Self> {
        [TraceMode::Child, TraceMode::Link].into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(value))
    }
}

/// The reason why a message is sent, which decides whether the consumer is part of the sender's trace.
///
/// A message that is handled hours later, or again and again, makes a trace that no backend keeps together. NServiceBus
/// distinguishes the same cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// An ordinary send. The consumer's span is a child. The default.
    #[default]
    Send,
    /// A send that is to be handled at another time. Linked.
    Delayed,
    /// A message that the program sends again because its handling failed. Linked, and the attempt is counted.
    Retry,
    /// A message that the program moves to a dead-letter queue. Linked.
    DeadLetter,
    /// A timeout or a step of a saga. Linked.
    Saga,
    /// One of many messages that a single operation sends. Linked.
    FanOut,
}

impl Cause {
    const ALL: [Cause; 6] = [Cause::Send, Cause::Delayed, Cause::Retry, Cause::DeadLetter, Cause::Saga, Cause::FanOut];

    /// Returns the mode that applies unless the sender or the consumer chooses another.
    pub const fn default_mode(self) -> TraceMode {
        match self {
            Cause::Send => TraceMode::Child,
            _ => TraceMode::Link,
        }
    }

    /// Returns the value of the header [`message_cause`](super::headers::MESSAGE_CAUSE).
    pub const fn as_str(self) -> &'static str {
        match self {
            Cause::Send => "send",
            Cause::Delayed => "delayed",
            Cause::Retry => "retry",
            Cause::DeadLetter => "dead_letter",
            Cause::Saga => "saga",
            Cause::FanOut => "fan_out",
        }
    }

    /// Returns the cause of a header's value, whatever its case.
    pub(super) fn parse(value: &str) -> Option<Self> {
        Cause::ALL.into_iter().find(|cause| cause.as_str().eq_ignore_ascii_case(value))
    }

    /// Returns the cause if it is not the usual one.
    pub(super) fn unusual(self) -> Option<&'static str> {
        (self != Cause::Send).then(|| self.as_str())
    }
}
