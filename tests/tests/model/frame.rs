//! Rules 2, 7 and 10: frames.

use super::{operation::Name, set::Set};

/// A frame's number. No two frames have the same, on whatever thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) u32);

#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) number: Number,
    /// The set. Of a foreign frame: what it has once the frame is gone from which it was made, or if it was made from none.
    pub(crate) set: Set,
    /// The set that the frame began with, before anything was recorded: what an OpenTelemetry context made from it carries. Of a
    /// frame with nothing: before a second thing was recorded.
    pub(crate) first: Set,
    pub(crate) kind: Kind,
    /// Of a foreign frame: the one from which its context was made.
    pub(crate) made_from: Option<Number>,
    pub(crate) is_recorded: bool,
    /// Something was recorded on it where it had no fields, and another frame was on top.
    pub(crate) is_unsettled: bool,
    /// Whether this replaced something unrelated when it was pushed.
    pub(crate) cuts: bool,
    /// What it came on had replaced something unrelated, and is gone. Whether this is apart now is left open.
    pub(crate) may_cut: bool,
    /// Of what replaces around a future: the set that was current where the wrapper was written.
    pub(crate) written_in: Option<Set>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What sets: the set below, with a change.
    Sets,
    /// What replaces, and leaves the current span as it is.
    Replaces,
    /// An entered span.
    Span(Name),
    /// A snapshot with a span.
    SnapshotOf(Name),
    /// A snapshot taken in what had replaced something unrelated inside a span: that is entered, but the frame is not the
    /// span's.
    SnapshotApart(Name),
    /// An isolation, or a snapshot without a span: spans below are not current in it.
    HidesSpans,
    /// A context of OpenTelemetry that this library did not attach.
    Foreign,
}

impl Frame {
    pub(crate) fn span(&self) -> Option<Name> {
        match self.kind {
            Kind::Span(span) | Kind::SnapshotOf(span) => Some(span),
            _ => None,
        }
    }

    pub(crate) fn is_foreign(&self) -> bool {
        self.kind == Kind::Foreign
    }

    /// The span that is current in it, if it has one.
    pub(crate) fn current_span(&self) -> Option<Name> {
        match self.kind {
            Kind::SnapshotApart(span) => Some(span),
            _ => self.span(),
        }
    }

    /// Whether the frame has exactly what it is given, in place of what is below.
    pub(crate) fn replaces(&self) -> bool {
        matches!(self.kind, Kind::Replaces | Kind::HidesSpans)
    }
}

/// What an OpenTelemetry context has of this library. By the set it is known which frame it was made from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    pub(crate) set: Set,
    pub(crate) made_from: Option<Number>,
    /// Something had been recorded on that frame.
    pub(crate) is_recorded: bool,
}
