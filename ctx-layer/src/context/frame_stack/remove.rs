//! Removing a frame at any position.

use smallvec::SmallVec;

use super::{
    lost::{has_lost, restore_lost},
    recorded::settle,
    stack::{FrameStack, Gone, HiddenSpan, is_same_request},
    thread_frames::{is_seen_from_top, with_frames, with_frames_if_ready},
};
use crate::context::{
    context_value::NOTHING,
    frame::{Entering, Frame, FrameId},
    thread_state,
    view::View,
};

impl FrameStack {
    /// Removes a frame. The frame above it keeps the context that this one attached, if it uses that. `is_seen` is `true` if no
    /// other library's context is above.
    #[inline]
    pub(super) fn remove(&mut self, at: usize, is_seen: bool) -> Gone {
        let is_apart = self.frames[at].is_apart && self.is_above_apart(at);
        let mut frame = self.frames.remove(at);
        if is_apart && let Some(above) = self.frames.get_mut(at) {
            above.is_apart = true;
        }
        if let Some(above) = self.frames.get_mut(at)
            && above.view.address == frame.view.address
        {
            if above.attached.is_none() {
                above.attached = frame.attached.take();
            }
            // Frames without an address have fields of their own, or none: what was recorded on one is not the other's.
            if above.fields.is_none() && above.view.address != NOTHING {
                above.fields = frame.fields.clone();
            }
        } else if (!is_seen || frame.is_holding) && at == self.frames.len() {
            self.leave_context_to_below(at, &mut frame);
        }
        if frame.is_recorded {
            thread_state::remove_recorded();
        }
        let lost = self.take_lost(frame.id);
        Gone { _frame: Some(frame), _fields: SmallVec::new(), _lost: lost }
    }

    /// Returns `true` if the frame above one that replaced another request's fields is apart from those below by itself.
    fn is_above_apart(&self, at: usize) -> bool {
        if at + 1 == self.frames.len() {
            return false;
        }
        let frame = &self.frames[at];
        let below = at.checked_sub(1).map(|below| self.fields_of(below)).unwrap_or_default();
        frame.span.is_none() || frame.is_span_apart || !is_same_request(&self.fields_of(at), &below)
    }

    /// Makes the frame below keep the context of a removed one, if it has none. This crate is not called when another
    /// library's context above ends, and a context that a layer had attached for a span may have ended.
    #[cold]
    fn leave_context_to_below(&mut self, at: usize, frame: &mut Frame) {
        let below = at.checked_sub(1).and_then(|below| self.frames.get_mut(below));
        let Some(below) = below.filter(|below| below.attached.is_none()) else { return };
        let is_known_by_it = below.is_recorded && below.view.address == NOTHING && frame.view.address != NOTHING;
        if is_known_by_it || (frame.is_holding && below.view == frame.view) {
            below.attached = frame.attached.take();
            below.view = frame.view;
            below.baggage = frame.baggage;
            below.is_holding = frame.is_holding;
        }
    }
}

/// The tasks that are left to the owner of a removed frame.
#[derive(Clone, Copy, Default)]
pub(crate) struct Removed {
    /// It has to exit the span of the frame.
    pub(crate) leaves_span: bool,
    /// The frame may hide spans, its own or those of others.
    pub(crate) may_hide: bool,
}

impl Removed {
    #[inline]
    fn of(frame: &Frame, hidden: &[HiddenSpan]) -> Self {
        let leaves_span = frame.entering == Entering::TakenOver;
        Removed { leaves_span, may_hide: frame.hides_spans && !hidden.is_empty() }
    }
}

/// Removes a frame at any position.
#[inline]
pub(crate) fn remove(id: FrameId) -> Removed {
    let on_top = with_frames_if_ready(|stack| {
        let top = stack.frames.last().filter(|top| top.id == id && !top.is_holding && !top.is_recorded)?;
        let removed = Removed::of(top, &stack.hidden);
        if stack.lost.is_empty() { Some((removed, stack.take_off()?)) } else { None }
    });
    match on_top.flatten() {
        // Its parts are dropped here, where nothing is borrowed.
        Some((removed, _taken_off)) => removed,
        None => remove_anywhere(id),
    }
}

/// Removes a frame that is not on top, or on which something was recorded.
#[inline(never)]
fn remove_anywhere(id: FrameId) -> Removed {
    // Values recorded on the frame below can be read only if no other context is above this one.
    let is_checked = thread_state::is_recorded() || has_lost();
    let is_seen = is_checked && thread_state::read(View::of).is_some_and(is_seen_from_top);
    let removed = with_frames(|stack| {
        let at = stack.position(id)?;
        let removed = Removed::of(&stack.frames[at], &stack.hidden);
        Some((removed, stack.remove(at, !is_checked || is_seen)))
    });
    let (removed, gone) = removed.flatten().unzip();
    drop(gone);
    removed_below(is_seen);
    removed.unwrap_or_default()
}

/// Makes the context of the frame that is on top now current. `is_seen` is `true` if no other library's context was above the one
/// that was removed.
#[inline]
pub(super) fn removed_below(is_seen: bool) {
    if is_seen && has_lost() {
        restore_lost();
    }
    if thread_state::is_recorded() {
        thread_state::update_recorded();
        if is_seen {
            settle();
        }
    }
}
