//! Detecting that another library's thread-local can no longer be used, because the thread is being torn down.

use std::panic::{UnwindSafe, catch_unwind};

/// A guard for a thread-local of another library. To be kept in a thread-local itself.
///
/// Thread-locals are destroyed in reverse order of creation. Creating the guard uses the other thread-local, so the guard is
/// destroyed first.
pub(crate) struct ThreadProbe {
    /// Has to write to what has no destructor, which can always be read.
    set_usable: fn(bool),
}

impl ThreadProbe {
    /// Calls `probe`, which uses the other thread-local and panics if it is gone, and `set_usable` with the result.
    pub(crate) fn new(set_usable: fn(bool), probe: impl FnOnce() + UnwindSafe) -> Self {
        // Set first, for a panic hook that logs while this panics: it gets here again, and a panic inside a panic hook aborts.
        set_usable(false);
        // Panics only on a thread that used nothing of this crate before it was torn down, if the other thread-local is gone.
        // There is no way to check; with `panic = "abort"` this aborts.
        set_usable(catch_unwind(probe).is_ok());
        ThreadProbe { set_usable }
    }
}

impl Drop for ThreadProbe {
    fn drop(&mut self) {
        (self.set_usable)(false);
    }
}
