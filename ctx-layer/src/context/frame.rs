//! What is current on a thread until something ends.

use super::{attach::Attached, remembered::Remembered, view::View};
use crate::field::Fields;

/// A span of a subscriber: spans of different subscribers may have one id.
pub(crate) type SpanKey = (usize, u64);

/// Tells a frame from all others of its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FrameId(pub(super) u64);

/// For what a guard's span is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entering {
    /// The guard enters and leaves it.
    Itself,
    /// It was current already, and is left by the code that entered it.
    Borrowed,
    /// It was, and was left since: the guard is to leave it for the subscriber.
    TakenOver,
}

/// What is current on a thread until a guard is dropped, a span is left, or a poll is over.
pub(crate) struct Frame {
    pub(super) id: FrameId,
    /// `None` where they are those that the OpenTelemetry context had when the frame came: then it is enough to know where
    /// they are. Not so once something was recorded.
    pub(super) fields: Option<Fields>,
    /// What is seen of the OpenTelemetry context while the frame is on top.
    pub(super) view: View,
    /// The hash of the baggage; 0 where there is none.
    pub(super) baggage: u64,
    /// The OpenTelemetry context that the frame attached, or took over from the one below it.
    pub(super) attached: Option<Attached>,
    /// It holds a context that frames below had, too.
    pub(super) is_holding: bool,
    /// The span that is entered in it.
    pub(super) span: Option<SpanKey>,
    /// A guard takes the frame away, and not that the span is left.
    pub(super) is_guarded: bool,
    /// Whether the span is entered for this frame.
    pub(super) entering: Entering,
    /// There is a span, of another request: what is recorded is not for it.
    pub(super) is_span_apart: bool,
    /// What was current where the future that has this frame at each poll was given a context of its own.
    pub(super) cover: Option<Remembered>,
    /// It replaced the fields of another request: what is recorded within it is not for the spans around it.
    pub(super) is_apart: bool,
    /// The spans around it are not entered in it.
    pub(super) hides_spans: bool,
    /// Something was recorded on it.
    pub(super) is_recorded: bool,
    /// It came when a span was entered, and nothing changed by that.
    pub(super) is_as_below: bool,
}

impl Frame {
    /// A frame that changes nothing.
    #[inline]
    pub(crate) fn new(view: View) -> Self {
        Frame {
            id: FrameId(0),
            fields: None,
            view,
            baggage: 0,
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

    /// Returns `true` if the context has other fields than the frame.
    #[inline]
    pub(super) fn is_changed(&self) -> bool {
        self.fields.as_ref().is_some_and(|fields| fields.address() != self.view.address)
    }

    /// Returns `true` if nothing is lost or to be done where the frame is taken off the top: it is of a span that changed nothing,
    /// nothing was attached for it since, and nothing recorded on it.
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

    /// A frame that goes when the span is left.
    #[inline]
    pub(crate) fn of_span(self, span: SpanKey) -> Self {
        Frame { span: Some(span), ..self }
    }

    /// A frame that goes when a guard is dropped, whatever becomes of the span.
    #[inline]
    pub(crate) fn around_span(self, span: Option<SpanKey>, entering: Entering) -> Self {
        Frame { span, is_guarded: true, entering, ..self }
    }

    /// A frame in a span of another request.
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
