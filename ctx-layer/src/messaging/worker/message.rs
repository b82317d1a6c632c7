//! A message as a handler gets it.

use std::{fmt, ops::Deref, sync::Arc};

use opentelemetry::trace::{SpanContext, TraceContextExt};

use crate::{__private::Restorable, messaging::Cause, task::Snapshot};

/// A message as a handler of a [`Worker`](super::Worker) gets it. It dereferences to the delivery.
///
/// The handler runs in the message's context already. `#[propagate(from = message)]` restores the same one, with the span of the
/// message as parent; it matters where the handler is called elsewhere, too.
pub struct Message<D> {
    pub(super) delivery: Arc<D>,
    pub(super) snapshot: Snapshot,
    pub(super) message_id: Option<Box<str>>,
    pub(super) attempt: u32,
    pub(super) cause: Cause,
}

impl<D> Message<D> {
    /// Returns the message's context and span.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the message's id, if it has one.
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_deref()
    }

    /// Returns how often the message was sent or delivered to be handled, this time included: 1 for the first time.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns why the message was sent.
    pub fn cause(&self) -> Cause {
        self.cause
    }
}

impl<D> Deref for Message<D> {
    type Target = D;

    fn deref(&self) -> &D {
        &self.delivery
    }
}

impl<D> Clone for Message<D> {
    fn clone(&self) -> Self {
        Message {
            delivery: self.delivery.clone(),
            snapshot: self.snapshot.clone(),
            message_id: self.message_id.clone(),
            attempt: self.attempt,
            cause: self.cause,
        }
    }
}

impl<D> Restorable for Message<D> {
    fn to_snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }

    fn to_span(&self) -> Option<SpanContext> {
        Some(self.snapshot.context().span().span_context().clone()).filter(SpanContext::is_valid)
    }
}

impl<D> fmt::Debug for Message<D> {
    /// Hides the delivery, which may be sensitive.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("message_id", &self.message_id)
            .field("attempt", &self.attempt)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}
