//! Pushing a frame, and having it hold the context that it needs.

use std::{iter, mem};

use opentelemetry::baggage::BaggageExt;

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
    /// Pushes a frame, and leaves an empty one. `over` is the view before that, and `below` returns the fields that were current
    /// then.
    #[inline]
    pub(super) fn push(&mut self, frame: &mut Frame, over: View, below: impl FnOnce() -> Fields) -> FrameId {
        self.next += 1;
        frame.id = FrameId(self.next);
        let top = self.frames.last().map_or(NOTHING, |top| top.view.address);
        if over.address != top || frame.view.address != top {
            self.look_below(frame, over.address != top, below);
        }
        if !self.lost.is_empty() && over != self.top_view() {
            self.note_another_over_lost();
        }
        if frame.fields.as_ref().is_some_and(|fields| fields.address() != frame.view.address) {
            frame.is_recorded = true;
            thread_state::add_recorded();
        }
        let id = frame.id;
        // Moved once, from where it was built to where it will be: moving what was just written makes the processor wait.
        self.frames.extend(iter::once_with(|| mem::replace(frame, Frame::new(View::NOTHING))));
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
#[inline(never)]
pub(crate) fn push(mut frame: Frame, over: View, below: impl FnOnce() -> Fields) -> Option<FrameId> {
    if !frame.is_held() {
        match () {
            () if frame.is_changed() => hold_changed(&mut frame),
            // Of a span that is entered twice, the layer may take away the context of the one for that of the other.
            () if over != frame.view && is_entered(frame.span) => hold_current(&mut frame),
            // Another library attached the context, which may end first.
            () if over == frame.view && !is_seen_from_top(over) => hold_current(&mut frame),
            () => {}
        }
    }
    if frame.view.baggage != 0 {
        note_baggage(&mut frame);
    }
    with_frames(|stack| stack.push(&mut frame, over, below))
}

/// Returns `true` if a span has a frame on this thread.
#[inline]
fn is_entered(span: Option<SpanKey>) -> bool {
    span.is_some() && with_frames(|stack| stack.frames.iter().any(|frame| frame.span == span)) == Some(true)
}

/// Makes a frame hold the current context.
#[cold]
fn hold_current(frame: &mut Frame) {
    let current = thread_state::read(|cx| (cx.clone(), cx.fields_alone().address()));
    frame.attached = current.map(|(current, address)| attach(current, address));
}

/// Gives a frame a context that has its fields. A frame that comes where something was recorded is so distinguished from the frames below
/// it, and contexts that are created from it have what was recorded.
#[cold]
fn hold_changed(frame: &mut Frame) {
    let fields = frame.fields.clone().unwrap_or_default();
    let Some(context) = thread_state::read(|cx| cx.with_carried(fields, cx.remote().cloned())) else { return };
    frame.view = View::of(&context);
    frame.attached = Some(attach(context, frame.view.address));
}

/// Notes the baggage of a frame whose context is current.
#[cold]
fn note_baggage(frame: &mut Frame) {
    frame.baggage = thread_state::read(|cx| baggage_hash(cx.baggage())).unwrap_or_default();
}
