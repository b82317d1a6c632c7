//! The subscriber stack of captures, and OpenTelemetry's providers.

mod log_processor;
mod meter_provider;
mod recorder;
mod span_processor;
#[allow(clippy::module_inception, reason = "it holds the type `Stack`")]
mod stack;

pub(super) use meter_provider::observe;
pub(super) use stack::{set_globals, stack};
