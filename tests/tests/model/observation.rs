//! The observations of a program: in the model, and in the library.

use std::fmt;

use super::{operation::Name, value::Values};

/// One observation, after or in one operation.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Observation {
    pub(crate) at: Name,
    pub(crate) seen: Seen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// `get()` of each field.
    Get(Values),
    Event(Values, In),
    /// An event with an explicit parent.
    EventOfParent(Values, In),
    Span(Values),
    RootSpan(Values),
    /// A span with an explicit parent.
    SpanOfParent(Values),
    /// `record`'s return value, and the span that layers saw it on.
    Recorded(bool, Option<Name>),
    /// The fields that a dropped future or closure sees.
    Dropped(Values),
    /// At the end of the program nothing may be left on a thread.
    Left(Values),
    /// The rules leave open everything from here on.
    Open,
    /// A panic that is not the program's.
    Panicked(String),
}

/// The span in which layers see an event.
#[derive(Clone, Copy, Debug, Eq)]
pub(crate) enum In {
    Span(Name),
    Root,
    /// The rules leave it open: where a span is entered again inside another, `tracing` still takes the other for
    /// current.
    Any,
}

impl PartialEq for In {
    fn eq(&self, other: &In) -> bool {
        match (self, other) {
            (In::Any, _) | (_, In::Any) | (In::Root, In::Root) => true,
            (In::Span(one), In::Span(other)) => one == other,
            _ => false,
        }
    }
}

/// Returns `true` if the observation is the expected one.
pub(crate) fn agree(seen: &[Observation], expected: &[Observation]) -> bool {
    let open = |seen: &[Observation]| seen.iter().position(|one| one.seen == Seen::Open);
    match (open(seen), open(expected)) {
        (None, None) => seen == expected,
        (one, other) => {
            let end = one.unwrap_or(seen.len()).min(other.unwrap_or(expected.len()));
            seen.get(..end) == expected.get(..end)
        }
    }
}

/// Returns `true` if something is left at the end of a program, or it panicked: both are errors whatever the rules leave open.
pub(crate) fn leaves_something(seen: &[Observation]) -> bool {
    seen.iter().any(|one| match &one.seen {
        Seen::Panicked(_) => true,
        Seen::Left(values) => *values != Values::default(),
        _ => false,
    })
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.at, self.seen)
    }
}
