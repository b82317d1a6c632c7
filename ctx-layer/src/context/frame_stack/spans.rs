//! The spans that are entered on a thread.

use std::num::NonZeroUsize;

use smallvec::SmallVec;

use super::{
    stack::{FrameStack, is_same_request},
    thread_frames::with_frames,
};
use crate::{
    context::{
        context_value::ContextValueExt,
        frame::{Entering, SpanKey},
        thread_state,
        view::View,
    },
    field::Fields,
};

impl FrameStack {
    /// Returns the span of a subscriber that was entered last, unless it is hidden.
    fn current_span(&self, subscriber: NonZeroUsize) -> Option<u64> {
        let visible = self.frames.iter().rev().take_while(|frame| !frame.hides_spans);
        visible.filter_map(|frame| frame.span).find(|(of, _)| *of == subscriber).map(|(_, span)| span)
    }

    /// Returns the spans of a subscriber that are entered here, the innermost first, up to the beginning of another request,
    /// each with the index of its frame.
    fn visible_spans(&self, subscriber: NonZeroUsize) -> SmallVec<[(usize, u64); 8]> {
        let mut visible = SmallVec::new();
        for (at, frame) in self.frames.iter().enumerate().rev() {
            if let Some((of, span)) = frame.span
                && of == subscriber
                && !frame.is_span_apart
            {
                visible.push((at, span));
            }
            if frame.is_apart || frame.hides_spans {
                break;
            }
        }
        visible
    }

    /// Returns `true` if the span entered last is around fields that replaced those of another request. `view` is the current
    /// view, and `fields` returns the current fields.
    fn is_span_around_another(&self, view: View, fields: impl FnOnce() -> Fields) -> bool {
        if view.address != self.top_view().address && !is_same_request(&fields(), &self.top_fields()) {
            return true;
        }
        let frame = self.frames.iter().rev().find(|frame| frame.span.is_some() || frame.is_apart);
        frame.is_some_and(|frame| frame.span.is_none() || frame.is_span_apart)
    }
}

/// Returns the span of a subscriber that was entered last on this thread, unless it is hidden.
pub(crate) fn current_span(subscriber: NonZeroUsize) -> Option<u64> {
    with_frames(|stack| stack.current_span(subscriber)).flatten()
}

/// Returns the spans of a subscriber that are entered here and not hidden, the outermost first.
pub(crate) fn entered_spans(subscriber: NonZeroUsize) -> SmallVec<[u64; 8]> {
    let entered = with_frames(|stack| {
        let from = stack.frames.iter().rposition(|frame| frame.hides_spans).map_or(0, |hides| hides + 1);
        let visible = stack.frames[from..].iter().filter(|frame| frame.entering != Entering::Borrowed);
        visible.filter_map(|frame| frame.span).filter(|(of, _)| *of == subscriber).map(|(_, span)| span).collect()
    });
    entered.unwrap_or_default()
}

/// Calls `find` with the spans of a subscriber that are entered here, the innermost first, up to the beginning of another
/// request. Returns the index of the span's frame, and the first result.
pub(crate) fn find_span<R>(subscriber: NonZeroUsize, find: impl Fn(u64) -> Option<R>) -> Option<(usize, R)> {
    let view = thread_state::read(View::of)?;
    let visible = with_frames(|stack| (stack.top_view() == view).then(|| stack.visible_spans(subscriber)));
    visible.flatten()?.into_iter().find_map(|(at, span)| Some((at, find(span)?)))
}

/// Returns the index of the lowest frame of a span on this thread.
pub(crate) fn lowest_of(span: SpanKey) -> Option<usize> {
    with_frames(|stack| stack.lowest_of(span)).flatten()
}

/// Returns `true` if the span entered last on this thread is around fields that replaced those of another request, such as
/// a message's. Values recorded there are not set on the span.
#[inline]
pub(crate) fn is_span_around_another(view: View) -> bool {
    let fields = || thread_state::read(|cx| cx.fields_alone().clone()).unwrap_or_default();
    with_frames(|stack| stack.is_span_around_another(view, fields)).unwrap_or_default()
}
