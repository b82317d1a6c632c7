//! The providers of traces, logs and metrics, by the settings.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use opentelemetry::{KeyValue, metrics::MeterProvider};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{self, BatchLogProcessor, LogExporter, SdkLoggerProvider},
    metrics::{PeriodicReader, SdkMeterProvider, Temporality, exporter::PushMetricExporter},
    trace::{self, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanExporter, SpanLimits},
};
use tokio::sync::Notify;

use super::{
    bounded_processor::BoundedProcessor,
    counted_exporter::CountedExporter,
    counts::{Counters, ExportCounts},
    export_runtime::ExportRuntime,
    exporter_error::ExporterError,
    exporters,
    field_sampler::FieldSampler,
    signal::Signal,
    target::Target,
};
use crate::{
    UniqueAttributes, propagation,
    setup::{
        error::SetupError,
        settings::{Exporter, Observability, SamplerName, Settings, TemporalityName},
    },
};

/// The providers of traces, logs and metrics. A signal that is not exported has none.
#[derive(Debug)]
pub(crate) struct Pipelines {
    pub(crate) traces: Option<SdkTracerProvider>,
    pub(crate) logs: Option<SdkLoggerProvider>,
    pub(crate) metrics: Option<SdkMeterProvider>,
    pub(crate) counters: Arc<SignalCounters>,
    pub(crate) runtime: Arc<ExportRuntime>,
}

/// The counters of all signals.
#[derive(Debug)]
pub(crate) struct SignalCounters {
    pub(crate) traces: Arc<Counters>,
    pub(crate) logs: Arc<Counters>,
    pub(crate) metrics: Arc<Counters>,
    /// Notified when something was lost.
    pub(crate) losses: Arc<Notify>,
}

impl SignalCounters {
    pub(crate) fn counts(&self) -> ExportCounts {
        ExportCounts {
            traces: self.traces.counts(),
            logs: self.logs.counts(),
            metrics: self.metrics.counts(),
            lost_lines: 0,
        }
    }
}

impl Pipelines {
    /// Creates the providers. Nothing is global yet, and nothing is sent.
    pub(crate) fn build(settings: &Settings, targets: [Target; 3], resource: &Resource) -> Result<Self, SetupError> {
        let it = &settings.observability;
        let runtime = ExportRuntime::start().map_err(SetupError::thread)?;
        let losses = Arc::new(Notify::new());
        let counters = Arc::new(SignalCounters {
            traces: Counters::new(it.traces_queue_size, Arc::clone(&losses)),
            logs: Counters::new(it.logs_queue_size, Arc::clone(&losses)),
            metrics: Counters::new(usize::MAX, Arc::clone(&losses)),
            losses,
        });
        let mut pipelines = Pipelines { traces: None, logs: None, metrics: None, counters, runtime };
        for target in targets {
            if target.exporter == Exporter::None {
                continue;
            }
            let failed = |error: ExporterError| SetupError::exporter(target.signal.as_str(), error);
            let is_console = target.exporter == Exporter::Console;
            match target.signal {
                Signal::Traces if is_console => {
                    pipelines.add_traces(it, &target, opentelemetry_stdout::SpanExporter::default(), resource);
                }
                Signal::Traces => {
                    let exporter = pipelines.runtime.enter(|| exporters::spans(&target)).map_err(failed)?;
                    pipelines.add_traces(it, &target, exporter, resource);
                }
                Signal::Logs if is_console => {
                    pipelines.add_logs(it, &target, opentelemetry_stdout::LogExporter::default(), resource);
                }
                Signal::Logs => {
                    let exporter = pipelines.runtime.enter(|| exporters::logs(&target)).map_err(failed)?;
                    pipelines.add_logs(it, &target, exporter, resource);
                }
                Signal::Metrics if is_console => {
                    let exporter = opentelemetry_stdout::MetricExporter::builder();
                    let exporter = exporter.with_temporality(temporality(it)).build();
                    pipelines.add_metrics(it, &target, exporter, resource);
                }
                Signal::Metrics => {
                    let exporter = pipelines.runtime.enter(|| exporters::metrics(&target, temporality(it)));
                    pipelines.add_metrics(it, &target, exporter.map_err(failed)?, resource);
                }
            }
        }
        Ok(pipelines)
    }

    fn counted<E>(
        &self,
        exporter: E,
        counters: &Arc<Counters>,
        it: &Observability,
        target: &Target,
    ) -> CountedExporter<E> {
        CountedExporter {
            exporter,
            runtime: Arc::clone(&self.runtime),
            counters: Arc::clone(counters),
            timeout: target.timeout,
            max_attribute_length: it.max_attribute_length.and_then(|limit| usize::try_from(limit.0).ok()),
        }
    }

    fn add_traces<E: SpanExporter + 'static>(
        &mut self,
        it: &Observability,
        target: &Target,
        exporter: E,
        resource: &Resource,
    ) {
        let exporter = self.counted(UniqueAttributes::new(exporter), &self.counters.traces, it, target);
        let config = trace::BatchConfigBuilder::default()
            // Never full: the processor around it has the limit.
            .with_max_queue_size(it.traces_queue_size.saturating_add(it.traces_batch_size))
            .with_max_export_batch_size(it.traces_batch_size.min(it.traces_queue_size))
            .with_scheduled_delay(it.traces_delay)
            .build();
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.clone())
            .with_sampler(sampler(it))
            .with_span_limits(SpanLimits {
                max_events_per_span: it.max_span_events.0,
                max_attributes_per_span: it.max_span_attributes.0,
                max_links_per_span: it.max_span_links.0,
                max_attributes_per_event: it.max_event_attributes.0,
                max_attributes_per_link: it.max_link_attributes.0,
            })
            .with_span_processor(BoundedProcessor { processor, counters: Arc::clone(&self.counters.traces) })
            .build();
        self.traces = Some(provider);
    }

    fn add_logs<E: LogExporter + 'static>(
        &mut self,
        it: &Observability,
        target: &Target,
        exporter: E,
        resource: &Resource,
    ) {
        let exporter = self.counted(exporter, &self.counters.logs, it, target);
        let config = logs::BatchConfigBuilder::default()
            // Never full: the processor around it has the limit.
            .with_max_queue_size(it.logs_queue_size.saturating_add(it.logs_batch_size))
            .with_max_export_batch_size(it.logs_batch_size.min(it.logs_queue_size))
            .with_scheduled_delay(it.logs_delay)
            .build();
        let processor = BatchLogProcessor::builder(exporter).with_batch_config(config).build();
        let provider = SdkLoggerProvider::builder()
            .with_resource(resource.clone())
            .with_log_processor(BoundedProcessor { processor, counters: Arc::clone(&self.counters.logs) })
            .build();
        self.logs = Some(provider);
    }

    fn add_metrics<E: PushMetricExporter>(
        &mut self,
        it: &Observability,
        target: &Target,
        exporter: E,
        resource: &Resource,
    ) {
        let exporter = self.counted(exporter, &self.counters.metrics, it, target);
        let reader = PeriodicReader::builder(exporter).with_interval(it.metrics_interval).build();
        let provider = SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(reader).build();
        let meter = provider.meter("ctx-layer");
        propagation::observe(&meter);
        observe_exports(&meter, &self.counters);
        self.metrics = Some(provider);
    }

    /// Calls each provider on a thread of its own, and waits for them within a time limit. Returns the errors.
    ///
    /// The SDK has no time limit for all signals, and none at all for metrics.
    fn on_all(&self, limit: Duration, call: fn(&Provider, Duration) -> OTelSdkResult) -> Vec<String> {
        let until = Instant::now() + limit;
        let providers = [
            self.traces.clone().map(Provider::Traces),
            self.logs.clone().map(Provider::Logs),
            self.metrics.clone().map(Provider::Metrics),
        ];
        let (done, results) = std::sync::mpsc::channel();
        let mut waiting: Vec<&'static str> = Vec::new();
        let mut errors = Vec::new();
        for provider in providers.into_iter().flatten() {
            let (name, done) = (provider.name(), done.clone());
            let thread = thread::Builder::new().name("ctx-layer-flush".to_owned());
            match thread.spawn(move || done.send((name, call(&provider, limit)))) {
                Ok(_) => waiting.push(name),
                Err(error) => errors.push(format!("{name}: no thread for it: {error}")),
            }
        }
        while !waiting.is_empty() {
            match results.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok((name, result)) => {
                    waiting.retain(|waiting| *waiting != name);
                    if let Err(error) = result {
                        errors.push(format!("{name}: {error}"));
                    }
                }
                Err(_) => {
                    errors.push(format!("{}: not done within {limit:?}", waiting.join(", ")));
                    break;
                }
            }
        }
        errors
    }

    /// Exports what is queued.
    pub(crate) fn flush(&self, limit: Duration) -> Vec<String> {
        self.on_all(limit, |provider, _| match provider {
            Provider::Traces(provider) => provider.force_flush(),
            Provider::Logs(provider) => provider.force_flush(),
            Provider::Metrics(provider) => provider.force_flush(),
        })
    }

    /// Exports what is queued, and ends the exporters.
    pub(crate) fn shutdown(&self, limit: Duration) -> Vec<String> {
        self.on_all(limit, |provider, limit| match provider {
            Provider::Traces(provider) => provider.shutdown_with_timeout(limit),
            Provider::Logs(provider) => provider.shutdown_with_timeout(limit),
            Provider::Metrics(provider) => provider.shutdown_with_timeout(limit),
        })
    }
}

/// One of the providers.
enum Provider {
    Traces(SdkTracerProvider),
    Logs(SdkLoggerProvider),
    Metrics(SdkMeterProvider),
}

impl Provider {
    fn name(&self) -> &'static str {
        match self {
            Provider::Traces(_) => Signal::Traces.as_str(),
            Provider::Logs(_) => Signal::Logs.as_str(),
            Provider::Metrics(_) => Signal::Metrics.as_str(),
        }
    }
}

fn temporality(it: &Observability) -> Temporality {
    match it.metrics_temporality {
        TemporalityName::Cumulative => Temporality::Cumulative,
        TemporalityName::Delta => Temporality::Delta,
        TemporalityName::LowMemory => Temporality::LowMemory,
    }
}

fn sampler(it: &Observability) -> FieldSampler {
    let ratio = Sampler::TraceIdRatioBased(it.sampling_rate);
    let otherwise = match it.sampler {
        SamplerName::AlwaysOn => Sampler::AlwaysOn,
        SamplerName::AlwaysOff => Sampler::AlwaysOff,
        SamplerName::TraceIdRatio => ratio,
        SamplerName::ParentBasedAlwaysOn => Sampler::ParentBased(Box::new(Sampler::AlwaysOn)),
        SamplerName::ParentBasedAlwaysOff => Sampler::ParentBased(Box::new(Sampler::AlwaysOff)),
        SamplerName::ParentBasedTraceIdRatio => Sampler::ParentBased(Box::new(ratio)),
    };
    FieldSampler { always: it.always_sample.0.clone(), otherwise }
}

/// Reports the counts of exports as an observable counter.
fn observe_exports(meter: &opentelemetry::metrics::Meter, counters: &Arc<SignalCounters>) {
    let counters = Arc::clone(counters);
    // The provider keeps the callback, not the instrument.
    let _ = meter
        .u64_observable_counter("ctx.export.items")
        .with_description("Spans, log records and exports of metrics that were exported, refused or dropped.")
        .with_callback(move |observer| {
            let counts = counters.counts();
            for (signal, counts) in [("traces", counts.traces), ("logs", counts.logs), ("metrics", counts.metrics)] {
                let outcomes = [("exported", counts.exported), ("failed", counts.failed), ("dropped", counts.dropped)];
                for (outcome, count) in outcomes {
                    observer.observe(count, &[KeyValue::new("signal", signal), KeyValue::new("outcome", outcome)]);
                }
            }
        })
        .build();
}
