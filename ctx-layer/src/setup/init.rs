//! The start itself.

use super::{builder::Setup, error::SetupError, start::start, start_once::start_once, telemetry::Telemetry};

impl Setup {
    /// Starts, and returns the handle that ends it when it is dropped: keep it until the end of `main`.
    ///
    /// A second call, from any thread, returns the same handle.
    ///
    /// # Errors
    /// Returns an error if the settings are wrong (all problems at once), if another global subscriber or tracer provider is
    /// set, if an earlier call asked for something else, or if the earlier handle was dropped.
    pub fn init(self) -> Result<Telemetry, SetupError> {
        if self.is_local { start(self).map(Telemetry) } else { start_once(self).map(Telemetry) }
    }
}
