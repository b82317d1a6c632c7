//! Spans that are hidden by a frame.

use smallvec::SmallVec;

use super::{
    stack::{FrameStack, HiddenSpan},
    thread_frames::with_frames,
};
use crate::context::frame::{Entering, FrameId, SpanKey};

impl FrameStack {
    /// Notes that a hidden span was exited. Returns `true` if it was hidden by a frame above the given one.
    pub(super) fn unhide(&mut self, frame: FrameId, span: SpanKey) -> bool {
        // The first frame above it that hides spans has hidden it; others hide where it was entered again.
        let hidden = self.hidden.iter().enumerate().rev();
        let hidden = hidden.filter(|(_, hidden)| hidden.span == span.1 && hidden.frame > frame);
        let at = hidden.min_by_key(|(_, hidden)| hidden.frame).map(|(at, _)| at);
        if let Some(at) = at {
            self.hidden.remove(at);
        }
        at.is_some()
    }
}

/// Stores the spans that are hidden by a frame, the innermost first.
pub(crate) fn hide(frame: FrameId, spans: impl Iterator<Item = u64>) {
    with_frames(|stack| stack.hidden.extend(spans.map(|span| HiddenSpan { frame, span })));
}

/// Passes the spans that a frame hides on to the next frame above it that hides spans. Returns `false` if there is none.
pub(crate) fn hand_hidden_on(frame: FrameId) -> bool {
    let handed_on = with_frames(|stack| {
        let next = stack.frames.iter().find(|other| other.hides_spans && other.id > frame)?.id;
        let (mine, mut hidden): (Vec<_>, Vec<_>) =
            std::mem::take(&mut stack.hidden).into_iter().partition(|hidden| hidden.frame == frame);
        // They are further out than those that it hides already.
        hidden.extend(mine.into_iter().map(|mine| HiddenSpan { frame: next, ..mine }));
        stack.hidden = hidden;
        Some(())
    });
    handed_on.flatten().is_some()
}

/// Returns the spans that are hidden by a frame and were not exited meanwhile, the innermost first.
pub(crate) fn hidden_by(frame: FrameId) -> SmallVec<[u64; 4]> {
    let hidden = with_frames(|stack| {
        let hidden = stack.hidden.extract_if(.., |hidden| hidden.frame == frame);
        let mut hidden: SmallVec<[u64; 4]> = hidden.map(|hidden| hidden.span).collect();
        // One of a span that was entered twice may have been left meanwhile: they come back in the order of the frames.
        let mut ordered = SmallVec::new();
        let around = stack.frames.iter().rev().filter(|around| around.id < frame);
        for (_, span) in around.filter(|around| around.entering != Entering::Borrowed).filter_map(|frame| frame.span) {
            if let Some(at) = hidden.iter().position(|hidden| *hidden == span) {
                ordered.push(hidden.remove(at));
            }
        }
        ordered.extend(hidden);
        ordered
    });
    hidden.unwrap_or_default()
}
