//! Lost context is counted and logged, so that alerts can be set on it.

use std::collections::HashMap;

use ctx_layer::{
    Fields,
    field::well_known::*,
    propagation::{self, Boundary, Outbound, Trust, boundaries},
};
use ctx_tests::{Item, Recorder, Value};
use opentelemetry::{Context, baggage::BaggageExt, metrics::MeterProvider};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData},
};
use tracing_subscriber::prelude::*;

use crate::shared::{Headers, LONG, PARENT, headers, schema};

fn valid() -> Headers {
    headers([("traceparent", PARENT)])
}

/// Returns the reason in a warning.
fn reason(item: &Item) -> String {
    match item.get("reason") {
        Some(Value::Debug(reason)) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_outcome_is_counted_where_it_happens() {
    static BOUNDARY: Boundary = Boundary::new("outcomes");
    static OTHER: Boundary = Boundary::new("other outcomes");
    propagation::register(&schema());
    for (carrier, trust) in [
        (valid(), Trust::external()),
        (valid(), Trust::internal()),
        (valid(), Trust::external().link_only()),
        (headers([]), Trust::internal()),
        (headers([]), Trust::internal()),
        (headers([]), Trust::external()),
        (headers([("traceparent", "x")]), Trust::internal()),
        (headers([("traceparent", PARENT), ("traceparent", PARENT)]), Trust::internal()),
        (
            headers([("traceparent", PARENT), ("tracestate", "="), ("baggage", "x-shard=seven,role=x,bad")]),
            Trust::internal(),
        ),
        (headers([("traceparent", PARENT), ("baggage", "tenant_id=victim")]), Trust::external()),
    ] {
        let _ = BOUNDARY.extract(&carrier, trust);
    }
    let mut out = HashMap::new();
    BOUNDARY.inject(&mut out, Outbound::Everything);
    BOUNDARY.extract(&valid(), Trust::external()).in_scope(|| BOUNDARY.inject(&mut out, Outbound::TraceParentOnly));
    Fields::new().with(&LONG, "x".repeat(9000)).in_scope(|| BOUNDARY.inject(&mut out, Outbound::Everything));

    let counts = BOUNDARY.counts();
    assert_eq!((counts.continued, counts.linked, counts.missing, counts.invalid), (5, 1, 3, 2));
    assert_eq!((counts.dropped, counts.over_limit), (5, 1));
    assert_eq!((counts.injected, counts.without_trace), (1, 2));
    assert_eq!((counts.extracted(), counts.restarted(), counts.orphaned()), (11, 3, 5));
    assert_eq!(OTHER.counts(), ctx_layer::propagation::Counts::default());
    let known: Vec<_> = boundaries().into_iter().map(Boundary::name).collect();
    assert!(known.contains(&"outcomes") && !known.contains(&"other outcomes"), "{known:?}");
}

#[test]
fn counting_loses_nothing_across_threads() {
    static BOUNDARY: Boundary = Boundary::new("threads");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| drop(BOUNDARY.extract(&valid(), Trust::external()))));
        }
    });
    assert_eq!(BOUNDARY.counts().continued, 4000);
    assert_eq!(boundaries().into_iter().filter(|known| known.name() == "threads").count(), 1);
}

#[test]
fn a_warning_has_the_reason_and_is_not_repeated() {
    static BOUNDARY: Boundary = Boundary::new("warnings");
    let recorder = Recorder::default();
    let subscriber = tracing_subscriber::registry().with(recorder.clone());
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..100 {
            let _ = BOUNDARY.extract(&headers([("traceparent", "nonsense"), ("baggage", "a=1")]), Trust::external());
            // An external caller need not send one.
            let _ = BOUNDARY.extract(&headers([]), Trust::external());
        }
    });
    let warnings: Vec<_> = recorder.items().iter().map(reason).collect();
    assert!(recorder.items().iter().all(|item| item.text("boundary") == Some("warnings")));
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for expected in [
        "the traceparent is not valid: it is too short or too long",
        "`baggage`: baggage of an external caller is not trusted",
    ] {
        assert!(warnings.iter().any(|warning| warning == expected), "{warnings:?}");
    }
    assert_eq!(BOUNDARY.counts().invalid, 100);
}

#[test]
fn baggage_that_a_recipient_would_refuse_is_counted_by_the_sender() {
    static BOUNDARY: Boundary = Boundary::new("refused baggage");
    propagation::register(&schema());
    let long = "x".repeat(129);
    for (key, value) in [("tenant_id", long.as_str()), ("tenant_id", ""), ("user_id", "a\nb"), ("x-shard", "seven")] {
        let mut out = HashMap::new();
        let before = BOUNDARY.counts().dropped;
        let pairs =
            [opentelemetry::KeyValue::new(key, value.to_owned()), opentelemetry::KeyValue::new("other", "a\nb")];
        let _baggage = Context::current_with_baggage(pairs).attach();
        BOUNDARY.inject(&mut out, Outbound::Everything);
        assert_eq!(
            (out["baggage"].as_str(), BOUNDARY.counts().dropped - before),
            ("other=a%0Ab", 1),
            "{key}={value:?}"
        );
    }
}

#[test]
fn a_missing_traceparent_of_an_internal_caller_is_a_warning() {
    static BOUNDARY: Boundary = Boundary::new("orphans");
    let recorder = Recorder::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(recorder.clone()), || {
        let _ = BOUNDARY.extract(&headers([]), Trust::internal());
    });
    let items = recorder.items();
    assert_eq!(items.len(), 1);
    assert_eq!(reason(&items[0]), "there is no traceparent, although the caller is internal");
}

#[test]
fn counts_can_be_read_as_metrics() {
    static BOUNDARY: Boundary = Boundary::new("metrics");
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_reader(PeriodicReader::builder(exporter.clone()).build()).build();
    propagation::observe(&provider.meter("tests"));
    let _ = BOUNDARY.extract(&valid(), Trust::external());
    let _ = BOUNDARY.extract(&headers([("traceparent", "x")]), Trust::internal());
    TENANT_ID.in_scope("acme", || BOUNDARY.inject(&mut Vec::<(String, String)>::new(), Outbound::Everything));
    provider.force_flush().expect("it can be flushed");

    let mut found = HashMap::new();
    for resource in exporter.get_finished_metrics().expect("it is not shut down") {
        for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
            let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() else { panic!("{metric:?}") };
            assert!(sum.is_monotonic());
            for point in sum.data_points() {
                let of = |key: &str| {
                    point.attributes().find(|it| it.key.as_str() == key).map(|it| it.value.as_str().into_owned())
                };
                if of("boundary").as_deref() == Some("metrics") {
                    found.insert((metric.name().to_owned(), of("outcome").unwrap_or_default()), point.value());
                }
            }
        }
    }
    let value = |name: &str, outcome: &str| found.get(&(name.to_owned(), outcome.to_owned())).copied();
    assert_eq!(value("ctx.propagation.extracted", "continued"), Some(1));
    assert_eq!(value("ctx.propagation.extracted", "invalid"), Some(1));
    assert_eq!(value("ctx.propagation.extracted", "missing"), Some(0));
    assert_eq!(value("ctx.propagation.restarted", "invalid"), Some(1));
    assert_eq!(value("ctx.propagation.injected", "without_trace"), Some(1));
    assert_eq!(value("ctx.propagation.dropped", "over_limit"), Some(0));
}
