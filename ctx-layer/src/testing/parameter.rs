use super::{capture::Capture, telemetry::Telemetry};

/// A parameter of a test that is the captured telemetry.
#[doc(hidden)]
pub trait TestParameter<'a> {
    fn of(capture: &'a Capture) -> Self;
}

impl<'a> TestParameter<'a> for Telemetry {
    fn of(capture: &'a Capture) -> Self {
        capture.telemetry()
    }
}

impl<'a> TestParameter<'a> for &'a Telemetry {
    fn of(capture: &'a Capture) -> Self {
        capture
    }
}

impl<'a> TestParameter<'a> for &'a Capture {
    fn of(capture: &'a Capture) -> Self {
        capture
    }
}
