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
    Span,
    field::Value,
    span::{Entered, Id},
};

use super::{
    failure::{ErrorForm, Failed},
    repeated,
    site::{Sites, Values},
    status,
};
use crate::panic::{Panicked, Payload, caught};

/// A call of an annotated function, from its first argument to what it comes to.
#[derive(Debug)]
pub struct Call {
    sites: &'static Sites,
    /// [`finish`] drops it.
    span: ManuallyDrop<Span>,
    clock: Clock,
    /// [`WATCHED`], [`HAS_SPAN`], [`NOTING`] and [`ENDED`]: together, so that a call without any of them is dropped after
    /// one look. Atomic only so that futures stay `Sync`.
    state: AtomicU8,
}

/// Somebody wants to know how it ends.
const WATCHED: u8 = 1;

/// There is a span to be dropped.
const HAS_SPAN: u8 = 2;

/// There is an error of it to note once the span is left.
const NOTING: u8 = 4;

/// It came to its end, as a future or stream does.
const ENDED: u8 = 8;

impl Call {
    /// A call with a span, made from these values. Ask [`is_on`](super::Site::is_on) first.
    ///
    /// The span is made where it stays: moved at once, it is read in larger pieces than it was written in, which takes
    /// 4 ns. That is why both ways end in a call of their own, and are not put together.
    pub fn open(sites: &'static Sites, values: &Values<'_>) -> Self {
        sites.span.with_values(values, |values| match sites.span.logged(values) {
            // A disabled one.
            Some(span) => Call::with(sites, span, HAS_SPAN),
            None => Call::with(sites, Span::new(sites.span.metadata(), values), WATCHED | HAS_SPAN),
        })
    }

    /// The same with this parent, or none.
    pub fn open_under(sites: &'static Sites, parent: impl Into<Option<Id>>, values: &Values<'_>) -> Self {
        sites.span.with_values(values, |values| match sites.span.logged(values) {
            // A disabled one.
            Some(span) => Call::with(sites, span, HAS_SPAN),
            None => Call::with(sites, Span::child_of(parent, sites.span.metadata(), values), WATCHED | HAS_SPAN),
        })
    }

    /// A call whose span nobody wants.
    // Apart, for the reason that `future` begins with.
    #[inline(never)]
    pub const fn without_span(sites: &'static Sites) -> Self {
        Call::with(sites, Span::none(), 0)
    }

    #[inline]
    const fn with(sites: &'static Sites, span: Span, state: u8) -> Self {
        Call { sites, span: ManuallyDrop::new(span), clock: Clock::STOPPED, state: AtomicU8::new(state) }
    }

    /// Measures its time from here.
    #[inline]
    pub fn start_clock(&mut self) {
        self.clock = Clock::start();
        *self.state.get_mut() |= WATCHED;
    }

    pub(super) fn sites(&self) -> &'static Sites {
        self.sites
    }

    /// Its span.
    #[inline]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Enters its span, until the guard is dropped.
    #[inline]
    pub fn enter(&self) -> Entered<'_> {
        self.span.enter()
    }

    /// Logs that it was made, inside its span.
    pub fn called(&self, values: &Values<'_>) {
        let _inside = self.enter();
        self.sites.called.emit(values);
    }

    /// Whether anybody wants to know how it ends.
    #[inline]
    pub fn is_watched(&self) -> bool {
        self.state.load(Relaxed) & WATCHED != 0
    }

    /// Whether its result is to be logged.
    #[inline]
    pub fn is_timed(&self) -> bool {
        self.clock.is_running()
    }

    /// Runs the function's body. A panic is recorded and goes on.
    #[inline]
    pub fn run<R>(&self, body: impl FnOnce() -> R) -> R {
        if self.span.is_disabled() { body() } else { self.run_guarded(body) }
    }

    // Apart: inlined beside the plain call of the body, LLVM has made a thousand instructions of both results' bits
    // (rustc 1.95). Not behind a `dyn` either: then what is returned goes through memory, which takes 4 ns.
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

    /// It ended well, which nobody asked to have logged.
    #[inline]
    pub fn succeeded(&self) {
        if !self.span.is_disabled() {
            status::ok(&self.span);
        }
    }

    /// It ended well, with this value.
    pub fn returned(&self, value: &dyn Value) {
        self.returned_after(value, None);
    }

    pub(super) fn returned_after(&self, value: &dyn Value, busy: Option<Duration>) {
        self.succeeded();
        let site = &self.sites.returned;
        if site.is_full() {
            // The clock runs where the event was wanted at the call.
            if self.clock.is_running() {
                self.emit(site, "returned", Some(value), busy);
            }
        } else if !site.is_empty() && site.is_on(site.level()) {
            site.emit(&[Some(value)]);
        }
    }

    /// It failed. The event is logged unless a call inside of this one did so.
    #[cold]
    pub fn failed(&self, failed: &dyn Failed, log: Log<'_>) {
        self.failed_after(failed, log, None);
    }

    pub(super) fn failed_after(&self, failed: &dyn Failed, log: Log<'_>, busy: Option<Duration>) {
        let is_logged = !matches!(log, Log::Never) && self.sites.failed.is_on(self.sites.failed.level());
        if self.span.is_disabled() && !is_logged {
            return;
        }
        let text = failed.text();
        // Without a span of its own it cannot tell what was inside of it from what went before.
        let is_noted = !self.span.is_disabled() && repeated::is_noted(failed, &text);
        status::error(&self.span, &text);
        if is_logged {
            match log {
                Log::Never => {}
                Log::Once(_) if is_noted => {}
                Log::Once(Some(value)) | Log::Always(Some(value)) => self.emit_failure("failed", value, busy),
                Log::Once(None) | Log::Always(None) => {
                    failed.with_value(&mut |value| self.emit_failure("failed", value, busy));
                }
            }
        }
        // Passed on where nothing was logged, too: somebody inside did.
        if is_logged || is_noted {
            self.will_note(text);
        }
    }

    fn emit_failure(&self, message: &str, value: &dyn Value, busy: Option<Duration>) {
        let site = &self.sites.failed;
        if site.is_full() {
            self.emit(site, message, Some(value), busy);
        } else {
            site.emit(&[Some(value)]);
        }
    }

    fn emit(&self, site: &'static super::Site, message: &str, value: Option<&dyn Value>, busy: Option<Duration>) {
        let elapsed = self.clock.elapsed().map(milliseconds);
        let busy = busy.map(milliseconds);
        site.emit(&[Some(&message), value, Some(&elapsed), Some(&busy)]);
    }

    /// It panicked: that is recorded, and goes on.
    #[cold]
    pub(super) fn panicked(&self, payload: Payload, busy: Option<Duration>) -> ! {
        let panicked = Panicked::with(&payload);
        let failed = ErrorForm(&panicked);
        let text = failed.text();
        let site = &self.sites.failed;
        let is_noted = repeated::is_noted(&failed, &text);
        if !is_noted {
            // An event whose error is an exception to the OpenTelemetry layer.
            if site.is_full() && site.is_on(site.level()) {
                failed.with_value(&mut |value| self.emit_failure("panicked", value, busy));
            } else {
                status::exception(&self.span, &text);
            }
        }
        status::error(&self.span, &text);
        self.will_note(text);
        resume_unwind(payload)
    }

    /// It was dropped before it came to an end.
    #[cold]
    pub(super) fn cancelled(&self, busy: Option<Duration>) {
        status::cancelled(&self.span);
        let site = &self.sites.returned;
        if self.clock.is_running() && site.is_full() {
            self.emit(site, "cancelled", None, busy);
        }
    }

    /// Its span was left for good.
    #[inline]
    pub(super) fn left(&self) {
        let state = self.state.load(Relaxed);
        if state & NOTING != 0 {
            self.state.store(state & !NOTING, Relaxed);
            repeated::note();
        }
    }

    fn will_note(&self, text: String) {
        repeated::will_note(text);
        self.state.fetch_or(NOTING, Relaxed);
    }

    /// Whether it came to its end.
    #[inline]
    pub(super) fn has_ended(&self) -> bool {
        self.state.load(Relaxed) & ENDED != 0
    }

    /// It came to its end.
    #[inline]
    pub(super) fn end(&self) {
        self.state.store(self.state.load(Relaxed) | ENDED, Relaxed);
    }
}

impl Drop for Call {
    #[inline]
    fn drop(&mut self) {
        if *self.state.get_mut() != 0 {
            finish(self);
        }
    }
}

// Apart, for the reason that `future` begins with.
#[inline(never)]
fn finish(call: &mut Call) {
    call.left();
    *call.span = Span::none();
}

/// Which function logs an error that passes through several, and what stands on the event where that is not the error's
/// best form.
pub enum Log<'a> {
    /// Not this one.
    Never,
    /// The first.
    Once(Option<&'a dyn Value>),
    /// Each.
    Always(Option<&'a dyn Value>),
}

/// The time since a call began, in eight bytes: nanoseconds since the first call of all, plus one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(u64);

impl Clock {
    pub(super) const STOPPED: Self = Clock(0);

    fn start() -> Self {
        Clock(Self::now().saturating_add(1))
    }

    /// Nanoseconds since the first call of all.
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
