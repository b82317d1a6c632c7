//! Reads what a service exports: spans, log records and metrics, with the context fields on each.

use ctx_layer::{
    field::well_known::{TENANT_ID, USER_ID},
    setup::{self, Setup},
};
use opentelemetry::trace::{Span as _, Tracer};

use crate::collector::{Answer, Collector, attribute};

/// Returns a start that exports to a collector over HTTP and reads nothing of the process.
pub(crate) fn to(collector: &Collector) -> Setup {
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()), ("RUST_LOG", "info".to_owned())];
    setup::builder("orders").variables(variables).writer(std::io::sink).local()
}

fn serve() {
    TENANT_ID.in_scope("acme", || {
        let request = tracing::info_span!("request", otel.kind = "server");
        let _request = request.entered();
        let _ = USER_ID.record("ada");
        tracing::info_span!("query").in_scope(|| tracing::info!(rows = 3, "loaded"));
        tracing::info!(monotonic_counter.orders = 1_u64, "counted");
    });
}

#[test]
fn spans_logs_and_metrics_arrive_with_the_fields() {
    let collector = Collector::start(Answer::Accept);
    let telemetry = to(&collector).service_version("1.2.3").init().expect("it starts");
    telemetry.in_scope(serve);
    let counts = telemetry.shutdown_blocking().expect("it ends in time");

    let (request, query) = (collector.span("request"), collector.span("query"));
    assert_eq!(query.parent_span_id, request.span_id);
    assert_eq!(query.trace_id, request.trace_id);
    assert_eq!(request.kind, 2, "a server");
    for span in [&request, &query] {
        assert_eq!(attribute(&span.attributes, "tenant_id").as_deref(), Some("acme"), "{span:?}");
        assert_eq!(attribute(&span.attributes, "user_id").as_deref(), Some("ada"), "{span:?}");
    }
    let records = collector.log_records();
    let loaded = records.iter().find(|record| attribute(&record.attributes, "rows").is_some()).expect("it is there");
    assert_eq!(attribute(&loaded.attributes, "tenant_id").as_deref(), Some("acme"));
    assert_eq!(attribute(&loaded.attributes, "user_id").as_deref(), Some("ada"));
    assert_eq!((&loaded.trace_id, &loaded.span_id), (&query.trace_id, &query.span_id));

    let metrics: Vec<String> = collector.metrics().into_iter().map(|metric| metric.name).collect();
    for name in ["orders", "ctx.export.items", "ctx.propagation.extracted"] {
        assert!(metrics.iter().any(|metric| metric == name), "{name} is not in {metrics:?}");
    }
    for resource in collector.resources() {
        assert_eq!(attribute(&resource, "service.name").as_deref(), Some("orders"));
        assert_eq!(attribute(&resource, "service.version").as_deref(), Some("1.2.3"));
        assert!(attribute(&resource, "service.instance.id").is_some());
        assert_eq!(attribute(&resource, "telemetry.sdk.language").as_deref(), Some("rust"));
    }
    assert_eq!((counts.traces.exported, counts.traces.failed, counts.traces.dropped), (2, 0, 0));
    assert_eq!(counts.logs.exported, records.len() as u64);
}

#[test]
fn tracers_and_meters_of_opentelemetry_export_to_the_same_place() {
    let collector = Collector::start(Answer::Accept);
    let telemetry = to(&collector).init().expect("it starts");
    telemetry.tracer("library").start("by hand").end();
    telemetry.meter("library").u64_counter("by.hand").build().add(1, &[]);
    telemetry.shutdown_blocking().expect("it ends in time");
    let _ = collector.span("by hand");
    assert!(collector.metrics().iter().any(|metric| metric.name == "by.hand"));
}

#[test]
fn headers_and_compression_of_the_settings_are_sent() {
    let collector = Collector::start(Answer::Accept);
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=k%20v"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "of-traces=1"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "none"),
    ];
    let telemetry = to(&collector).variables(variables).init().expect("it starts");
    telemetry.in_scope(serve);
    telemetry.shutdown_blocking().expect("it ends in time");
    let _ = collector.span("request");
    let headers = collector.headers();
    let sent = headers.first().expect("it was asked");
    assert_eq!(sent.get("of-traces").map(|value| value.as_bytes()), Some(b"1".as_slice()));
    assert_eq!(sent.get("content-encoding").map(|value| value.as_bytes()), Some(b"gzip".as_slice()));
    assert_eq!(sent.get("content-type").map(|value| value.as_bytes()), Some(b"application/x-protobuf".as_slice()));
}

#[test]
fn a_value_of_a_field_is_recorded_whatever_the_rate() {
    let collector = Collector::start(Answer::Accept);
    let telemetry = to(&collector)
        .configure(|settings| {
            settings.observability.sampling_rate = 0.0;
            settings.observability.always_sample.0.push(("tenant_id".to_owned(), "acme".to_owned()));
        })
        .init()
        .expect("it starts");
    telemetry.in_scope(|| {
        for tenant in ["acme", "globex"] {
            TENANT_ID.in_scope(tenant, || tracing::info_span!("request").in_scope(|| ()));
        }
    });
    telemetry.shutdown_blocking().expect("it ends in time");
    let spans = collector.spans();
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!(attribute(&spans[0].attributes, "tenant_id").as_deref(), Some("acme"));
}

#[test]
fn the_pod_is_in_the_resource() {
    let collector = Collector::start(Answer::Accept);
    let variables = [
        ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
        ("POD_NAME", "orders-7f"),
        ("POD_UID", "0c9e"),
        ("K8S_NAMESPACE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "k8s.node.name=n1,service.name=from-attributes"),
    ];
    let telemetry = to(&collector).variables(variables).init().expect("it starts");
    telemetry.in_scope(serve);
    telemetry.shutdown_blocking().expect("it ends in time");
    let resource = collector.resources().into_iter().next().expect("something arrived");
    for (name, value) in [
        ("k8s.pod.name", "orders-7f"),
        ("k8s.namespace.name", "shop"),
        ("k8s.node.name", "n1"),
        ("service.instance.id", "0c9e"),
        ("service.name", "from-attributes"),
    ] {
        assert_eq!(attribute(&resource, name).as_deref(), Some(value), "{name}");
    }
}

#[test]
fn long_attributes_are_cut_by_the_limit() {
    let collector = Collector::start(Answer::Accept);
    let variables = [("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3"), ("OTEL_SPAN_EVENT_COUNT_LIMIT", "1")];
    let telemetry = to(&collector).variables(variables).init().expect("it starts");
    telemetry.in_scope(|| {
        let _span = tracing::info_span!("request", long = "äöüß").entered();
        tracing::info!("one");
        tracing::info!("two");
    });
    telemetry.shutdown_blocking().expect("it ends in time");
    let span = collector.span("request");
    assert_eq!(attribute(&span.attributes, "long").as_deref(), Some("äöü"));
    assert_eq!((span.events.len(), span.dropped_events_count), (1, 1));
}

#[test]
fn nothing_is_exported_if_it_is_disabled() {
    let collector = Collector::start(Answer::Accept);
    let telemetry = to(&collector).variables([("OTEL_SDK_DISABLED", "true")]).init().expect("it starts");
    telemetry.in_scope(serve);
    telemetry.shutdown_blocking().expect("it ends in time");
    assert_eq!(collector.requests(), 0);
}
