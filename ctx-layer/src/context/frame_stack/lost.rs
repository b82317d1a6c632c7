//! Frames that lose their context when the span is exited for which a layer attached it.

use smallvec::SmallVec;

use super::{
    stack::{FrameStack, LostContext},
    thread_frames::with_frames,
};
use crate::context::{
    attach::attach,
    frame::{FrameId, SpanKey},
    remembered::Remembered,
    thread_state,
    view::View,
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
        let lost = relying.into_iter().map(|frame| LostContext { frame, remembered: remembered.clone() });
        stack.lost.extend(lost);
    });
}

/// Gives the frame on top a context with its fields, if it lost the one that it had. What else was in that is not known.
#[cold]
pub(super) fn restore_lost() {
    let (lost, gone) = with_frames(|stack| {
        let top = stack.frames.last().map(|top| (top.id, top.view, top.fields.clone()));
        let is_there = |lost: &mut LostContext| stack.frames.iter().any(|frame| frame.id == lost.frame);
        let gone: Vec<_> = stack.lost.extract_if(.., |lost| !is_there(lost)).collect();
        let lost = top.and_then(|(id, view, fields)| {
            let at = stack.lost.iter().position(|lost| lost.frame == id)?;
            Some((stack.lost.swap_remove(at), view, fields))
        });
        (lost, gone)
    })
    .unzip();
    drop(gone);
    let Some((LostContext { frame: id, remembered }, view, fields)) = lost.flatten() else { return };
    if thread_state::read(View::of) == Some(view) {
        return;
    }
    let remembered = fields.map_or(remembered.clone(), |fields| remembered.with_fields(fields));
    let Some(context) = thread_state::read(|cx| remembered.put_in(cx)) else { return };
    let (view, attached) = (View::of(&context), attach(context));
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
