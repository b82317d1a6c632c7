//! Leaving the spans that are entered, for a time.

use smallvec::SmallVec;
use tracing::{Dispatch, Id, dispatcher};

/// The spans that were left, to be entered again when this is dropped.
pub(super) struct Left {
    subscriber: Dispatch,
    /// The innermost first.
    spans: SmallVec<[Id; 4]>,
}

/// More spans than anybody has inside each other; a subscriber that ignores that a span is left would be asked for ever.
const MOST: usize = 1024;

/// Leaves all spans that are entered on this thread, those of its default subscriber. `None` where there are none.
///
/// There is no other way: a subscriber takes the span entered last for the current one.
pub(super) fn leave_all() -> Option<Left> {
    if !dispatcher::get_default(|subscriber| subscriber.current_span().id().is_some()) {
        return None;
    }
    // Out of `get_default`, under which nothing that a layer logs would be seen.
    let subscriber = dispatcher::get_default(Dispatch::clone);
    let mut left = Left { subscriber, spans: SmallVec::new() };
    while left.spans.len() < MOST {
        let Some(id) = left.subscriber.current_span().id().cloned() else { break };
        left.subscriber.exit(&id);
        left.spans.push(id);
    }
    Some(left)
}

impl Drop for Left {
    fn drop(&mut self) {
        for id in self.spans.drain(..).rev() {
            self.subscriber.enter(&id);
        }
    }
}
