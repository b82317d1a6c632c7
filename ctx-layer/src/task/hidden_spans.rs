//! Spans that are entered around work that belongs to somebody else.

use smallvec::SmallVec;
use tracing::{Dispatch, Id, dispatcher};

use super::span_access;
use crate::{
    context::{FrameId, frame_stack},
    layer::entered_spans,
};

/// More spans than are ever inside each other; a subscriber that ignores that a span is left would be asked for ever.
const MOST: usize = 1024;

/// The spans of a thread that are not current for a time, though they are not left: no layer is told anything.
///
/// A span that is left meanwhile is left, and is not current afterwards either. One that is entered meanwhile and outlives
/// the time stays current.
pub(super) struct HiddenSpans {
    /// The innermost first.
    spans: SmallVec<[Id; 4]>,
    /// Whose spans they are. `None` where there are none.
    subscriber: Option<Dispatch>,
    frame: Option<FrameId>,
}

impl HiddenSpans {
    /// Hides all spans that are entered on this thread, those of its default subscriber.
    pub(super) fn hide() -> Self {
        let mut hidden = HiddenSpans { spans: SmallVec::new(), subscriber: None, frame: None };
        if span_access::is_any_current() {
            // Out of `get_default`, under which nothing that a layer logs would be seen.
            let subscriber = dispatcher::get_default(Dispatch::clone);
            hidden.spans = take_all(&subscriber);
            hidden.subscriber = Some(subscriber);
        }
        hidden
    }

    /// Notes the frame that hides them.
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
            // Another frame may have handed on what it had hidden.
            self.spans = frame_stack::hidden_by(frame).into_iter().map(Id::from_u64).collect();
        }
        if self.spans.is_empty() {
            return;
        }
        let subscriber = self.subscriber.take().unwrap_or_else(|| dispatcher::get_default(Dispatch::clone));
        // Those that were entered meanwhile and outlive it are further in.
        let within = take_all(&subscriber);
        for id in self.spans.iter().rev().chain(within.iter().rev()) {
            put(&subscriber, id);
        }
    }
}

/// Takes all spans off a thread's stack of entered spans, the innermost first. A subscriber without a registry is told that
/// they are left.
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

/// Puts a span that was taken off the stack on top of it.
fn put(subscriber: &Dispatch, id: &Id) {
    match subscriber.downcast_ref() {
        Some(registry) => entered_spans::put(registry, id, |id| subscriber.try_close(id)),
        None => subscriber.enter(id),
    }
}
