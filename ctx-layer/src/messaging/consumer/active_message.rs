//! A message that is handled until the end of a block.

use std::{fmt, marker::PhantomData};

use tracing::span::EnteredSpan;

use super::processing::Processing;
use crate::{context::Scope, messaging::failure::Failure, panic::Panicked};

/// A guard that keeps a message's context current and its span entered on this thread, and restores what was current before on drop.
///
/// The guard must not be held across `.await`: use [`Processing::run`] there. Dropped by a panic, it records the panic.
#[must_use = "the message's context is current only until the guard is dropped: bind it, as in `let _message = ...`"]
pub struct ActiveMessage {
    // `None` while it is being dropped.
    entered: Option<EnteredSpan>,
    scope: Option<Scope>,
    processing: Processing,
    /// Contexts belong to a thread.
    _not_send: PhantomData<*const ()>,
}

impl Processing {
    /// Makes the context current and enters the span on this thread until the guard is dropped.
    pub(super) fn activate(self) -> ActiveMessage {
        ActiveMessage::new(self)
    }
}

impl ActiveMessage {
    pub(super) fn new(processing: Processing) -> Self {
        // Attached first: the span's own fields are current below it.
        let scope = Some(Scope::of_context(processing.context().clone()));
        let entered = Some(processing.span().clone().entered());
        ActiveMessage { entered, scope, processing, _not_send: PhantomData }
    }

    /// Records that handling the message failed. Without it, it succeeds.
    pub fn failed(&mut self, error: &impl fmt::Display) {
        self.processing.ended(Some(&Failure::of(error)));
    }

    /// Returns the message.
    pub fn message(&self) -> &Processing {
        &self.processing
    }
}

impl Drop for ActiveMessage {
    fn drop(&mut self) {
        self.entered = None;
        self.scope = None;
        if std::thread::panicking() {
            self.processing.ended(Some(&Failure::of_panic(&Panicked::without_message())));
        } else {
            self.processing.ended(None);
        }
    }
}

impl fmt::Debug for ActiveMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActiveMessage").field(&self.processing).finish()
    }
}
