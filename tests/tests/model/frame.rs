//! Rules 2, 7 and 10: frames.

use super::{operation::Name, set::Set};

/// A frame's number. No two frames have the same one, on any thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) u32);

#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) number: Number,
    /// The set. A foreign frame's: what it has if it comes from no frame, or once that frame is gone.
    pub(crate) set: Set,
    /// The set with which the frame began, before anything was recorded: an OpenTelemetry context that is created from
    /// the frame carries it. A frame with nothing: before a second value was recorded.
    pub(crate) first: Set,
    pub(crate) kind: Kind,
    /// For a foreign frame: the frame from which its context comes.
    pub(crate) made_from: Option<Number>,
    pub(crate) is_recorded: bool,
    /// Something was recorded on it where it had no fields, and another frame was on top.
    pub(crate) is_unsettled: bool,
    /// `true` if this replaced something unrelated when it was pushed.
    pub(crate) cuts: bool,
    /// `true` if the frame below had replaced something unrelated, and is gone. Whether this is apart now is left open.
    pub(crate) may_cut: bool,
    /// For a wrapper that replaces: the set that was current where it was written.
    pub(crate) written_in: Option<Set>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A frame that sets: the set below, with a change.
    Sets,
    /// A frame that replaces, and keeps the current span.
    Replaces,
    /// An entered span.
    Span(Name),
    /// A snapshot with a span.
    SnapshotOf(Name),
    /// A snapshot that was captured in a frame that had replaced something unrelated inside a span: the span is
    /// entered, but the frame is not the span's.
    SnapshotApart(Name),
    /// An isolation, or a snapshot without a span: spans below are not current in it.
    HidesSpans,
    /// An OpenTelemetry context that this library did not attach.
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

    /// Returns the span that is current in the frame, if it has one.
    pub(crate) fn current_span(&self) -> Option<Name> {
        match self.kind {
            Kind::SnapshotApart(span) => Some(span),
            _ => self.span(),
        }
    }

    /// Returns `true` if the frame has exactly what it is given, in place of what is below.
    pub(crate) fn replaces(&self) -> bool {
        matches!(self.kind, Kind::Replaces | Kind::HidesSpans)
    }
}

/// The part of an OpenTelemetry context that belongs to this library. The set identifies the frame from which it comes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    pub(crate) set: Set,
    pub(crate) made_from: Option<Number>,
    /// `true` if something had been recorded on that frame.
    pub(crate) is_recorded: bool,
}
