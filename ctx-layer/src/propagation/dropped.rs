//! Dropped values, with the reason.

use std::fmt;

use super::{baggage::BaggageError, traceparent::TraceParentError, tracestate::TraceStateError};
use crate::field::Refused;

/// The maximum length of a reported key.
const MAX_KEY_LEN: usize = 64;

/// A value that was not read from a carrier, or not written to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    key: String,
    reason: DropReason,
}

impl Dropped {
    pub(crate) fn new(key: &str, reason: DropReason) -> Self {
        // Keys are tokens, so the cut part is ASCII.
        let key = key.get(..MAX_KEY_LEN).unwrap_or(key).to_owned();
        Dropped { key, reason }
    }

    /// Returns the header's name, or the baggage key if it is known, cut to 64 bytes.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns why it was dropped.
    pub fn reason(&self) -> DropReason {
        self.reason
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.key, self.reason)
    }
}

/// The reason why a value was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The value is baggage of an untrusted caller.
    Untrusted,
    /// The field is not [propagated](crate::Policy::propagated), or does not [accept
    /// baggage](crate::Policy::from_baggage).
    NotPropagated,
    /// No registered field has the key, and unregistered baggage is dropped.
    Unregistered,
    /// The value does not parse as the field's type.
    WrongType,
    /// The value is empty.
    Empty,
    /// The value is longer than the field allows.
    TooLong,
    /// The value has control characters.
    ControlCharacters,
    /// The value has invisible characters, such as zero-width ones.
    Invisible,
    /// The value is infinite or not a number.
    NotFinite,
    /// The header is malformed.
    Malformed,
    /// A header that must be unique appears several times.
    Repeated,
    /// The member is not valid baggage.
    Baggage(BaggageError),
    /// The header is not a valid `tracestate`.
    TraceState(TraceStateError),
    /// The limit of members or bytes is exceeded.
    OverLimit,
}

impl DropReason {
    pub(super) fn is_limit(self) -> bool {
        matches!(self, DropReason::OverLimit | DropReason::Baggage(BaggageError::Limit))
    }
}

impl From<Refused> for DropReason {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotFromBaggage => DropReason::NotPropagated,
            Refused::TooLong => DropReason::TooLong,
            Refused::ControlCharacters => DropReason::ControlCharacters,
            Refused::Invisible => DropReason::Invisible,
            Refused::Empty => DropReason::Empty,
            Refused::NotFinite => DropReason::NotFinite,
            Refused::WrongType => DropReason::WrongType,
        }
    }
}

impl From<BaggageError> for DropReason {
    fn from(error: BaggageError) -> Self {
        match error {
            BaggageError::Limit => DropReason::OverLimit,
            error => DropReason::Baggage(error),
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DropReason::Untrusted => f.write_str("baggage of an external caller is not trusted"),
            DropReason::NotPropagated => f.write_str("the field is not propagated"),
            DropReason::Unregistered => f.write_str("no field is registered under this key"),
            DropReason::WrongType => f.write_str("it is not of the field's type"),
            DropReason::TooLong => f.write_str("it is longer than the field allows"),
            DropReason::ControlCharacters => f.write_str("it has control characters"),
            DropReason::Invisible => f.write_str("it has invisible characters"),
            DropReason::Empty => f.write_str("it is empty"),
            DropReason::NotFinite => f.write_str("it is not a finite number"),
            DropReason::Malformed => f.write_str("it is malformed"),
            DropReason::Repeated => f.write_str("it appears several times"),
            DropReason::Baggage(error) => write!(f, "it is not valid baggage: {error}"),
            DropReason::TraceState(error) => write!(f, "it is not a valid tracestate: {error}"),
            DropReason::OverLimit => f.write_str("it exceeds the limit of 64 members and 8192 bytes"),
        }
    }
}

/// The reason why a `traceparent` was ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Invalid {
    /// The header appears several times.
    Repeated,
    /// The header is not valid.
    TraceParent(TraceParentError),
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Invalid::Repeated => f.write_str("it appears several times"),
            Invalid::TraceParent(error) => error.fmt(f),
        }
    }
}
