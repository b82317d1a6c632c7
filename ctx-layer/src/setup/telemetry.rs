//! The handle of a start.

use std::{fmt, sync::Arc, thread};

use opentelemetry::{
    metrics::{Meter, MeterProvider},
    trace::TracerProvider,
};
use opentelemetry_sdk::{
    metrics::SdkMeterProvider,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use tokio::sync::oneshot;
use tracing::Dispatch;

use super::{
    builder::Providers, filter_handle::FilterHandle, pipeline::ExportCounts, running::Running, settings::Settings,
    shutdown_error::ShutdownError,
};
use crate::{Schema, propagation::Extracted};

/// The handle of a start. Cheap to clone.
///
/// When the last clone is dropped, what is queued is exported and the exporters end, within `shutdown_timeout`. Keep it until the
/// end of `main`. Dropping blocks its thread; in a runtime call [`shutdown`](Self::shutdown).
#[derive(Clone)]
#[must_use = "dropping the handle ends all exports: bind it, as in `let _telemetry = ...`"]
pub struct Telemetry(pub(crate) Arc<Running>);

impl Telemetry {
    /// Returns the settings that apply.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns the schema of the context fields on spans and events.
    pub fn schema(&self) -> &Schema {
        &self.0.schema
    }

    /// Returns the providers, for libraries that need one.
    pub fn providers(&self) -> Providers<'_> {
        Providers(&self.0.pipelines)
    }

    /// Returns a tracer of OpenTelemetry with the given scope. It records nothing if traces are not exported.
    pub fn tracer(&self, name: &'static str) -> SdkTracer {
        match &self.0.pipelines.traces {
            Some(provider) => provider.tracer(name),
            None => SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build().tracer(name),
        }
    }

    /// Returns a meter of OpenTelemetry with the given scope. It records nothing if metrics are not exported.
    pub fn meter(&self, name: &'static str) -> Meter {
        match &self.0.pipelines.metrics {
            Some(provider) => provider.meter(name),
            None => SdkMeterProvider::default().meter(name),
        }
    }

    /// Returns the handle that changes the filter at run time.
    pub fn filter(&self) -> FilterHandle {
        self.0.filter.clone()
    }

    /// Returns the counts of what was exported and what was lost since the start.
    pub fn counts(&self) -> ExportCounts {
        self.0.reporter.counts()
    }

    /// Returns the context that the environment gave: `TRACEPARENT` and `BAGGAGE`. `None` if the settings say not to read it.
    ///
    /// The thread that called `init` has it attached already, unless the start is [`local`](super::Setup::local).
    pub fn environment(&self) -> Option<&Extracted> {
        self.0.environment.as_ref()
    }

    /// Returns the subscriber.
    pub fn dispatch(&self) -> &Dispatch {
        &self.0.dispatch
    }

    /// Calls `f` with this subscriber as the default of the thread. For a start that is [`local`](super::Setup::local).
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        tracing::dispatcher::with_default(&self.0.dispatch, f)
    }

    /// Exports what is queued now. Blocks for at most `shutdown_timeout`.
    ///
    /// # Errors
    /// Returns an error if it takes longer. What the collector refused is in the [counts](ExportCounts).
    pub fn flush(&self) -> Result<ExportCounts, ShutdownError> {
        self.0.flush()
    }

    /// Exports what is queued and ends the exporters, without blocking the thread. Later calls, of any clone, do nothing.
    ///
    /// # Errors
    /// Returns an error if it takes longer than `shutdown_timeout`. What the collector refused is in the
    /// [counts](ExportCounts).
    pub async fn shutdown(&self) -> Result<ExportCounts, ShutdownError> {
        let (done, result) = oneshot::channel();
        let running = Arc::clone(&self.0);
        // A thread of its own: the runtime may have no other.
        let thread = thread::Builder::new().name("ctx-layer-shutdown".to_owned());
        let spawned = thread.spawn(move || {
            let result = running.shutdown();
            // The last clone would be dropped here otherwise, in a thread that nobody waits for.
            drop(running);
            // The caller may have stopped waiting.
            let _ = done.send(result);
        });
        match spawned {
            Ok(_) => result.await.unwrap_or_else(|_| self.0.shutdown()),
            Err(_) => self.0.shutdown(),
        }
    }

    /// Exports what is queued and ends the exporters. Blocks for at most `shutdown_timeout`. Later calls, of any clone, do nothing.
    ///
    /// # Errors
    /// Returns an error if it takes longer. What the collector refused is in the [counts](ExportCounts).
    pub fn shutdown_blocking(&self) -> Result<ExportCounts, ShutdownError> {
        self.0.shutdown()
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("name", &self.0.name).field("counts", &self.counts()).finish_non_exhaustive()
    }
}
