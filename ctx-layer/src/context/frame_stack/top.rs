//! The frame on top, pushed and popped without a look at the others.

use std::iter;

use opentelemetry::Context;

use super::{
    stack::FrameStack,
    thread_frames::{with_frames, with_frames_if_ready},
};
use crate::context::{
    context_value::BAGGAGE,
    frame::{Frame, FrameId, SpanKey},
    view::View,
};

/// The frame on top, and the address of its fields. Small enough for two registers.
#[derive(Clone, Copy)]
pub(crate) struct Top {
    /// The address of the fields, or [`BAGGAGE`] if more has to be checked.
    pub(crate) address: usize,
    /// The id of the frame, or 0 if there is none.
    frame: u64,
}

impl Top {
    const CLOSER_LOOK: Self = Top { address: BAGGAGE, frame: 0 };

    #[inline]
    fn of(stack: &FrameStack) -> (Self, &View) {
        let (view, frame) = stack.frames.last().map_or((&View::NOTHING, 0), |top| (&top.view, top.id.0));
        (Top { address: if view.baggage == 0 { view.address } else { BAGGAGE }, frame }, view)
    }
}

/// Returns the frame on top. Another library may have attached a context since.
#[inline]
pub(crate) fn top() -> Top {
    with_frames_if_ready(|stack| Top::of(stack).0).unwrap_or(Top::CLOSER_LOOK)
}

/// Returns the frame on top, if no other library attached a context since.
#[inline]
pub(crate) fn top_if_seen() -> Top {
    let top = with_frames_if_ready(|stack| {
        let (top, view) = Top::of(stack);
        Context::map_current(|cx| view.is_of(cx)).then_some(top)
    });
    top.flatten().unwrap_or(Top::CLOSER_LOOK)
}

/// Returns the view of a frame that was on top.
pub(crate) fn view_of(top: Top) -> View {
    let view = with_frames(|stack| Some(stack.frames[stack.position(FrameId(top.frame))?].view));
    view.flatten().unwrap_or(View::NOTHING)
}

impl FrameStack {
    /// Returns `true` if frames may be taken off the top without a look at those below.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.hidden.is_empty() && self.lost.is_empty()
    }
}

/// Pushes the frame of an entered span, if nothing has changed since `before`, and the frame on top is still current. Returns
/// `false` if more has to be checked.
#[inline]
pub(crate) fn push_bare(span: SpanKey, before: Top) -> bool {
    let pushed = with_frames_if_ready(|stack| {
        let (top, view) = Top::of(stack);
        let is_unchanged = top.frame == before.frame && Context::map_current(|cx| view.is_of(cx));
        if is_unchanged {
            let (view, id) = (*view, FrameId(stack.next + 1));
            stack.next += 1;
            // Built where it will be: a frame that is built first and then moved takes longer than the rest.
            let frame = || Frame { id, span: Some(span), is_as_below: true, ..Frame::new(view) };
            stack.frames.extend(iter::once_with(frame));
        }
        is_unchanged
    });
    pushed.unwrap_or_default()
}

/// Returns `true` if no frame was pushed since a guard's, which may be gone, and no span is hidden: then the guard's span is
/// exited like any other.
#[inline]
pub(crate) fn is_guard_on_top(frame: FrameId) -> bool {
    let is_on_top =
        with_frames(|stack| stack.hidden.is_empty() && stack.frames.last().is_none_or(|last| last.id <= frame));
    is_on_top.unwrap_or_default()
}

/// Pops the frame of a span that is about to be exited by itself, if it is on top and [bare](Frame::is_bare). Returns
/// `false` if more has to be checked.
#[inline]
pub(crate) fn pop_bare(span: SpanKey) -> bool {
    let popped = with_frames(|stack| {
        let top = stack.frames.last()?;
        let is_bare = top.span == Some(span) && top.is_bare() && stack.is_plain();
        // A bare frame has nothing that has a destructor.
        is_bare.then(|| std::mem::forget(stack.frames.pop()))
    });
    popped.flatten().is_some()
}
