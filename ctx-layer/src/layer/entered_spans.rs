//! The registry's stack of the spans that are entered on a thread.

use smallvec::SmallVec;
use tracing_core::{Subscriber, span::Id};
use tracing_subscriber::Registry;

/// Limits how many spans are taken off: more than are ever nested.
const MOST: usize = 1024;

/// Takes all spans off a thread's stack, the innermost first.
pub(crate) fn take_all(registry: &Registry) -> SmallVec<[Id; 4]> {
    let mut taken = SmallVec::new();
    while taken.len() < MOST {
        let Some(id) = registry.current_span().id().cloned() else { break };
        registry.clone_span(&id);
        registry.exit(&id);
        taken.push(id);
    }
    taken
}

/// Puts a span back on top of the stack after it was taken off. `close` drops a reference to a span.
pub(crate) fn put(registry: &Registry, id: &Id, close: impl FnOnce(Id) -> bool) {
    registry.enter(id);
    close(id.clone());
}

/// Reorders the spans on the stack as `entered` lists them, the outermost first. Other spans go below.
pub(super) fn reorder(registry: &Registry, entered: impl Iterator<Item = Id>, close: impl Fn(Id) -> bool) {
    let mut taken = take_all(registry);
    let mut ordered: SmallVec<[Id; 4]> = SmallVec::new();
    for id in entered {
        if let Some(at) = taken.iter().position(|taken| *taken == id) {
            ordered.push(taken.remove(at));
        }
    }
    for id in taken.iter().rev().chain(&ordered) {
        put(registry, id, &close);
    }
}
