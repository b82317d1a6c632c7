//! Futures that have a context of their own.

use super::{
    recorded::fields_in,
    stack::{FrameStack, is_same_request},
    thread_frames::with_frames,
};
use crate::{
    context::{remembered::Remembered, thread_state, view::View},
    field::Fields,
};

impl FrameStack {
    /// Returns `true` if a future around has a context of its own, from which the current fields descend, and was wrapped where
    /// the fields descended from `remembered`. `view` is the current view, and `current` are the fields.
    fn is_covered(&self, remembered: &Remembered, view: View, current: &Fields) -> bool {
        // All fields descend from nothing: a wrapper of nothing is around what is current only while nothing replaced that.
        let mut is_replaced = view.address != self.top_view().address && !is_same_request(current, &self.top_fields());
        for (at, frame) in self.frames.iter().enumerate().rev() {
            if frame.cover.as_ref().is_some_and(|cover| cover.descends_from(remembered)) {
                let fields = self.fields_of(at);
                if if fields.is_blank() { !is_replaced } else { current.descends_from(&fields) } {
                    return true;
                }
            }
            is_replaced |= frame.is_apart;
        }
        false
    }
}

/// Returns `true` if a future around may have a context of its own.
#[inline]
pub(crate) fn has_cover() -> bool {
    with_frames(|stack| stack.frames.iter().any(|frame| frame.cover.is_some())).unwrap_or_default()
}

/// Returns `true` if a future around has a context of its own, and was wrapped where the current fields descended from
/// `remembered`.
pub(crate) fn is_covered(remembered: &Remembered) -> bool {
    // Nearly always there is none, and then nothing more has to be checked.
    if !has_cover() {
        return false;
    }
    let Some((view, current)) = thread_state::read(|cx| (View::of(cx), fields_in(cx))) else { return false };
    let covered = with_frames(|stack| stack.is_covered(remembered, view, &current));
    covered.unwrap_or_default()
}
