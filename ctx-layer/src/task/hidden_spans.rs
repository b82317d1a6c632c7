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
    /// The subscriber of the spans. `None` if there are no spans.
    subscriber: Option<Dispatch>,
    frame: Option<FrameId>,
}

impl HiddenSpans {
    /// Hides all spans that are entered on this thread in its default subscriber.
    pub(super) fn hide() -> Self {
        let mut hidden = HiddenSpans { spans: SmallVec::new(), subscriber: None, frame: None };
        if span_access::is_any_current() {
            // Outside of `get_default`, inside which events of layers are lost.
            let subscriber = dispatcher::get_default(Dispatch::clone);
            hidden.spans = take_all(&subscriber);
            hidden.subscriber = Some(subscriber);
        }
        hidden
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
            if frame_stack::hand_hidden_on(frame) {
                return;
            }
            // Another frame may have passed its hidden spans on to this one.
            self.spans = frame_stack::hidden_by(frame).into_iter().map(Id::from_u64).collect();
        }
        if self.spans.is_empty() {
            return;
        }
        let subscriber = self.subscriber.take().unwrap_or_else(|| dispatcher::get_default(Dispatch::clone));
        // Spans that were entered meanwhile and are still entered go inside.
        let within = take_all(&subscriber);
        for id in self.spans.iter().rev().chain(within.iter().rev()) {
            put(&subscriber, id);
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
