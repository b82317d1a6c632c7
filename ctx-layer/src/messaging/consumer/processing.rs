//! A message that is being handled.

use std::{fmt, panic::resume_unwind, sync::Arc};

use opentelemetry::Context;
use tracing::{Span, error, record_all};

use super::settings::ConsumerSettings;
use crate::{
    Fields,
    context::ContextFieldsExt,
    messaging::{
        failure::Failure,
        metrics::{Clock, Measured},
        settlement::{Outcome, failure_of},
        trace_mode::Cause,
    },
    panic::{Panicked, Payload, caught_with},
    task::Snapshot,
};

/// A message that is being handled: its context, and its span, which ends when this is dropped.
///
/// Handle it in [`run`](Self::run), a future, or in [`in_scope`](Self::in_scope), a call. The message's context is current and its
/// span is entered there, and nowhere else: nothing of it stays for the next message, also after a panic.
#[must_use = "the span ends when this is dropped: handle the message in `run` or `in_scope`"]
pub struct Processing {
    pub(super) settings: Arc<ConsumerSettings>,
    pub(super) snapshot: Snapshot,
    message_id: Option<Box<str>>,
    attempt: u32,
    cause: Cause,
    clock: Clock,
    is_recorded: bool,
}

impl Processing {
    pub(super) fn new(
        settings: Arc<ConsumerSettings>,
        snapshot: Snapshot,
        message_id: Option<Box<str>>,
        attempt: u32,
        cause: Cause,
    ) -> Self {
        settings.metrics.consumed(1, &settings.handling());
        Processing { settings, snapshot, message_id, attempt, cause, clock: Clock::start(), is_recorded: false }
    }

    /// Calls the handler within the message's context and span, and records its outcome.
    ///
    /// # Panics
    /// Resumes a panic of the handler, which is logged and recorded as an error.
    pub fn in_scope<R: Outcome>(mut self, handle: impl FnOnce() -> R) -> R {
        match self.caught(handle) {
            Ok(result) => {
                self.ended(failure_of(&result).as_ref());
                result
            }
            Err(payload) => self.panicked(payload),
        }
    }

    /// Returns the message's context and span, for work that is handled elsewhere. The span is kept open until the snapshot is
    /// dropped.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the context of the message.
    pub fn context(&self) -> &Context {
        self.snapshot.context()
    }

    /// Returns the trusted fields.
    pub fn fields(&self) -> &Fields {
        self.context().fields()
    }

    /// Returns the span. It is disabled if no output wants it.
    pub fn span(&self) -> &Span {
        static NONE: Span = Span::none();
        self.snapshot.span().unwrap_or(&NONE)
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

    /// Calls `f` within the context and the span, and catches a panic.
    pub(in crate::messaging) fn caught<R>(&mut self, f: impl FnOnce() -> R) -> Result<R, Payload> {
        self.snapshot.update();
        let _inside = self.snapshot.enter();
        caught_with(f)
    }

    /// Records the outcome.
    pub(in crate::messaging) fn ended(&mut self, failure: Option<&Failure>) {
        if std::mem::replace(&mut self.is_recorded, true) {
            return;
        }
        if let Some(failure) = failure {
            failure.record_on(self.span());
        }
        let measured = Measured { error: failure.map(|failure| failure.kind), ..self.settings.handling() };
        self.settings.metrics.processing(&self.clock, &measured);
    }

    /// Records a panic, and logs it within the message's context.
    #[cold]
    pub(in crate::messaging) fn record_panic(&mut self, payload: &Payload) {
        let panicked = Panicked::with(payload);
        {
            let _inside = self.snapshot.enter();
            // The OpenTelemetry layer exports this as an exception.
            error!(error = &panicked as &(dyn std::error::Error + 'static), "panicked");
        }
        self.ended(Some(&Failure::of_panic(&panicked)));
    }

    #[cold]
    pub(super) fn panicked(&mut self, payload: Payload) -> ! {
        self.record_panic(&payload);
        resume_unwind(payload)
    }

    /// Records that the handler was dropped before its end. That is no error, and no duration is recorded.
    #[cold]
    pub(super) fn cancelled(&mut self) {
        if !std::mem::replace(&mut self.is_recorded, true) {
            record_all!(self.span(), cancelled = true);
        }
    }
}

impl fmt::Debug for Processing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processing")
            .field("message_id", &self.message_id)
            .field("attempt", &self.attempt)
            .field("cause", &self.cause)
            .field("span", self.span())
            .field("fields", self.fields())
            .finish_non_exhaustive()
    }
}
