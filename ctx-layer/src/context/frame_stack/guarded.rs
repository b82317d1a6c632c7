//! Spans that are entered and exited by the guard of a frame.

use std::cell::Cell;

use crate::context::frame::FrameId;

thread_local! {
    /// Has no destructor, and so can always be read.
    static GUARDED: Cell<Option<FrameId>> = const { Cell::new(None) };
}

/// Calls `f`, which enters or exits a span that belongs to a guard's frame, or to one that is not pushed yet: no other frame
/// is pushed or removed with it.
#[inline]
pub(crate) fn guarded<R>(frame: Option<FrameId>, f: impl FnOnce() -> R) -> R {
    /// Resets the id, because another subscriber does not take it, and a layer may panic.
    struct Reset;

    impl Drop for Reset {
        fn drop(&mut self) {
            GUARDED.set(None);
        }
    }
    GUARDED.set(Some(frame.unwrap_or(FrameId(u64::MAX))));
    let _reset = Reset;
    f()
}

/// Returns the guard's frame of the span that is being entered or exited, if it has one. The next span has none, because
/// spans of a layer do not belong to the guard.
#[inline]
pub(crate) fn take_guarded() -> Option<FrameId> {
    GUARDED.take()
}
