//! Hiding the entered spans of a thread from work that does not belong to them.

use smallvec::SmallVec;
use tracing::{Dispatch, Id, dispatcher};

use super::span_access;
use crate::{
    context::{FrameId, frame_stack},
    layer::entered_spans,
};

/// More spans than are ever nested. Limits the loop if a subscriber ignores `exit`.
const MOST: usize = 1024;

/// Spans of a thread that are not current until this is dropped, although they are still entered. Layers do not see the change.
///
/// A span that is exited meanwhile is not current afterwards. A span that is entered meanwhile, and is not exited, stays
/// current.
pub(super) struct HiddenSpans {
    /// The hidden spans, the innermost first.
    spans: SmallVec<[Id; 4]>,
    subscriber: Dispatch,
    /// The frame that hides them.
    frame: Option<FrameId>,
}

impl HiddenSpans {
    /// Hides all spans that are entered on this thread in its default subscriber. Returns `None` if there are none.
    #[inline]
    pub(super) fn hide() -> Option<Self> {
        span_access::is_any_current().then(Self::hide_all)
    }

    #[inline(never)]
    fn hide_all() -> Self {
        // Outside of `get_default`, inside which events of layers are lost.
        let subscriber = dispatcher::get_default(Dispatch::clone);
        HiddenSpans { spans: take_all(&subscriber), subscriber, frame: None }
    }

    /// Returns the spans that other frames may have passed on to one that was removed, and that hid none itself.
    #[cold]
    pub(super) fn passed_on_to(frame: FrameId) -> Self {
        let subscriber = dispatcher::get_default(Dispatch::clone);
        HiddenSpans { spans: SmallVec::new(), subscriber, frame: Some(frame) }
    }

    /// Stores the frame that hides the spans.
    pub(super) fn hidden_by(&mut self, frame: FrameId) {
        self.frame = Some(frame);
        if !self.spans.is_empty() {
            frame_stack::hide(frame, self.spans.iter().map(Id::into_u64));
        }
    }
}

impl Drop for HiddenSpans {
    fn drop(&mut self) {
        if let Some(frame) = self.frame {
            // Another frame may have passed its hidden spans on to this one.
            self.spans = frame_stack::unhidden(frame).into_iter().map(Id::from_u64).collect();
        }
        if self.spans.is_empty() {
            return;
        }
        let subscriber = &self.subscriber;
        // Spans that were entered meanwhile and are still entered go inside.
        let within = take_all(subscriber);
        for id in self.spans.iter().rev().chain(within.iter().rev()) {
            put(subscriber, id);
        }
    }
}

/// Takes all spans off a thread's stack of entered spans, the innermost first. In a subscriber without a registry the spans are
/// exited.
fn take_all(subscriber: &Dispatch) -> SmallVec<[Id; 4]> {
    if let Some(registry) = subscriber.downcast_ref() {
        return entered_spans::take_all(registry);
    }
    let mut taken = SmallVec::new();
    while taken.len() < MOST {
        let Some(id) = subscriber.current_span().id().cloned() else { break };
        subscriber.exit(&id);
        taken.push(id);
    }
    taken
}

/// Puts a span back on top of the stack after it was taken off.
fn put(subscriber: &Dispatch, id: &Id) {
    match subscriber.downcast_ref() {
        Some(registry) => entered_spans::put(registry, id, |id| subscriber.try_close(id)),
        None => subscriber.enter(id),
    }
}
