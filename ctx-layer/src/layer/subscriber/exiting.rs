//! Exiting a span that was not entered last.

use tracing_core::{Subscriber, span::Id};

use super::context_subscriber::ContextSubscriber;
use crate::{
    context::{
        FrameId,
        frame_stack::{self, Leaving, Left},
    },
    layer::entered_spans,
};

impl<S: Subscriber> ContextSubscriber<S> {
    /// Exits a span whose frame is not on top, or holds something.
    #[inline(never)]
    pub(super) fn exit_otherwise(&self, span: &Id, guard: Option<FrameId>, is_kept: bool) {
        let key = self.core.span_key(span);
        let left = frame_stack::leaving(key, guard);
        let is_entered_again = matches!(left, Left::Here { is_entered_again: true });
        if guard.is_none() && !is_kept {
            frame_stack::note_lost(key, || self.core.remembered(span));
        }
        let frame = match guard {
            None => Some(Leaving::new(key)),
            // A layer may exit another entering of the span than the one of the guard, and take away the context of what is above.
            Some(frame) if is_entered_again || frame_stack::is_below_another(frame) => Some(Leaving::of_guard()),
            Some(_) => None,
        };
        if left != Left::TakenOver && !is_kept {
            self.inner.exit(span);
        }
        drop(frame);
        if !is_kept {
            self.left_otherwise(span, left);
        }
    }

    /// Restores the registry's stack after exiting a span that is entered again, or that was hidden.
    #[inline]
    pub(super) fn left_otherwise(&self, span: &Id, left: Left) {
        let (Left::Here { is_entered_again } | Left::Hidden { is_entered_again }) = left else { return };
        let is_hidden = matches!(left, Left::Hidden { .. });
        if is_entered_again {
            if let Some(registry) = self.registry().filter(|_| is_hidden) {
                // The registry removed an entering that is not over.
                registry.enter(span);
            }
            self.reorder();
        }
        if is_hidden {
            // It was taken off the registry's stack when it was hidden, and will not be put back.
            self.try_close(span.clone());
        }
    }

    /// Reorders the registry's stack of entered spans like the frames. For a span that is entered twice, the registry removes the
    /// last entering.
    #[cold]
    pub(super) fn reorder(&self) {
        if let Some(registry) = self.registry() {
            let entered = frame_stack::entered_spans(self.core.key());
            let entered = entered.into_iter().map(Id::from_u64).filter(|id| !self.core.kept.contain(id));
            entered_spans::reorder(registry, entered, |id| self.try_close(id));
        }
    }
}
