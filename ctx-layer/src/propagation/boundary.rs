//! Where context crosses: counting what came, what did not, and what was dropped.

use std::{
    fmt,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use opentelemetry::Context;
use tracing::{Level, debug, warn};

use super::{
    Carrier, CarrierMut, Extracted, Outbound, Trust,
    dropped::{Dropped, Invalid},
    inbound, outgoing,
};
use crate::context::read;

/// A boundary logs one kind of problem once in that time.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// A place where context crosses into or out of the process: a server, a queue, a client. It counts what happens there.
///
/// Made once, as a `static`. What is extracted and injected without naming one is counted under
/// [`Boundary::unnamed`].
///
/// ```
/// use std::collections::HashMap;
/// use ctx_layer::propagation::{Boundary, Trust};
///
/// static ORDERS: Boundary = Boundary::new("orders");
///
/// let message: HashMap<String, String> = HashMap::new();
/// ORDERS.extract(&message, Trust::internal());
/// // Alert on this: work of one's own services that belongs to no trace.
/// assert_eq!(ORDERS.counts().orphaned(), 1);
/// ```
pub struct Boundary {
    name: &'static str,
    counts: [AtomicU64; Count::ALL],
    /// For each kind of problem and cause: when it may be logged again, in milliseconds since the first time. Apart, so
    /// that external callers cannot silence a warning.
    quiet_until: [[AtomicU64; Count::ALL]; Cause::ALL],
    /// And how often it was not logged.
    kept_quiet: [[AtomicU64; Count::ALL]; Cause::ALL],
    is_known: AtomicBool,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Continued,
    Linked,
    Missing,
    Invalid,
    Dropped,
    OverLimit,
    Injected,
    WithoutTrace,
}

impl Count {
    const ALL: usize = 8;
}

/// Who causes a problem, and so at which level it is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// This program, or an internal caller: someone has to know, so it is a warning.
    Program,
    /// An external caller, who must not decide what is in the log: DEBUG.
    External,
}

impl Cause {
    const ALL: usize = 2;

    pub(super) fn of(trust: Trust) -> Self {
        if trust.is_internal() { Cause::Program } else { Cause::External }
    }
}

/// The boundaries at which something was counted.
static KNOWN: Mutex<Vec<&'static Boundary>> = Mutex::new(Vec::new());

static UNNAMED: Boundary = Boundary::new("unnamed");
static ENVIRONMENT: Boundary = Boundary::new("environment");
static CAPTURED: Boundary = Boundary::new("captured");
static PROPAGATOR: Boundary = Boundary::new("propagator");

impl Boundary {
    /// The one under which is counted what names none.
    pub const fn unnamed() -> &'static Boundary {
        &UNNAMED
    }

    /// The process environment.
    pub const fn environment() -> &'static Boundary {
        &ENVIRONMENT
    }

    /// What was captured, and is restored.
    pub const fn captured() -> &'static Boundary {
        &CAPTURED
    }

    /// A [`ContextPropagator`](super::ContextPropagator) that names none.
    pub const fn propagator() -> &'static Boundary {
        &PROPAGATOR
    }

    /// A boundary with a name, such as `"http.server"`.
    pub const fn new(name: &'static str) -> Self {
        Boundary {
            name,
            counts: [const { AtomicU64::new(0) }; Count::ALL],
            quiet_until: [const { [const { AtomicU64::new(0) }; Count::ALL] }; Cause::ALL],
            kept_quiet: [const { [const { AtomicU64::new(0) }; Count::ALL] }; Cause::ALL],
            is_known: AtomicBool::new(false),
        }
    }

    /// The boundary's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Reads context from a carrier; see [`extract`](super::extract).
    pub fn extract(&'static self, carrier: &(impl Carrier + ?Sized), trust: Trust) -> Extracted {
        inbound::extract(carrier, trust, self)
    }

    /// The same for who sets more fields before a context is made of it.
    #[cfg(feature = "http-server")]
    pub(crate) fn read(&'static self, carrier: &(impl Carrier + ?Sized), trust: Trust) -> inbound::Incoming {
        inbound::read(carrier, trust, self)
    }

    /// Writes the context in force to a carrier; see [`inject`](super::inject).
    pub fn inject(&'static self, carrier: &mut (impl CarrierMut + ?Sized), outbound: Outbound) {
        // Not under the borrow of the current context: carriers are foreign code. Where it must not be read there is nothing
        // to send, and what the carrier has of another request goes.
        let cx = read(Context::clone).unwrap_or_default();
        outgoing::inject(&cx, carrier, outbound, &outgoing::DEFAULTS, self);
    }

    /// What was counted until now.
    pub fn counts(&self) -> Counts {
        let of = |count: Count| self.counts[count as usize].load(Ordering::Relaxed);
        Counts {
            continued: of(Count::Continued),
            linked: of(Count::Linked),
            missing: of(Count::Missing),
            invalid: of(Count::Invalid),
            dropped: of(Count::Dropped),
            over_limit: of(Count::OverLimit),
            injected: of(Count::Injected),
            without_trace: of(Count::WithoutTrace),
        }
    }

    #[inline]
    pub(super) fn count(&'static self, count: Count) {
        self.counts[count as usize].fetch_add(1, Ordering::Relaxed);
        if !self.is_known.load(Ordering::Relaxed) {
            self.make_known();
        }
    }

    #[cold]
    fn make_known(&'static self) {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_known.swap(true, Ordering::Relaxed) {
            known.push(self);
        }
    }

    /// Counts that there was no trace context, which is only worth a word where there should have been.
    #[cold]
    pub(super) fn missing(&'static self, trust: Trust) {
        self.count(Count::Missing);
        if trust.is_internal() {
            self.say(Count::Missing, Cause::Program, &"there is no traceparent, though the caller is one of our own");
        }
    }

    #[cold]
    pub(super) fn invalid(&'static self, why: Invalid, cause: Cause) {
        self.count(Count::Invalid);
        self.say(Count::Invalid, cause, &format_args!("the traceparent is not valid: {why}"));
    }

    #[cold]
    pub(super) fn dropped(&'static self, dropped: &Dropped, cause: Cause) {
        let count = if dropped.reason().is_limit() { Count::OverLimit } else { Count::Dropped };
        self.count(count);
        self.say(count, cause, dropped);
    }

    /// Counts a header that was refused, and logs each at DEBUG: a look there shows why a value is missing.
    #[cfg(feature = "http-server")]
    #[cold]
    pub(crate) fn refused(&'static self, header: &Dropped) {
        self.count(Count::Dropped);
        debug!(boundary = self.name, reason = %header, "a header was refused");
    }

    /// Says what the matter is, but not more often than once a minute.
    fn say(&'static self, kind: Count, cause: Cause, reason: &dyn fmt::Display) {
        static START: OnceLock<Instant> = OnceLock::new();
        if cause == Cause::External && !tracing::enabled!(Level::DEBUG) {
            return;
        }
        let now = u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX);
        let quiet_until = &self.quiet_until[cause as usize][kind as usize];
        let kept_quiet = &self.kept_quiet[cause as usize][kind as usize];
        let until = quiet_until.load(Ordering::Relaxed);
        // One more than now: it may be logged for the first time in the first millisecond.
        let next = now + 1 + SAY_EVERY.as_millis() as u64;
        let is_due =
            until <= now && quiet_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !is_due {
            kept_quiet.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let kept_quiet = kept_quiet.swap(0, Ordering::Relaxed);
        match cause {
            Cause::Program => {
                warn!(boundary = self.name, %reason, kept_quiet, "context did not cross the boundary whole");
            }
            Cause::External => {
                debug!(boundary = self.name, %reason, kept_quiet, "context of an external caller was refused");
            }
        }
    }
}

impl fmt::Debug for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Boundary").field("name", &self.name).field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// All boundaries at which something was counted.
pub fn boundaries() -> Vec<&'static Boundary> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// What was counted at a boundary since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Extracted, and the caller's trace is continued.
    pub continued: u64,
    /// Extracted, and the caller's trace is only linked to.
    pub linked: u64,
    /// Extracted, and there was no `traceparent`.
    pub missing: u64,
    /// Extracted, and the `traceparent` was not valid.
    pub invalid: u64,
    /// Values, members and lists that were not taken over, or not sent, for what they are.
    pub dropped: u64,
    /// Members that were not taken over, or not sent, because there was no room.
    pub over_limit: u64,
    /// Injected, with a `traceparent`.
    pub injected: u64,
    /// Injected where no trace was: without a `traceparent`.
    pub without_trace: u64,
}

impl Counts {
    /// How often context was extracted.
    pub const fn extracted(&self) -> u64 {
        self.continued + self.linked + self.missing + self.invalid
    }

    /// How often a new trace was started although the caller had one.
    pub const fn restarted(&self) -> u64 {
        self.linked + self.invalid
    }

    /// How often what was done belongs to no trace of a caller: what to alert on where all callers are one's own.
    pub const fn orphaned(&self) -> u64 {
        self.missing + self.invalid
    }
}
