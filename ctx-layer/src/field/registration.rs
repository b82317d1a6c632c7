//! The registration state of a field: a schema in use has it, or a warning is due.

use std::sync::atomic::AtomicBool;

/// The registration state of a field.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) is_registered: AtomicBool,
    pub(super) is_postponed: AtomicBool,
    pub(super) has_warned: AtomicBool,
}

impl Registration {
    pub(super) const fn new() -> Self {
        Registration {
            is_registered: AtomicBool::new(false),
            is_postponed: AtomicBool::new(false),
            has_warned: AtomicBool::new(false),
        }
    }
}
