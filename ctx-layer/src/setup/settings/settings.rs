//! The settings: every key, its type, its default, its variables and its documentation.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use super::{
    choice::{Compression, Exporter, LogFormat, LogStream, PropagatorName, Protocol, SamplerName, TemporalityName},
    definition::{Definition, Variable, settings},
    fields::FieldList,
    filter::LogFilter,
    origin::Origin,
    pairs::{Attributes, FieldValues, Headers},
    url::Url,
    value::{Limit, SettingValue},
};

const fn v(name: &'static str) -> Variable {
    Variable::new(name)
}

settings! {
    /// The settings of logs, traces, metrics and their export: `[observability]`.
    pub struct Observability in observability {
        /// Switches everything on. If `false`, nothing is exported and only log lines are written.
        enabled: bool = true, variables [Variable::negated("OTEL_SDK_DISABLED")];
        /// Switches traces on. If `false`, no span is recorded.
        tracing_enabled: bool = true;
        /// The collector's address for all signals. By default http://localhost at the port of the protocol. With an HTTP
        /// protocol, `/v1/traces` and its like are added.
        otlp_endpoint: Option<Url> = None, variables [v("OTEL_EXPORTER_OTLP_ENDPOINT")];
        /// The protocol of OTLP. By default `grpc` if the port of the address is 4317, else `http/protobuf`.
        protocol: Option<Protocol> = None, variables [v("OTEL_EXPORTER_OTLP_PROTOCOL")];
        /// Headers that are sent with every export: a vendor's key.
        headers: Headers = Headers::default(), variables [v("OTEL_EXPORTER_OTLP_HEADERS")], secret true;
        /// The longest time of one export, with its retries.
        timeout: Duration = Duration::from_secs(10), variables [v("OTEL_EXPORTER_OTLP_TIMEOUT")];
        /// The compression of exports. `gzip` needs the feature `setup-gzip`.
        compression: Compression = Compression::None, variables [v("OTEL_EXPORTER_OTLP_COMPRESSION")];
        /// A file of PEM certificates that the collector's is checked against, in place of those of the system. For `https://`.
        certificate: Option<PathBuf> = None, variables [v("OTEL_EXPORTER_OTLP_CERTIFICATE")];
        /// A file of the PEM certificates that this client shows, first its own. It needs `client_key`. For `https://`.
        client_certificate: Option<PathBuf> = None, variables [v("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE")];
        /// A file of the PEM private key of `client_certificate`.
        client_key: Option<PathBuf> = None, variables [v("OTEL_EXPORTER_OTLP_CLIENT_KEY")];
        /// The part of new traces that is recorded, for the samplers with `ratio` in their names.
        sampling_rate: f64 = 1.0, variables [v("OTEL_TRACES_SAMPLER_ARG")];
        /// The sampler.
        sampler: SamplerName = SamplerName::ParentBasedTraceIdRatio, variables [v("OTEL_TRACES_SAMPLER")];
        /// Values of context fields whose spans are all recorded, whatever the sampler says: `["tenant_id=acme"]`. The values are
        /// those that spans show, and not masked or hashed.
        always_sample: FieldValues = FieldValues::default();
        /// The service's name, in place of the one that the program gives.
        service_name_override: Option<String> = None, variables [v("OTEL_SERVICE_NAME")];
        /// Attributes of the resource, such as `deployment.environment.name`.
        resource_attributes: Attributes = Attributes::default(), variables [v("OTEL_RESOURCE_ATTRIBUTES")];
        /// The format of log lines.
        log_format: LogFormat = LogFormat::Auto;
        /// The stream that log lines are written to.
        log_stream: LogStream = LogStream::Stdout;
        /// The filter of spans and events, as `tracing-subscriber` reads it. It can be changed at run time.
        log_filter: LogFilter = LogFilter::default(), variables [v("RUST_LOG")];
        /// The exporter of traces.
        traces_exporter: Exporter = Exporter::Otlp, variables [v("OTEL_TRACES_EXPORTER")];
        /// The exporter of logs.
        logs_exporter: Exporter = Exporter::Otlp, variables [v("OTEL_LOGS_EXPORTER")];
        /// The exporter of metrics.
        metrics_exporter: Exporter = Exporter::Otlp, variables [v("OTEL_METRICS_EXPORTER")];
        /// The formats of headers that carry context between processes.
        propagators: Vec<PropagatorName> = vec![PropagatorName::TraceContext, PropagatorName::Baggage],
            variables [v("OTEL_PROPAGATORS")];
        /// The address for traces alone. With an HTTP protocol it is used as it is, with its path.
        traces_endpoint: Option<Url> = None, variables [v("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")];
        /// The address for logs alone. With an HTTP protocol it is used as it is, with its path.
        logs_endpoint: Option<Url> = None, variables [v("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT")];
        /// The address for metrics alone. With an HTTP protocol it is used as it is, with its path.
        metrics_endpoint: Option<Url> = None, variables [v("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")];
        /// The protocol for traces alone.
        traces_protocol: Option<Protocol> = None, variables [v("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")];
        /// The protocol for logs alone.
        logs_protocol: Option<Protocol> = None, variables [v("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL")];
        /// The protocol for metrics alone.
        metrics_protocol: Option<Protocol> = None, variables [v("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL")];
        /// Headers for traces, in place of those for all signals.
        traces_headers: Headers = Headers::default(), variables [v("OTEL_EXPORTER_OTLP_TRACES_HEADERS")], secret true;
        /// Headers for logs, in place of those for all signals.
        logs_headers: Headers = Headers::default(), variables [v("OTEL_EXPORTER_OTLP_LOGS_HEADERS")], secret true;
        /// Headers for metrics, in place of those for all signals.
        metrics_headers: Headers = Headers::default(), variables [v("OTEL_EXPORTER_OTLP_METRICS_HEADERS")], secret true;
        /// The longest time of an export of traces.
        traces_timeout: Option<Duration> = None, variables [v("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")];
        /// The longest time of an export of logs.
        logs_timeout: Option<Duration> = None, variables [v("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT")];
        /// The longest time of an export of metrics.
        metrics_timeout: Option<Duration> = None, variables [v("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT")];
        /// The compression of traces.
        traces_compression: Option<Compression> = None, variables [v("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION")];
        /// The compression of logs.
        logs_compression: Option<Compression> = None, variables [v("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION")];
        /// The compression of metrics.
        metrics_compression: Option<Compression> = None, variables [v("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION")];
        /// The file of certificates that are trusted for traces alone.
        traces_certificate: Option<PathBuf> = None, variables [v("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE")];
        /// The file of certificates of this client for traces alone.
        traces_client_certificate: Option<PathBuf> = None,
            variables [v("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE")];
        /// The file of the private key of this client for traces alone.
        traces_client_key: Option<PathBuf> = None, variables [v("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY")];
        /// The file of certificates that are trusted for logs alone.
        logs_certificate: Option<PathBuf> = None, variables [v("OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE")];
        /// The file of certificates of this client for logs alone.
        logs_client_certificate: Option<PathBuf> = None,
            variables [v("OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE")];
        /// The file of the private key of this client for logs alone.
        logs_client_key: Option<PathBuf> = None, variables [v("OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY")];
        /// The file of certificates that are trusted for metrics alone.
        metrics_certificate: Option<PathBuf> = None, variables [v("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE")];
        /// The file of certificates of this client for metrics alone.
        metrics_client_certificate: Option<PathBuf> = None,
            variables [v("OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE")];
        /// The file of the private key of this client for metrics alone.
        metrics_client_key: Option<PathBuf> = None, variables [v("OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY")];
        /// The number of spans that wait for export. Those that come when it is reached are dropped and counted.
        traces_queue_size: usize = 2048, variables [v("OTEL_BSP_MAX_QUEUE_SIZE")];
        /// The largest number of spans in one export.
        traces_batch_size: usize = 512, variables [v("OTEL_BSP_MAX_EXPORT_BATCH_SIZE")];
        /// The time between two exports of spans.
        traces_delay: Duration = Duration::from_secs(5), variables [v("OTEL_BSP_SCHEDULE_DELAY")];
        /// The number of log records that wait for export. Those that come when it is reached are dropped and counted.
        logs_queue_size: usize = 2048, variables [v("OTEL_BLRP_MAX_QUEUE_SIZE")];
        /// The largest number of log records in one export.
        logs_batch_size: usize = 512, variables [v("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE")];
        /// The time between two exports of log records.
        logs_delay: Duration = Duration::from_secs(1), variables [v("OTEL_BLRP_SCHEDULE_DELAY")];
        /// The time between two exports of metrics.
        metrics_interval: Duration = Duration::from_secs(60), variables [v("OTEL_METRIC_EXPORT_INTERVAL")];
        /// The temporality of exported metrics.
        metrics_temporality: TemporalityName = TemporalityName::Cumulative,
            variables [v("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")];
        /// The largest number of attributes of a span.
        max_span_attributes: Limit = Limit(128),
            variables [v("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"), v("OTEL_ATTRIBUTE_COUNT_LIMIT")];
        /// The longest string of an attribute of a span, in characters. Longer ones are cut.
        max_attribute_length: Option<Limit> = None,
            variables [v("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"), v("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT")];
        /// The largest number of events of a span.
        max_span_events: Limit = Limit(128), variables [v("OTEL_SPAN_EVENT_COUNT_LIMIT")];
        /// The largest number of links of a span.
        max_span_links: Limit = Limit(128), variables [v("OTEL_SPAN_LINK_COUNT_LIMIT")];
        /// The largest number of attributes of an event of a span.
        max_event_attributes: Limit = Limit(128), variables [v("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT")];
        /// The largest number of attributes of a link of a span.
        max_link_attributes: Limit = Limit(128), variables [v("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT")];
        /// The longest time that the end takes: flushing and shutting down.
        shutdown_timeout: Duration = Duration::from_secs(5);
        /// The time between two reports of what could not be exported.
        report_interval: Duration = Duration::from_secs(60);
        /// Logs a panic as an event with its message and place, before the hook that was set before.
        panic_hook: bool = true;
        /// Reads `TRACEPARENT` and `BAGGAGE` at the start, and attaches them to the thread that calls `init`.
        context_from_environment: bool = true;
    }

    /// The settings of context fields: `[context]`.
    pub struct ContextSettings in context {
        /// The fields on spans and events: names, or tables with a policy. `trace_id` and `span_id` are on log lines only:
        /// spans have them already.
        fields: FieldList = FieldList::default();
    }
}

/// The names of the sections.
pub(crate) const SECTIONS: [&str; 2] = ["observability", "context"];

/// The settings of a service, each with the place it comes from.
///
/// They come from defaults, a file, the environment and the program, each over the one before. See
/// [`SettingsLoader`](crate::setup::SettingsLoader), and `docs/setup.md` in the repository for all keys and variables.
///
/// ```
/// use ctx_layer::setup::Settings;
///
/// let settings = Settings::default();
/// assert!(settings.observability.enabled);
/// assert_eq!(settings.observability.sampling_rate, 1.0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Logs, traces, metrics and their export.
    pub observability: Observability,
    /// Context fields.
    pub context: ContextSettings,
    pub(crate) origins: BTreeMap<&'static str, Origin>,
    pub(crate) warnings: Vec<String>,
    /// The variables of the environment, for what is no setting: the context and the names of the pod.
    pub(crate) variables: BTreeMap<String, String>,
}

impl Settings {
    /// Returns the place that a setting comes from. The key is as in `observability.sampling_rate`.
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }

    /// Returns warnings for variables that are set and have no effect. `init` logs them.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Changes settings, and remembers that the program did.
    ///
    /// ```
    /// use ctx_layer::setup::{Origin, Settings};
    ///
    /// let mut settings = Settings::default();
    /// settings.change(|settings| settings.observability.sampling_rate = 0.1);
    /// assert_eq!(settings.origin("observability.sampling_rate"), &Origin::Code);
    /// ```
    pub fn change(&mut self, change: impl FnOnce(&mut Settings)) {
        let before = self.clone();
        change(self);
        for definition in DEFINITIONS {
            if !(definition.is_equal)(&before, self) {
                self.origins.insert(definition.full_key, Origin::Code);
            }
        }
    }
}
