//! The parent of a span or event, and what the outputs are told of it.
//!
//! Only the subscriber over the whole stack knows what spans remember. A layer could find it through its dispatcher, but
//! `tracing-subscriber` does not tell every layer which that is (not those in an `Option` or a `Vec`, nor those put in by
//! `reload`). So the subscriber says it on this thread, while it passes on something with an explicit parent.

use std::cell::RefCell;

use tracing_core::{
    Event,
    span::{Attributes, Id},
};

use crate::context::Remembered;

/// The three kinds of parent that a span or event can have.
#[derive(Clone, Copy)]
pub(crate) enum Parentage<'a> {
    /// The current span, if there is one.
    Contextual,
    /// None, though there may be a current span.
    Root,
    /// A span that was named.
    Explicit(&'a Id),
}

impl<'a> Parentage<'a> {
    #[inline]
    pub(crate) fn of_event(event: &'a Event<'_>) -> Self {
        if event.is_contextual() {
            return Parentage::Contextual;
        }
        event.parent().map_or(Parentage::Root, Parentage::Explicit)
    }

    #[inline]
    pub(super) fn of_span(attributes: &'a Attributes<'_>) -> Self {
        if attributes.is_contextual() {
            return Parentage::Contextual;
        }
        attributes.parent().map_or(Parentage::Root, Parentage::Explicit)
    }
}

thread_local! {
    static ELSEWHERE: RefCell<Option<Remembered>> = const { RefCell::new(None) };
}

/// Calls `f`; meanwhile [`elsewhere`] is what the explicit parent remembers, where that is not in force.
#[cold]
pub(super) fn with_elsewhere<R>(elsewhere: Option<Remembered>, f: impl FnOnce() -> R) -> R {
    let _restore = RestoreElsewhere(replace(elsewhere));
    f()
}

/// What the explicit parent of the span or event that is being passed on remembers, where that is not in force.
pub(crate) fn elsewhere() -> Option<Remembered> {
    ELSEWHERE.try_with(|elsewhere| elsewhere.borrow().clone()).ok().flatten()
}

struct RestoreElsewhere(Option<Remembered>);

impl Drop for RestoreElsewhere {
    fn drop(&mut self) {
        drop(replace(self.0.take()));
    }
}

fn replace(elsewhere: Option<Remembered>) -> Option<Remembered> {
    ELSEWHERE.try_with(|current| current.replace(elsewhere)).ok().flatten()
}
