//! Start-up in one line, and settings.
//!
//! ```no_run
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let _telemetry = ctx_layer::setup::init("orders")?;
//!     tracing::info!("started");
//!     Ok(())
//! }
//! ```
//!
//! This writes JSON lines with context fields and trace ids (text on a terminal), exports traces, logs and metrics by OTLP, sets
//! the global subscriber, providers and propagator of OpenTelemetry, logs panics, and exports what is queued at the end.
//! [`builder`] changes each part. The repository's `docs/setup.md` has a guide and all settings.
//!
//! # Settings
//!
//! Each layer is over the one before: defaults, `settings.toml` with its profiles, the environment (`CTX_OBSERVABILITY_*`,
//! `CTX_CONTEXT_*` and the standard `OTEL_*`), [the program](Setup::configure). Errors come all at once, each with its place:
//!
//! ```
//! use ctx_layer::setup::SettingsLoader;
//!
//! let error = SettingsLoader::new()
//!     .text("settings.toml", "[default.observability]\nsampling_rat = 1.0\nprotocol = \"grcp\"")
//!     .variables([("OTEL_TRACES_SAMPLER_ARG", "2")])
//!     .load()
//!     .unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "the settings cannot be used, 3 problems:\n  \
//!      settings.toml:2: `default.observability.sampling_rat`: found an unknown key, expected the key of a setting: did you mean \
//!      `sampling_rate`?\n  \
//!      settings.toml:3: `default.observability.protocol`: found \"grcp\", expected one of \"grpc\", \"http/protobuf\" or \
//!      \"http/json\": did you mean `grpc`?\n  \
//!      the variable `OTEL_TRACES_SAMPLER_ARG`: found \"2\", expected a number from 0.0 to 1.0",
//! );
//! ```
//!
//! # Limits and errors
//!
//! - The queues have limits (`traces_queue_size`, `logs_queue_size`). What finds no place is dropped and counted.
//! - Exports run on threads of their own: a collector that is slow or down does not slow down the service.
//! - What was lost is [counted](Telemetry::counts), exported as the metric `ctx.export.items`, and logged once per
//!   `report_interval`.
//! - The end takes at most `shutdown_timeout`.

mod builder;
#[cfg(feature = "setup-config-file")]
mod config_file;
mod error;
mod filter_handle;
#[cfg(feature = "axum")]
mod filter_route;
mod init;
mod other_versions;
mod output;
mod panic_hook;
mod pipeline;
mod propagators;
mod report;
mod resource;
mod running;
mod schema;
mod settings;
mod shutdown_error;
mod signals;
mod start;
mod start_once;
mod telemetry;

pub use builder::{Providers, Setup};
pub use error::SetupError;
pub use filter_handle::{FilterError, FilterHandle};
pub use pipeline::{ExportCounts, SignalCounts};
pub use settings::{
    Attributes, Compression, ContextSettings, Exporter, FieldKind, FieldList, FieldSetting, FieldValues, Headers,
    InvalidFilter, InvalidUrl, Limit, LogFilter, LogFormat, LogStream, Observability, Origin, PropagatorName, Protocol,
    SamplerName, Settings, SettingsError, SettingsLoader, SettingsProblem, Shown, TemporalityName, Url,
};
pub use shutdown_error::ShutdownError;
pub use telemetry::Telemetry;

/// Starts with the settings of the process, and returns the handle that ends it when it is dropped.
///
/// `name` is the service's name, unless the settings have another.
///
/// # Errors
/// See [`Setup::init`].
///
/// ```no_run
/// let _telemetry = ctx_layer::setup::init("orders")?;
/// # Ok::<(), ctx_layer::setup::SetupError>(())
/// ```
pub fn init(name: impl Into<String>) -> Result<Telemetry, SetupError> {
    builder(name).init()
}

/// Returns a builder, for what differs from the defaults.
pub fn builder(name: impl Into<String>) -> Setup {
    Setup::new(name.into())
}
