//! Pushing a frame, and having it hold the context that it needs.

use opentelemetry::{Context, baggage::BaggageExt};

use super::{
    stack::{FrameStack, is_same_request},
    thread_frames::{is_seen_from_top, with_frames},
};
use crate::{
    context::{
        attach::attach,
        context_value::{ContextValueExt, NOTHING},
        frame::{Frame, FrameId, SpanKey},
        thread_state,
        view::{View, baggage_hash},
    },
    field::Fields,
};

impl FrameStack {
    /// Pushes a frame. `over` is the view before that, and `below` returns the fields that were current then.
    #[inline]
    pub(super) fn push(&mut self, mut frame: Frame, over: View, below: impl FnOnce() -> Fields) -> FrameId {
        self.next += 1;
        frame.id = FrameId(self.next);
        let top = self.frames.last().map_or(View::NOTHING, |top| top.view);
        if over.address != top.address || frame.view.address != top.address {
            self.look_below(&mut frame, over.address != top.address, below);
        }
        if frame.fields.as_ref().is_some_and(|fields| fields.address() != frame.view.address) {
            frame.is_recorded = true;
            thread_state::add_recorded();
        }
        let id = frame.id;
        self.frames.push(frame);
        id
    }

    /// Completes a frame that may not have the same fields as the one below.
    #[inline(never)]
    fn look_below(&self, frame: &mut Frame, is_over_another: bool, below: impl FnOnce() -> Fields) {
        if frame.fields.is_none() && frame.view.address != NOTHING {
            frame.fields = thread_state::read(|cx| cx.fields_alone().clone());
        }
        // Another library attached a context between this frame and the one below.
        if is_over_another && !frame.is_apart {
            frame.is_apart = !is_same_request(&below(), &self.top_fields());
        }
    }
}

/// Pushes a frame on this thread. `over` is the view before that, and `below` returns the fields that were current then.
/// Returns `None` while the thread is being torn down.
#[inline]
pub(crate) fn push(frame: Frame, over: View, below: impl FnOnce() -> Fields) -> Option<FrameId> {
    let frame = match () {
        () if frame.is_held() => frame,
        () if frame.is_changed() => hold_changed(frame),
        () if over == frame.view && is_seen_from_top(over) => frame,
        () => hold(frame, over),
    };
    let frame = if over != frame.view && !frame.is_held() && is_entered(frame.span) { hold_own(frame) } else { frame };
    let frame = if frame.view.baggage == 0 { frame } else { with_baggage(frame) };
    with_frames(|stack| stack.push(frame, over, below))
}

/// Makes a frame hold the context that another library attached, because that may end first.
#[cold]
fn hold(frame: Frame, over: View) -> Frame {
    // A context that a layer attached when the span was entered ends when the span is exited.
    match thread_state::read(Context::clone).filter(|_| frame.view == over) {
        Some(current) => frame.with_attached(attach(current)),
        None => frame,
    }
}

/// Returns `true` if a span has a frame on this thread.
#[inline]
fn is_entered(span: Option<SpanKey>) -> bool {
    span.is_some() && with_frames(|stack| stack.frames.iter().any(|frame| frame.span == span)) == Some(true)
}

/// Has a frame hold the context that a layer attached for its span: of a span that is entered twice, the layer may take away
/// that of the one for that of the other.
#[cold]
fn hold_own(frame: Frame) -> Frame {
    match thread_state::read(Context::clone) {
        Some(current) => frame.with_attached(attach(current)),
        None => frame,
    }
}

/// Gives a frame a context that has its fields. A frame that comes where something was recorded is so distinguished from the frames below
/// it, and contexts that are created from it have what was recorded.
#[cold]
fn hold_changed(frame: Frame) -> Frame {
    let fields = frame.fields.clone().unwrap_or_default();
    match thread_state::read(|cx| cx.with_carried(fields, cx.remote().cloned())) {
        Some(context) => Frame { view: View::of(&context), ..frame }.with_attached(attach(context)),
        None => frame,
    }
}

/// Notes the baggage of a frame whose context is current.
#[cold]
fn with_baggage(frame: Frame) -> Frame {
    Frame { baggage: thread_state::read(|cx| baggage_hash(cx.baggage())).unwrap_or_default(), ..frame }
}
