//! A call in progress.

use std::{
    mem::ManuallyDrop,
    panic::resume_unwind,
    sync::{
        LazyLock,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tracing::{
    Level, Span,
    field::Value,
    span::{Entered, Id},
};

use super::{
    failure::{ErrorForm, Failed},
    repeated::{self, Note, Notes},
    sites::Sites,
};
use crate::{
    layer::opentelemetry_layer,
    panic::{Panicked, Payload, caught},
    site::{Site, Values},
};

/// A call of an annotated function, from its first argument to its result.
#[derive(Debug)]
pub struct ObservedCall {
    sites: &'static Sites,
    /// Dropped by [`close`].
    span: ManuallyDrop<Span>,
    clock: Clock,
    /// The bits [`WATCHED`], [`HAS_SPAN`] and [`ENDED`], in one field, so that a call without any of them is dropped after one
    /// check. Atomic only so that futures stay `Sync`.
    state: AtomicU8,
}

/// An output may need to know how the call ends.
const WATCHED: u8 = 1;

/// The call has a span to drop.
const HAS_SPAN: u8 = 2;

/// The call has ended.
const ENDED: u8 = 4;

impl ObservedCall {
    /// Opens a call with a span of these values, if that is enabled. Check [`may_be_on`](Site::may_be_on) first.
    ///
    /// The values are evaluated before the subscriber is asked: their expressions may be the user's code, which may log.
    ///
    /// The span is constructed in place: moving it at once reads it in larger pieces than it was written in, which takes 4 ns.
    /// That is why both branches end in their own call.
    pub fn open(sites: &'static Sites, values: &Values<'_>) -> Self {
        sites.span.with_values(values, |values| {
            if sites.span.is_enabled() {
                ObservedCall::with(sites, Span::new(sites.span.metadata(), values), WATCHED | HAS_SPAN)
            } else {
                ObservedCall::with(sites, sites.span.disabled(values), HAS_SPAN)
            }
        })
    }

    /// Opens a call with a span of these values under the given parent, or as a root.
    pub fn open_under(sites: &'static Sites, parent: impl Into<Option<Id>>, values: &Values<'_>) -> Self {
        let parent = parent.into();
        sites.span.with_values(values, |values| {
            if sites.span.is_enabled() {
                ObservedCall::with(sites, Span::child_of(parent, sites.span.metadata(), values), WATCHED | HAS_SPAN)
            } else {
                ObservedCall::with(sites, sites.span.disabled(values), HAS_SPAN)
            }
        })
    }

    /// Opens a call whose span no output enables. The span still carries fields if the stack has a layer of this crate.
    // Not inlined: see `observed_future`.
    #[inline(never)]
    pub fn without_span(sites: &'static Sites) -> Self {
        if !sites.span.is_kept_only() {
            return ObservedCall::with(sites, Span::none(), 0);
        }
        // Without values, because no output reads them.
        let metadata = sites.span.metadata();
        ObservedCall::with(sites, Span::new(metadata, &metadata.fields().value_set(&[])), HAS_SPAN)
    }

    #[inline]
    const fn with(sites: &'static Sites, span: Span, state: u8) -> Self {
        ObservedCall { sites, span: ManuallyDrop::new(span), clock: Clock::STOPPED, state: AtomicU8::new(state) }
    }

    /// Starts measuring the call's time.
    #[inline]
    pub fn start_clock(&mut self) {
        self.clock = Clock::start();
        *self.state.get_mut() |= WATCHED;
    }

    pub(super) fn sites(&self) -> &'static Sites {
        self.sites
    }

    /// Returns the call's span.
    #[inline]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Returns `true` if the call's span is enabled.
    #[inline]
    pub fn has_span(&self) -> bool {
        !self.span.is_disabled()
    }

    /// Enters the call's span until the guard is dropped.
    #[inline]
    pub fn enter(&self) -> Inside<'_> {
        let entered = self.span.enter();
        let outer = if self.has_span() { repeated::enter(self.address()) } else { 0 };
        Inside { _entered: entered, call: self, outer }
    }

    /// Returns the address that identifies the call on this thread while it is entered.
    #[inline]
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Returns the call's address if it has a span: without one it is not entered, and calls inside it are not tracked.
    fn known(&self) -> Option<usize> {
        self.has_span().then(|| self.address())
    }

    /// Takes the notes of errors that were logged inside the call.
    #[inline]
    pub(super) fn take_notes(&self) -> Option<Box<Notes>> {
        if self.has_span() { repeated::take(self.address()) } else { None }
    }

    #[cold]
    pub(super) fn put_back(&self, notes: Notes) {
        repeated::put_back(notes, self.address());
    }

    /// Returns `true` if an output may need to know how the call ends.
    #[inline]
    pub fn is_watched(&self) -> bool {
        self.state.load(Relaxed) & WATCHED != 0
    }

    #[inline]
    pub(super) fn is_timed(&self) -> bool {
        self.clock.is_running()
    }

    /// Returns `true` if the call's result may be logged. `level` is that of the event.
    #[inline(always)]
    pub fn may_log_result(&self, level: Level) -> bool {
        self.sites.returned.may_be_on(level)
    }

    /// Runs the function's body. A panic is recorded and resumed.
    #[inline]
    pub fn run<R>(&self, body: impl FnOnce() -> R) -> R {
        if self.span.is_disabled() { body() } else { self.run_guarded(body) }
    }

    // Not inlined: beside the plain call of the body, LLVM has generated a thousand instructions for both results' bits
    // (rustc 1.95). Not a `dyn` either: the result would go through memory, which takes 4 ns.
    #[inline(never)]
    fn run_guarded<R>(&self, body: impl FnOnce() -> R) -> R {
        let mut body = Some(body);
        let mut returned = None;
        let outcome = caught(&mut || returned = body.take().map(|body| body()));
        match (outcome, returned) {
            (Ok(()), Some(returned)) => returned,
            (Err(payload), _) => self.panicked(payload, None),
            (Ok(()), None) => unreachable!("the body was there, and it returned"),
        }
    }

    /// Sets the status to OK, without an event.
    #[inline]
    pub fn succeeded(&self) {
        if self.has_span() {
            opentelemetry_layer::set_ok(&self.span);
        }
    }

    /// Sets the status to OK, and logs this value.
    pub fn returned(&self, value: &dyn Value) {
        self.returned_after(value, None);
    }

    pub(super) fn returned_after(&self, value: &dyn Value, busy: Option<Duration>) {
        self.succeeded();
        let site = &self.sites.returned;
        if site.is_full() {
            self.emit(site, "returned", Some(value), busy);
        } else if !site.is_empty() && site.may_be_on(site.level()) {
            site.emit(&[Some(value)]);
        }
    }

    /// Sets the status to ERROR, and logs the error, unless a call inside this one logged the same error for every output.
    #[cold]
    pub fn failed(&self, failed: &dyn Failed, log: Log<'_>) {
        self.failed_after(failed, log, None);
    }

    pub(super) fn failed_after(&self, failed: &dyn Failed, log: Log<'_>, busy: Option<Duration>) {
        let site = &self.sites.failed;
        let may_log = !matches!(log, Log::Never) && site.may_be_on(site.level());
        if !self.has_span() && !may_log {
            return;
        }
        // Before the subscriber is asked: `Display` may log.
        let text = failed.text();
        opentelemetry_layer::set_error(&self.span, &text);
        let noted = self.noted(failed, &text);
        let is_logged = may_log
            && match log {
                Log::Never => false,
                Log::Once(_) if noted.as_ref().is_some_and(|note| note.replaces(site.level())) => false,
                Log::Once(Some(value)) | Log::Always(Some(value)) => self.emit_failure("failed", value, busy),
                Log::Once(None) | Log::Always(None) => {
                    let mut is_logged = false;
                    failed.with_value(&mut |value| is_logged = self.emit_failure("failed", value, busy));
                    is_logged
                }
            };
        self.note(is_logged, noted, text);
    }

    /// Returns the note of this error if it was logged inside the call.
    fn noted(&self, failed: &dyn Failed, text: &str) -> Option<Note> {
        repeated::noted(self.known()?, failed, text)
    }

    /// Stores a note for the call around this one: the error was logged here, or inside.
    fn note(&self, is_logged: bool, noted: Option<Note>, text: String) {
        if !repeated::is_kept(self.known()) {
            return;
        }
        let note =
            if is_logged { Some(Note::of(&self.sites.failed, text)) } else { noted.map(|noted| noted.with_text(text)) };
        if let Some(note) = note {
            repeated::keep(note, self.known());
        }
    }

    fn emit_failure(&self, message: &str, value: &dyn Value, busy: Option<Duration>) -> bool {
        let site = &self.sites.failed;
        if site.is_full() { self.emit(site, message, Some(value), busy) } else { site.emit(&[Some(value)]) }
    }

    fn emit(&self, site: &'static Site, message: &str, value: Option<&dyn Value>, busy: Option<Duration>) -> bool {
        let elapsed = self.clock.elapsed().map(milliseconds);
        let busy = busy.map(milliseconds);
        site.emit(&[Some(&message), value, Some(&elapsed), Some(&busy)])
    }

    /// Records a panic, and resumes it.
    #[cold]
    pub(super) fn panicked(&self, payload: Payload, busy: Option<Duration>) -> ! {
        self.record_panic(&Panicked::with(&payload), busy);
        resume_unwind(payload)
    }

    /// Records a panic until the guard is dropped, for a body that is not a closure. The panic's message is not known then.
    #[inline]
    pub fn watch_panics(&self) -> PanicWatch<'_> {
        PanicWatch(self)
    }

    fn record_panic(&self, panicked: &Panicked, busy: Option<Duration>) {
        let failed = ErrorForm(panicked);
        let text = failed.text();
        opentelemetry_layer::set_error(&self.span, &text);
        let site = &self.sites.failed;
        let noted = self.noted(&failed, &text);
        let may_log = site.is_full() && site.may_be_on(site.level());
        // The OpenTelemetry layer turns the error of this event into an exception.
        let is_logged = may_log
            && !noted.as_ref().is_some_and(|note| note.replaces(site.level()))
            && self.emit_failure("panicked", &failed.0, busy);
        if !is_logged && noted.is_none() {
            opentelemetry_layer::add_exception(&self.span, &text);
        }
        self.note(is_logged, noted, text);
    }

    /// Records that the call was dropped before it ended.
    #[cold]
    pub(super) fn cancelled(&self, busy: Option<Duration>) {
        opentelemetry_layer::set_cancelled(&self.span);
        let site = &self.sites.returned;
        if self.clock.is_running() && site.is_full() {
            self.emit(site, "cancelled", None, busy);
        }
    }

    /// Returns `true` if the call has ended.
    #[inline]
    pub(super) fn has_ended(&self) -> bool {
        self.state.load(Relaxed) & ENDED != 0
    }

    /// Marks the call as ended.
    #[inline]
    pub(super) fn end(&self) {
        self.state.store(self.state.load(Relaxed) | ENDED, Relaxed);
    }
}

impl Drop for ObservedCall {
    #[inline]
    fn drop(&mut self) {
        if *self.state.get_mut() != 0 {
            close(self);
        }
    }
}

/// A guard that records a panic if it is dropped by one.
#[must_use = "only a panic while it is alive is recorded"]
#[derive(Debug)]
pub struct PanicWatch<'a>(&'a ObservedCall);

impl PanicWatch<'_> {
    /// Ends the body without a panic.
    #[inline]
    pub fn end(self) {
        std::mem::forget(self);
    }
}

impl Drop for PanicWatch<'_> {
    #[cold]
    fn drop(&mut self) {
        if std::thread::panicking() && self.0.has_span() {
            // A second panic, by an output, would abort.
            drop(caught(&mut || self.0.record_panic(&Panicked::without_message(), None)));
        }
    }
}

// Not inlined: see `observed_future`.
#[inline(never)]
fn close(call: &mut ObservedCall) {
    *call.span = Span::none();
}

/// A guard that exits a call's span on drop.
#[must_use = "the span is exited at once"]
#[derive(Debug)]
pub struct Inside<'a> {
    _entered: Entered<'a>,
    call: &'a ObservedCall,
    /// The address of the call around it.
    outer: usize,
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.call.has_span() {
            repeated::leave(self.call.address(), self.outer);
        }
    }
}

/// Selects which function logs an error that passes through several, and the value to log if it is not the error's best form.
pub enum Log<'a> {
    /// Does not log it.
    Never,
    /// Logs it if no call inside has.
    Once(Option<&'a dyn Value>),
    /// Logs it in each function.
    Always(Option<&'a dyn Value>),
}

/// The start of a call, in eight bytes: nanoseconds since the first call of the process, plus one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(u64);

impl Clock {
    pub(super) const STOPPED: Self = Clock(0);

    fn start() -> Self {
        Clock(Self::now().saturating_add(1))
    }

    /// Returns the nanoseconds since the first call of the process.
    pub(super) fn now() -> u64 {
        static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
        nanoseconds(FIRST.elapsed())
    }

    #[inline]
    pub(super) fn is_running(self) -> bool {
        self.0 != 0
    }

    fn elapsed(self) -> Option<Duration> {
        let started = self.0.checked_sub(1)?;
        Some(Duration::from_nanos(Self::now().saturating_sub(started)))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn milliseconds(duration: Duration) -> f64 {
    nanoseconds(duration) as f64 / 1e6
}
