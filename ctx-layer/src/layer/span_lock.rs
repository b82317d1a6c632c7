//! Detecting that the stack below may hold an OpenTelemetry span's lock on this thread.
//!
//! `tracing-opentelemetry` holds a span's lock while it starts the span, and calls samplers, id generators and span processors
//! meanwhile. If those log, the current span is the locked one, and reading its ids would deadlock. So each thread counts the
//! calls that may hold such a lock: a span is created, entered or linked, or this crate itself reads ids. Events logged then
//! have the ids of the active context, or none; recorded values are [`postponed`](super::postponed).
//!
//! Without the feature `tracing-opentelemetry` no ids are read from such a layer, but values are still recorded on its spans.

use std::cell::Cell;

thread_local! {
    /// The number of calls in progress on this thread that may hold an OpenTelemetry span's lock, and whether anything is
    /// [`postponed`](super::postponed) until they return. Has no destructor, and so can always be read.
    static LOCKING: Cell<u32> = const { Cell::new(0) };
}

/// The bit that is set if anything is postponed; the count is below it.
const POSTPONED: u32 = 1 << 31;

/// Returns `true` if this thread may hold an OpenTelemetry span's lock.
#[inline]
pub(super) fn may_be_held() -> bool {
    LOCKING.get() & !POSTPONED > 0
}

/// Returns `true` if something was postponed, and can be passed on now.
#[inline]
pub(super) fn is_postponed() -> bool {
    LOCKING.get() == POSTPONED
}

/// Sets whether anything is postponed on this thread.
pub(super) fn set_postponed(is_any: bool) {
    let count = LOCKING.get() & !POSTPONED;
    LOCKING.set(if is_any { count | POSTPONED } else { count });
}

/// Calls `f`, in which an OpenTelemetry layer may hold a span's lock and call other libraries.
#[inline]
pub(super) fn holding<R>(f: impl FnOnce() -> R) -> R {
    LOCKING.set(LOCKING.get().wrapping_add(1));
    let _unlock = Unlock;
    f()
}

/// Uncounts a call on drop, also while unwinding.
struct Unlock;

impl Drop for Unlock {
    #[inline]
    fn drop(&mut self) {
        LOCKING.set(LOCKING.get().wrapping_sub(1));
    }
}
