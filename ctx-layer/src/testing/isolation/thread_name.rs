//! The name of a thread, as the operating system has it.
//!
//! On Linux, a thread that is started without a name has that of the thread that started it (`man 2 PR_SET_NAME`: "inherited"). So a
//! thread is recognized that a test starts bare, without anything that is carried. Rust's own name, which panics print, is another.

use std::{cell::OnceCell, fs};

const FILE: &str = "/proc/thread-self/comm";

/// The name begins with this. The limit is 15 bytes.
const PREFIX: &str = "capture-";

thread_local! {
    /// The number in the name, read once: later changes are not followed.
    static NUMBER: OnceCell<Option<u64>> = const { OnceCell::new() };
}

/// Names this thread after a capture until this is dropped.
#[derive(Debug)]
pub(super) struct ThreadName {
    before: String,
}

impl ThreadName {
    /// Returns `None` where the name cannot be changed.
    pub(super) fn set(number: u64) -> Option<Self> {
        let before = fs::read_to_string(FILE).ok()?;
        fs::write(FILE, format!("{PREFIX}{number}")).ok()?;
        Some(ThreadName { before: before.trim_end().to_owned() })
    }
}

impl Drop for ThreadName {
    fn drop(&mut self) {
        // It was possible before; a wrong name does no harm.
        let _ = fs::write(FILE, &self.before);
    }
}

/// Returns the number of the capture after which the thread was named that started this one.
pub(super) fn number() -> Option<u64> {
    let read = || fs::read_to_string(FILE).ok()?.trim_end().strip_prefix(PREFIX)?.parse().ok();
    NUMBER.try_with(|number| *number.get_or_init(read)).ok().flatten()
}
