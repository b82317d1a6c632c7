//! What was not taken over, and why.

use std::fmt;

use super::{baggage::BaggageError, traceparent::TraceParentError, tracestate::TraceStateError};
use crate::field::Refused;

/// The longest part of a key that is told.
const MAX_KEY_LEN: usize = 64;

/// Something that was not taken over from a carrier, or not written to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    key: String,
    reason: DropReason,
}

impl Dropped {
    pub(crate) fn new(key: &str, reason: DropReason) -> Self {
        // Keys are tokens, so what is cut is ASCII.
        let key = key.get(..MAX_KEY_LEN).unwrap_or(key).to_owned();
        Dropped { key, reason }
    }

    /// The header, or the key in baggage where that is known. At most 64 bytes of it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Why it was dropped.
    pub fn reason(&self) -> DropReason {
        self.reason
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.key, self.reason)
    }
}

/// Why something was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// It is baggage, and the caller is not believed.
    Untrusted,
    /// It is the value of a field that is not [propagated](crate::Policy::propagated), or for which baggage does not
    /// [count](crate::Policy::from_baggage).
    NotPropagated,
    /// It is under the key of no registered field, and such baggage does not pass.
    Unregistered,
    /// The field's type refuses it.
    WrongType,
    /// It is empty.
    Empty,
    /// It is longer than the field allows.
    TooLong,
    /// It has control characters.
    ControlCharacters,
    /// It has characters that are not seen, such as zero-width ones.
    Invisible,
    /// It is an infinite number, or none.
    NotFinite,
    /// It is a header that is not well-formed, by the rule that reads it.
    Malformed,
    /// It is a header that must be there once, and is there several times.
    Repeated,
    /// It is not valid baggage.
    Baggage(BaggageError),
    /// It is not a valid `tracestate`.
    TraceState(TraceStateError),
    /// There are more members, or more bytes, than are sent on.
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
            DropReason::Untrusted => f.write_str("baggage of an external caller is not believed"),
            DropReason::NotPropagated => f.write_str("the field does not come from outside"),
            DropReason::Unregistered => f.write_str("no field is registered under this key"),
            DropReason::WrongType => f.write_str("it is not of the field's type"),
            DropReason::TooLong => f.write_str("it is longer than the field allows"),
            DropReason::ControlCharacters => f.write_str("it has control characters"),
            DropReason::Invisible => f.write_str("it has characters that are not seen"),
            DropReason::Empty => f.write_str("it is empty"),
            DropReason::NotFinite => f.write_str("it is not a finite number"),
            DropReason::Malformed => f.write_str("it is not well-formed"),
            DropReason::Repeated => f.write_str("it is there several times"),
            DropReason::Baggage(error) => write!(f, "it is not valid baggage: {error}"),
            DropReason::TraceState(error) => write!(f, "it is not a valid tracestate: {error}"),
            DropReason::OverLimit => f.write_str("there is no room for it: at most 64 members and 8192 bytes"),
        }
    }
}

/// Why a `traceparent` was not taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Invalid {
    /// There are several header lines.
    Repeated,
    /// It is not valid.
    TraceParent(TraceParentError),
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Invalid::Repeated => f.write_str("it is there several times"),
            Invalid::TraceParent(error) => error.fmt(f),
        }
    }
}
