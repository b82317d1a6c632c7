//! Traces, logs and metrics: from the program to their exporters.

mod bounded_processor;
mod counted_exporter;
mod counts;
mod export_runtime;
mod exporter_error;
mod exporters;
mod field_sampler;
mod limit_length;
mod pipelines;
mod signal;
mod target;
#[cfg(feature = "setup-tls")]
mod tls;

pub use counts::{ExportCounts, SignalCounts};
pub(crate) use export_runtime::ExportRuntime;
pub(crate) use pipelines::{Pipelines, SignalCounters};
pub(crate) use signal::Signal;
pub(crate) use target::Target;
