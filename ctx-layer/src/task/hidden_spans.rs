//! Spans that are entered around work that belongs to somebody else.

use smallvec::SmallVec;
use tracing::{Dispatch, Id, Subscriber, dispatcher};
use tracing_subscriber::Registry;

use crate::context::{FrameId, frame_stack};

/// More spans than are ever inside each other; a subscriber that ignores that a span is left would be asked for ever.
const MOST: usize = 1024;

/// The spans of a thread that are not current for a time, though they are not left: no layer is told anything.
///
/// A span that is left meanwhile is left, and is not current afterwards either. One that is entered meanwhile and outlives
/// the time stays current.
pub(super) struct HiddenSpans {
    subscriber: Dispatch,
    /// The innermost first.
    spans: SmallVec<[Id; 4]>,
    frame: Option<FrameId>,
}

impl HiddenSpans {
    /// Hides all spans that are entered on this thread, those of its default subscriber. `None` where there are none.
    pub(super) fn hide() -> Option<Self> {
        if !dispatcher::get_default(|subscriber| subscriber.current_span().id().is_some()) {
            return None;
        }
        // Out of `get_default`, under which nothing that a layer logs would be seen.
        let subscriber = dispatcher::get_default(Dispatch::clone);
        let spans = take_all(&subscriber);
        Some(HiddenSpans { subscriber, spans, frame: None })
    }

    /// Notes the frame that hides them.
    pub(super) fn hidden_by(&mut self, frame: FrameId) {
        self.frame = Some(frame);
        frame_stack::hide(frame, self.spans.iter().map(Id::into_u64));
    }
}

impl Drop for HiddenSpans {
    fn drop(&mut self) {
        if let Some(frame) = self.frame {
            let hidden = frame_stack::hidden_by(frame);
            self.spans = hidden.into_iter().map(Id::from_u64).collect();
        }
        // Those that were entered meanwhile and outlive it are further in.
        let within = take_all(&self.subscriber);
        for id in self.spans.iter().rev().chain(within.iter().rev()) {
            put(&self.subscriber, id);
        }
    }
}

/// Takes all spans off a thread's stack of entered spans, the innermost first. Each is held open as if it were entered.
///
/// The registry alone has that stack, and asking it moves no layer. A subscriber without one is told that they are left.
fn take_all(subscriber: &Dispatch) -> SmallVec<[Id; 4]> {
    let mut taken = SmallVec::new();
    let registry = subscriber.downcast_ref::<Registry>();
    while taken.len() < MOST {
        let current = registry.map_or_else(|| subscriber.current_span(), Registry::current_span);
        let Some(id) = current.id().cloned() else { break };
        match registry {
            Some(registry) => {
                registry.clone_span(&id);
                registry.exit(&id);
            }
            None => subscriber.exit(&id),
        }
        taken.push(id);
    }
    taken
}

/// Puts a span that was taken off the stack on top of it.
fn put(subscriber: &Dispatch, id: &Id) {
    match subscriber.downcast_ref::<Registry>() {
        Some(registry) => {
            registry.enter(id);
            subscriber.try_close(id.clone());
        }
        None => subscriber.enter(id),
    }
}
