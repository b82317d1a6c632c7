use std::{fmt, ops::Deref, sync::Arc, thread};

use tracing_core::dispatcher::{self, DefaultGuard};
use tracing_subscriber::filter::Targets;

use super::{
    isolation::Owned,
    stack::{set_globals, stack},
    telemetry::Telemetry,
};
use crate::field::Schema;

/// A guard that captures the telemetry of a test until it is dropped. Dereferences to the [`Telemetry`].
///
/// If the test panics, what was captured is printed to standard error.
#[must_use = "telemetry is captured only until the guard is dropped: bind it, as in `let telemetry = ...`"]
pub struct Capture {
    telemetry: Telemetry,
    // In this order: what is logged while the subscriber is dropped still belongs to the test.
    _subscriber: DefaultGuard,
    _owned: Owned,
}

impl Capture {
    pub(super) fn begin(schema: &Schema, filter: &Targets, sets_globals: bool) -> Self {
        let dispatch = stack(schema, filter);
        if sets_globals {
            set_globals(&dispatch);
        }
        let owned = Owned::begin();
        let subscriber = dispatcher::set_default(&dispatch);
        Capture {
            telemetry: Telemetry::new(Arc::clone(owned.store()), dispatch),
            _subscriber: subscriber,
            _owned: owned,
        }
    }

    /// Returns the telemetry, which is `Send` and `Sync`, for use on other threads.
    pub fn telemetry(&self) -> Telemetry {
        self.telemetry.clone()
    }
}

impl Deref for Capture {
    type Target = Telemetry;

    fn deref(&self) -> &Telemetry {
        &self.telemetry
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // An assertion of this module has printed it.
        if thread::panicking() && !self.telemetry.was_printed() {
            eprintln!("\nwhat the test had captured when it panicked:\n{}", self.telemetry.picture());
        }
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").field("telemetry", &self.telemetry).finish_non_exhaustive()
    }
}
