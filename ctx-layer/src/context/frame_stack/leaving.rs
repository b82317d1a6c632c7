//! Exiting a span, whose frame may be anywhere.

use opentelemetry::Context;

use super::{
    lost::has_lost,
    remove::removed_below,
    stack::FrameStack,
    thread_frames::{is_seen_from_top, with_frames},
};
use crate::context::{
    attach::attach,
    frame::{Entering, FrameId, SpanKey},
    thread_state,
    view::View,
};

impl FrameStack {
    /// Makes a guard's frame, from `from` up, exit a span that it found entered. Returns `false` if there is none.
    fn hand_over(&mut self, span: Option<SpanKey>, from: usize) -> bool {
        // One that comes after another entering of the span found that one.
        match self.frames[from..].iter_mut().find(|frame| frame.span == span) {
            Some(frame) if frame.entering == Entering::Borrowed => {
                frame.entering = Entering::TakenOver;
                true
            }
            _ => false,
        }
    }
}

/// The effect of exiting a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// The subscriber exits the span. If the span was entered again since, it may exit that entering instead.
    Here { is_entered_again: bool },
    /// The span is hidden by a frame: the subscriber exits it, and does not have it on its stack, unless it was entered again
    /// since.
    Hidden { is_entered_again: bool },
    /// A guard has the span, and exits it when it is dropped.
    TakenOver,
}

/// Returns the effect of exiting a span that was entered by itself, or by the guard of a frame.
#[inline]
pub(crate) fn leaving(span: SpanKey, guard: Option<FrameId>) -> Left {
    let left = with_frames(|stack| {
        let last = stack.frames.last();
        if guard.is_none() && last.is_some_and(|last| last.span == Some(span) && !last.is_guarded) {
            return Some(Left::Here { is_entered_again: false });
        }
        let frame = match guard {
            Some(frame) => frame,
            None => stack.frames[stack.own_frame_of(span)?].id,
        };
        let above = stack.frames.partition_point(|other| other.id <= frame);
        if stack.hand_over(Some(span), above) {
            return Some(Left::TakenOver);
        }
        let is_entered_from = |from: usize| {
            stack.frames[from..].iter().any(|other| other.span == Some(span) && other.entering != Entering::Borrowed)
        };
        // The subscriber has only spans on its stack that are not hidden.
        let visible = stack.frames.iter().rposition(|frame| frame.hides_spans).map_or(0, |hides| hides + 1);
        let is_entered_again = is_entered_from(above.max(visible));
        let is_hidden = !stack.hidden.is_empty() && stack.unhide(frame, span);
        Some(if is_hidden { Left::Hidden { is_entered_again } } else { Left::Here { is_entered_again } })
    });
    left.flatten().unwrap_or(Left::Here { is_entered_again: false })
}

/// Returns `true` if another frame was pushed since this one, which may be gone.
pub(crate) fn is_below_another(frame: FrameId) -> bool {
    with_frames(|stack| stack.frames.last().is_some_and(|last| last.id > frame)).unwrap_or_default()
}

/// The state before a span is exited.
pub(crate) struct Leaving {
    /// `None` if a guard removes the frame.
    span: Option<SpanKey>,
    /// The context of the frame on top, if the span's frame is further down: a layer may have attached it for that span.
    held: Option<Context>,
    /// The frame on top has the context that a layer attached for the span: another library's may look the same, and end first.
    is_relied_on: bool,
    /// No other library's context is above.
    is_seen: bool,
}

impl Leaving {
    #[inline]
    pub(crate) fn new(span: SpanKey) -> Self {
        let is_below =
            with_frames(|stack| stack.frames.last().is_some_and(|last| last.span != Some(span) || last.is_guarded));
        let held = if is_below == Some(true) { thread_state::read(Context::clone) } else { None };
        let is_relied_on = held.is_some() && with_frames(|stack| stack.is_top_relying_on(span)) == Some(true);
        let is_checked = thread_state::is_recorded() || has_lost();
        let is_seen = !is_checked || thread_state::read(View::of).is_some_and(is_seen_from_top);
        Leaving { span: Some(span), held, is_relied_on, is_seen }
    }

    /// Returns the state for a span whose frame a guard has removed.
    #[cold]
    pub(crate) fn of_guard() -> Self {
        Leaving { span: None, held: thread_state::read(Context::clone), is_relied_on: false, is_seen: false }
    }
}

/// Removes the innermost frame that was pushed when the span was entered, also if a layer panics. The context that was
/// current before stays current for the frame on top.
impl Drop for Leaving {
    #[inline]
    fn drop(&mut self) {
        let is_seen = self.is_seen;
        if let Some(span) = self.span {
            drop(with_frames(|stack| Some(stack.remove(stack.own_frame_of(span)?, is_seen))));
        }
        if let Some(held) = self.held.take() {
            hold_on_top(held, self.is_relied_on);
        }
        removed_below(is_seen);
    }
}

/// Makes the frame on top hold a context that it had before.
#[cold]
fn hold_on_top(held: Context, is_relied_on: bool) {
    let view = View::of(&held);
    if (!is_relied_on && thread_state::read(View::of) == Some(view)) || !is_seen_from_top(view) {
        return;
    }
    let mut attached = Some(attach(held, view.address));
    with_frames(|stack| {
        if let Some(top) = stack.frames.last_mut() {
            // What it has may be further down, taken over from the frame below it.
            std::mem::swap(&mut top.attached, &mut attached);
            top.is_holding = true;
        }
    });
    drop(attached);
}
