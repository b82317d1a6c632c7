//! A frame: what is current on a thread until a guard is dropped, a span exited, or a poll over.

use super::{attach::Attached, remembered::Remembered, view::View};
use crate::field::Fields;

/// A span and its subscriber: spans of different subscribers may have the same id.
pub(crate) type SpanKey = (usize, u64);

/// Identifies a frame among those of its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FrameId(pub(super) u64);

/// The way in which a guard's span is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entering {
    /// The guard enters and exits it.
    Itself,
    /// It was current already, and is exited by the code that entered it.
    Borrowed,
    /// It was current already, and was exited since: the guard has to exit it in the subscriber.
    TakenOver,
}

/// The values that are current on a thread until a guard is dropped, a span is exited, or a poll is over.
pub(crate) struct Frame {
    pub(super) id: FrameId,
    /// `None` if they are those of the OpenTelemetry context when the frame was pushed: then their address is enough.
    /// Always set once something was recorded.
    pub(super) fields: Option<Fields>,
    /// The view of the OpenTelemetry context while the frame is on top.
    pub(super) view: View,
    /// The OpenTelemetry context that the frame attached, or took over from the one below it.
    pub(super) attached: Option<Attached>,
    /// It holds a context that frames below had, too.
    pub(super) is_holding: bool,
    /// The span that is entered in it.
    pub(super) span: Option<SpanKey>,
    /// The frame is removed by a guard, and not when the span is exited.
    pub(super) is_guarded: bool,
    /// The way in which the span is entered.
    pub(super) entering: Entering,
    /// The span belongs to another request: values recorded in the frame are not set on it.
    pub(super) is_span_apart: bool,
    /// The values that were current where the future that pushes this frame at each poll was given its own context.
    pub(super) cover: Option<Remembered>,
    /// It replaced the fields of another request: values recorded within it are not set on the spans around it.
    pub(super) is_apart: bool,
    /// The spans around it are not entered in it.
    pub(super) hides_spans: bool,
    /// A value was recorded on it.
    pub(super) is_recorded: bool,
    /// It was pushed when a span was entered, and changed nothing.
    pub(super) is_as_below: bool,
}

impl Frame {
    /// Creates a frame that changes nothing.
    #[inline]
    pub(crate) fn new(view: View) -> Self {
        Frame {
            id: FrameId(0),
            fields: None,
            view,
            attached: None,
            is_holding: false,
            span: None,
            is_guarded: false,
            entering: Entering::Itself,
            is_span_apart: false,
            cover: None,
            is_apart: false,
            hides_spans: false,
            is_recorded: false,
            is_as_below: false,
        }
    }

    /// Returns `true` if the frame attached a context of its own.
    #[inline]
    pub(super) fn is_held(&self) -> bool {
        self.attached.is_some()
    }

    /// Returns `true` if popping the frame loses nothing and needs no work: its span changed nothing, nothing was attached for
    /// it since, and nothing was recorded on it.
    #[inline]
    pub(super) fn is_bare(&self) -> bool {
        self.is_as_below && !self.is_apart && !self.is_recorded && self.attached.is_none() && self.fields.is_none()
    }

    #[inline]
    pub(crate) fn with_fields(self, fields: Fields) -> Self {
        Frame { fields: Some(fields), ..self }
    }

    #[inline]
    pub(crate) fn with_attached(self, attached: Attached) -> Self {
        Frame { attached: Some(attached), ..self }
    }

    /// Makes it a frame that is removed when the span is exited.
    #[inline]
    pub(crate) fn of_span(self, span: SpanKey) -> Self {
        Frame { span: Some(span), ..self }
    }

    /// Makes it a frame that is removed when a guard is dropped, even if the span was exited before.
    #[inline]
    pub(crate) fn around_span(self, span: Option<SpanKey>, entering: Entering) -> Self {
        Frame { span, is_guarded: true, entering, ..self }
    }

    /// Sets whether its span belongs to another request.
    #[inline]
    pub(crate) fn with_span_apart(self, is_span_apart: bool) -> Self {
        Frame { is_span_apart, ..self }
    }

    #[inline]
    pub(crate) fn with_cover(self, cover: Option<Remembered>) -> Self {
        Frame { cover, ..self }
    }

    #[inline]
    pub(crate) fn apart(self, is_apart: bool) -> Self {
        Frame { is_apart, ..self }
    }

    #[inline]
    pub(crate) fn hiding_spans(self, hides_spans: bool) -> Self {
        Frame { hides_spans, ..self }
    }
}
