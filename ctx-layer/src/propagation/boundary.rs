//! Boundaries of the process, which count the context that crosses them and the context that is dropped.

use std::{
    fmt,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tracing::{Level, debug, warn};

use super::{
    dropped::{Dropped, Invalid},
    trust::Trust,
};

/// A boundary logs each kind of problem at most once in this time.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// A place where context enters or leaves the process, such as a server, a queue or a client. It counts what happens
/// there.
///
/// Create it once, as a `static`. Contexts that are extracted or injected without a boundary are counted under
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
/// // Alert on this: messages of internal services without a trace.
/// assert_eq!(ORDERS.counts().orphaned(), 1);
/// ```
pub struct Boundary {
    name: &'static str,
    counts: [AtomicU64; Count::ALL],
    /// The time at which a problem of this cause and kind may be logged again, in milliseconds since the first one.
    /// Kept per cause, so that external callers cannot suppress a warning.
    quiet_until: [[AtomicU64; Count::ALL]; Cause::ALL],
    /// The number of problems that were not logged since the last one that was.
    suppressed: [[AtomicU64; Count::ALL]; Cause::ALL],
    is_known: AtomicBool,
}

/// A counted outcome.
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

/// The cause of a problem, which determines the level at which it is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// This program or an internal caller. Logged as a warning, since someone has to fix it.
    Program,
    /// An external caller. Logged at DEBUG, so that external callers cannot fill the log.
    External,
}

impl Cause {
    const ALL: usize = 2;

    pub(super) fn of(trust: Trust) -> Self {
        if trust.is_internal() { Cause::Program } else { Cause::External }
    }
}

/// The boundaries that have counted something.
static KNOWN: Mutex<Vec<&'static Boundary>> = Mutex::new(Vec::new());

static UNNAMED: Boundary = Boundary::new("unnamed");
static ENVIRONMENT: Boundary = Boundary::new("environment");
static CAPTURED: Boundary = Boundary::new("captured");
static PROPAGATOR: Boundary = Boundary::new("propagator");

impl Boundary {
    /// Returns the boundary of everything that names none.
    pub const fn unnamed() -> &'static Boundary {
        &UNNAMED
    }

    /// Returns the boundary of the process environment.
    pub const fn environment() -> &'static Boundary {
        &ENVIRONMENT
    }

    /// Returns the boundary of [captured](super::Captured) context that is extracted.
    pub const fn captured() -> &'static Boundary {
        &CAPTURED
    }

    /// Returns the boundary of a [`ContextPropagator`](super::ContextPropagator) that names none.
    pub const fn propagator() -> &'static Boundary {
        &PROPAGATOR
    }

    /// Creates a boundary with a name, such as `"http.server"`.
    pub const fn new(name: &'static str) -> Self {
        Boundary {
            name,
            counts: [const { AtomicU64::new(0) }; Count::ALL],
            quiet_until: [const { [const { AtomicU64::new(0) }; Count::ALL] }; Cause::ALL],
            suppressed: [const { [const { AtomicU64::new(0) }; Count::ALL] }; Cause::ALL],
            is_known: AtomicBool::new(false),
        }
    }

    /// Returns the boundary's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the counts so far.
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
            self.add_to_known();
        }
    }

    #[cold]
    fn add_to_known(&'static self) {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_known.swap(true, Ordering::Relaxed) {
            known.push(self);
        }
    }

    /// Counts a missing trace context, and logs it where one is expected.
    #[cold]
    pub(super) fn missing(&'static self, trust: Trust) {
        self.count(Count::Missing);
        if trust.is_internal() {
            self.report(Count::Missing, Cause::Program, &"there is no traceparent, although the caller is internal");
        }
    }

    #[cold]
    pub(super) fn invalid(&'static self, why: Invalid, cause: Cause) {
        self.count(Count::Invalid);
        self.report(Count::Invalid, cause, &format_args!("the traceparent is not valid: {why}"));
    }

    #[cold]
    pub(super) fn dropped(&'static self, dropped: &Dropped, cause: Cause) {
        let count = if dropped.reason().is_limit() { Count::OverLimit } else { Count::Dropped };
        self.count(count);
        self.report(count, cause, dropped);
    }

    /// Counts a refused header, and logs each at DEBUG, which explains why a value is missing.
    #[cfg(feature = "http-server")]
    #[cold]
    pub(crate) fn refused(&'static self, header: &Dropped) {
        self.count(Count::Dropped);
        debug!(boundary = self.name, reason = %header, "a header was refused");
    }

    /// Logs a problem, at most once a minute.
    fn report(&'static self, kind: Count, cause: Cause, reason: &dyn fmt::Display) {
        static START: OnceLock<Instant> = OnceLock::new();
        if cause == Cause::External && !tracing::enabled!(Level::DEBUG) {
            return;
        }
        let now = u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX);
        let quiet_until = &self.quiet_until[cause as usize][kind as usize];
        let suppressed = &self.suppressed[cause as usize][kind as usize];
        let until = quiet_until.load(Ordering::Relaxed);
        // One more than now, so that the first problem is logged even in the first millisecond.
        let next = now + 1 + REPORT_INTERVAL.as_millis() as u64;
        let is_due =
            until <= now && quiet_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !is_due {
            suppressed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let suppressed = suppressed.swap(0, Ordering::Relaxed);
        match cause {
            Cause::Program => {
                warn!(boundary = self.name, %reason, suppressed, "context was lost at a boundary");
            }
            Cause::External => {
                debug!(boundary = self.name, %reason, suppressed, "context of an external caller was refused");
            }
        }
    }
}

impl fmt::Debug for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Boundary").field("name", &self.name).field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// Returns all boundaries that have counted something.
pub fn boundaries() -> Vec<&'static Boundary> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The counts of a boundary since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Extracted contexts that continue the caller's trace.
    pub continued: u64,
    /// Extracted contexts that are linked to the caller's trace.
    pub linked: u64,
    /// Extracted contexts without a `traceparent`.
    pub missing: u64,
    /// Extracted contexts with an invalid `traceparent`.
    pub invalid: u64,
    /// Values, members and lists that were not read or not sent because they are refused.
    pub dropped: u64,
    /// Members that were not read or not sent because a limit was exceeded.
    pub over_limit: u64,
    /// Injected contexts with a `traceparent`.
    pub injected: u64,
    /// Injected contexts without a `traceparent`, since there was no trace.
    pub without_trace: u64,
}

impl Counts {
    /// Returns how many contexts were extracted.
    pub const fn extracted(&self) -> u64 {
        self.continued + self.linked + self.missing + self.invalid
    }

    /// Returns how many new traces were started although the caller had one.
    pub const fn restarted(&self) -> u64 {
        self.linked + self.invalid
    }

    /// Returns how many extracted contexts belong to no trace of a caller. Alert on it where all callers are internal.
    pub const fn orphaned(&self) -> u64 {
        self.missing + self.invalid
    }
}
