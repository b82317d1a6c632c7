//! The parent of a span or event, and how outputs learn what it remembers.
//!
//! Only the subscriber over the whole stack knows what spans remember. A layer could find it through its dispatcher, but
//! `tracing-subscriber` does not give the dispatcher to every layer (not to those in an `Option` or a `Vec`, nor to those added
//! by `reload`). So the subscriber stores it for this thread, while it passes on a span or event with an explicit parent.

use std::cell::RefCell;

use tracing_core::{
    Event,
    span::{Attributes, Id},
};

use crate::context::Remembered;

/// The kind of parent that a span or event has.
#[derive(Clone, Copy)]
pub(crate) enum Parentage<'a> {
    /// The current span, if there is one.
    Contextual,
    /// No parent, though there may be a current span.
    Root,
    /// A given span.
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

/// Calls `f` with [`elsewhere`] set to what the explicit parent remembers, if that is not current.
#[cold]
pub(super) fn with_elsewhere<R>(elsewhere: Option<Remembered>, f: impl FnOnce() -> R) -> R {
    let _restore = RestoreElsewhere(replace(elsewhere));
    f()
}

/// Returns what the explicit parent of the span or event that is being passed on remembers, if that is not current.
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
