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

    /// Removes the spans that are hidden by a frame, and returns them, unless it hands them on.
    #[inline(never)]
    fn unhidden(&mut self, frame: FrameId) -> SmallVec<[u64; 4]> {
        let hidden = self.hidden.extract_if(.., |hidden| hidden.frame == frame);
        let mut hidden: SmallVec<[u64; 4]> = hidden.map(|hidden| hidden.span).collect();
        if let Some(next) = self.frames.iter().find(|other| other.hides_spans && other.id > frame) {
            // They are further out than those that it hides already.
            self.hidden.extend(hidden.into_iter().map(|span| HiddenSpan { frame: next.id, span }));
            return SmallVec::new();
        }
        // One of a span that was entered twice may have been left meanwhile: they come back in the order of the frames.
        let mut ordered = SmallVec::new();
        let around = self.frames.iter().rev().filter(|around| around.id < frame);
        for (_, span) in around.filter(|around| around.entering != Entering::Borrowed).filter_map(|frame| frame.span) {
            if let Some(at) = hidden.iter().position(|hidden| *hidden == span) {
                ordered.push(hidden.remove(at));
            }
        }
        ordered.extend(hidden);
        ordered
    }
}

/// Stores the spans that are hidden by a frame, the innermost first.
pub(crate) fn hide(frame: FrameId, spans: impl Iterator<Item = u64>) {
    with_frames(|stack| stack.hidden.extend(spans.map(|span| HiddenSpan { frame, span })));
}

/// Returns the spans that were hidden by a removed frame and were not exited meanwhile, the innermost first. If another frame
/// above it hides spans, it hides them from now on, and none is returned.
#[inline]
pub(crate) fn unhidden(frame: FrameId) -> SmallVec<[u64; 4]> {
    // Nearly always none is hidden on the thread.
    let unhidden = with_frames(|stack| if stack.hidden.is_empty() { SmallVec::new() } else { stack.unhidden(frame) });
    unhidden.unwrap_or_default()
}
