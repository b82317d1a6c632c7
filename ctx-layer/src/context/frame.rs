//! A frame: what is current on a thread until a guard is dropped, a span exited, or a poll over.

use std::{num::NonZeroUsize, sync::Arc};

use opentelemetry::Context;

use super::{
    attach::{Attached, attach},
    context_value::ContextValueExt,
    remembered::Remembered,
    view::View,
};
use crate::field::Fields;

/// A span and its subscriber, which is identified by its address: spans of different subscribers may have the same id.
pub(crate) type SpanKey = (NonZeroUsize, u64);

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
    /// The hash of the baggage; 0 where there is none.
    pub(super) baggage: u64,
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
    pub(super) cover: Option<Arc<Remembered>>,
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

    /// Creates a frame that attaches a context. `view` is that of the context.
    #[inline]
    pub(crate) fn attaching(cx: Context, view: View) -> Self {
        let attached = attach(cx, view.address);
        let mut frame = Frame::new(view);
        frame.attached = Some(attached);
        frame
    }

    /// Creates a frame that attaches a context and has its fields.
    #[inline]
    pub(crate) fn attaching_all(cx: Context) -> Self {
        let (view, fields) = (View::of(&cx), cx.fields_alone().clone());
        let mut frame = Frame::attaching(cx, view);
        frame.fields = Some(fields);
        frame
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

    // These change it in place: a frame is large, and moving what was just written makes the processor wait.

    #[inline]
    pub(crate) fn with_fields(&mut self, fields: Fields) -> &mut Self {
        self.fields = Some(fields);
        self
    }

    /// Makes it a frame that is removed when the span is exited.
    #[inline]
    pub(crate) fn of_span(&mut self, span: SpanKey) -> &mut Self {
        self.span = Some(span);
        self
    }

    /// Makes it a frame that is removed when a guard is dropped, even if the span was exited before.
    #[inline]
    pub(crate) fn around_span(&mut self, span: Option<SpanKey>, entering: Entering) -> &mut Self {
        self.span = span;
        self.is_guarded = true;
        self.entering = entering;
        self
    }

    /// Sets whether its span belongs to another request.
    #[inline]
    pub(crate) fn with_span_apart(&mut self, is_span_apart: bool) -> &mut Self {
        self.is_span_apart = is_span_apart;
        self
    }

    #[inline]
    pub(crate) fn with_cover(&mut self, cover: Option<Arc<Remembered>>) -> &mut Self {
        self.cover = cover;
        self
    }

    #[inline]
    pub(crate) fn apart(&mut self, is_apart: bool) -> &mut Self {
        self.is_apart = is_apart;
        self
    }

    #[inline]
    pub(crate) fn hiding_spans(&mut self, hides_spans: bool) -> &mut Self {
        self.hides_spans = hides_spans;
        self
    }
}
