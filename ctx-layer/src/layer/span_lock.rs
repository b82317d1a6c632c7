//! Whether the stack below may hold an OpenTelemetry span's lock on this thread.
//!
//! `tracing-opentelemetry` holds a span's lock while it starts the span, and calls samplers, id generators and span processors
//! meanwhile. Where those log, the current span is the one that is locked, and asking for its ids would wait for ever. So it
//! is known on each thread whether the stack below may hold such a lock: while a span is created, entered or linked, and while
//! this crate itself asks. What is logged then has the ids of the active context, or none; what is recorded is
//! [`postponed`](super::postponed).
//!
//! Without the feature `tracing-opentelemetry` nothing is asked of such a layer, but values are recorded on its spans all the
//! same.

use std::cell::Cell;

thread_local! {
    /// How many calls are under way on this thread that may hold an OpenTelemetry span's lock, and whether anything is
    /// [`postponed`](super::postponed) until they are over. Has no destructor, and so can always be read.
    static LOCKING: Cell<u32> = const { Cell::new(0) };
}

/// The bit that says whether anything is postponed; below it is the count.
const POSTPONED: u32 = 1 << 31;

/// Returns `true` if this thread may hold an OpenTelemetry span's lock.
#[inline]
pub(super) fn may_be_held() -> bool {
    LOCKING.get() & !POSTPONED > 0
}

/// Returns `true` if something was postponed, and nothing is in its way any more.
#[inline]
pub(super) fn is_postponed() -> bool {
    LOCKING.get() == POSTPONED
}

/// Notes whether anything is postponed on this thread.
pub(super) fn set_postponed(is_any: bool) {
    let count = LOCKING.get() & !POSTPONED;
    LOCKING.set(if is_any { count | POSTPONED } else { count });
}

/// Calls `f`, in which an OpenTelemetry layer may hold a span's lock and call foreign code.
#[inline]
pub(super) fn holding<R>(f: impl FnOnce() -> R) -> R {
    LOCKING.set(LOCKING.get().wrapping_add(1));
    let _unlock = Unlock;
    f()
}

/// Counts a call that is over, also where it panics.
struct Unlock;

impl Drop for Unlock {
    #[inline]
    fn drop(&mut self) {
        LOCKING.set(LOCKING.get().wrapping_sub(1));
    }
}
