//! Frames that lose their context when the span is exited for which a layer attached it.

use smallvec::SmallVec;

use super::{
    stack::{FrameStack, LostContext},
    thread_frames::with_frames,
};
use crate::{
    context::{
        attach::attach,
        context_value::NOTHING,
        frame::{FrameId, SpanKey},
        remembered::Remembered,
        thread_state,
        view::View,
    },
    field::Fields,
};

impl FrameStack {
    /// Returns the frames that lose their context when the span of a frame is exited. The frame on top keeps its context: see
    /// [`Leaving`](super::Leaving).
    pub(super) fn relying_on(&self, span: SpanKey) -> SmallVec<[FrameId; 4]> {
        let Some(at) = self.own_frame_of(span) else { return SmallVec::new() };
        let (frame, top) = (&self.frames[at], self.frames.len() - 1);
        let below = at.checked_sub(1).map_or(View::NOTHING, |below| self.frames[below].view);
        if frame.attached.is_some() || frame.view == below || at >= top {
            return SmallVec::new();
        }
        let above = self.frames[at + 1..top].iter();
        let relying = above.take_while(|above| above.view == frame.view && above.attached.is_none());
        relying.map(|above| above.id).collect()
    }

    /// Returns `true` if the frame on top has a context only as long as the layer has the one that it attached for a span.
    pub(super) fn is_top_relying_on(&self, span: SpanKey) -> bool {
        let (Some(at), Some(top)) = (self.own_frame_of(span), self.frames.last()) else { return false };
        let frame = &self.frames[at];
        let below = at.checked_sub(1).map_or(View::NOTHING, |below| self.frames[below].view);
        let is_of_layer = frame.attached.is_none() && frame.view != below;
        let mut above = self.frames[at + 1..].iter();
        is_of_layer && frame.view == top.view && above.all(|above| above.view == top.view && above.attached.is_none())
    }

    /// Removes what is noted of a frame: it has its context again, or is removed. What is noted of no frame would be taken for a
    /// context that is missing.
    #[inline]
    pub(super) fn take_lost(&mut self, frame: FrameId) -> Vec<LostContext> {
        if self.lost.is_empty() { Vec::new() } else { self.lost.extract_if(.., |lost| lost.frame == frame).collect() }
    }
}

impl FrameStack {
    /// Notes that a frame is pushed over another library's context, which is over all frames.
    #[cold]
    pub(super) fn note_another_over_lost(&mut self) {
        self.lost.iter_mut().for_each(|lost| lost.is_below_another = true);
    }
}

#[inline]
pub(super) fn has_lost() -> bool {
    with_frames(|stack| !stack.lost.is_empty()).unwrap_or_default()
}

/// Notes the frames that lose their context when a span is exited. `remembered` returns what the span remembers.
pub(crate) fn note_lost(span: SpanKey, remembered: impl FnOnce() -> Remembered) {
    let relying = with_frames(|stack| stack.relying_on(span)).filter(|relying| !relying.is_empty());
    let Some(relying) = relying else { return };
    let remembered = remembered();
    with_frames(|stack| {
        let lost = relying.into_iter().map(|frame| LostContext {
            frame,
            remembered: remembered.clone(),
            is_below_another: false,
        });
        stack.lost.extend(lost);
    });
}

/// Gives the frame on top a context with its fields, if it lost the one that it had. What else was in that is not known.
///
/// What is current then is the context of a frame below, or none. Any other one is another library's, which stays.
#[cold]
pub(super) fn restore_lost() {
    let Some(current) = thread_state::read(View::of) else { return };
    let top = with_frames(|stack| {
        let (top, below) = stack.frames.split_last()?;
        let is_there = current == top.view;
        let is_of_below = current == View::NOTHING || below.iter().any(|frame| frame.view == current);
        // What the span remembers by now may have been recorded on it since, by code that did not run in this frame.
        let fields = top.fields.clone().or_else(|| (top.view.address == NOTHING).then(Fields::new));
        let (id, had_baggage) = (top.id, top.view.baggage != 0);
        (is_there || is_of_below).then(|| (is_there, stack.take_lost(id), id, fields, had_baggage))
    });
    let Some((false, lost, id, fields, had_baggage)) = top.flatten() else { return };
    let Some(LostContext { remembered, is_below_another: false, .. }) = lost.into_iter().next() else { return };
    let fields = fields.unwrap_or_else(|| remembered.fields.clone());
    let remembered = if had_baggage { remembered.with_fields(fields) } else { fields.into() };
    let Some(context) = thread_state::read(|cx| remembered.put_in(cx)) else { return };
    let view = View::of(&context);
    let attached = attach(context, view.address);
    let unused = with_frames(|stack| match stack.frames.iter_mut().rfind(|frame| frame.id == id) {
        Some(frame) => {
            frame.view = view;
            frame.is_holding = true;
            frame.attached.replace(attached)
        }
        None => Some(attached),
    });
    drop(unused);
}
