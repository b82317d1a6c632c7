//! Metric events are unchanged unless a field opts in.

use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::*};
use ctx_tests::{Recorder, attribute, schema};
use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData},
};
use tracing::{info, subscriber::with_default};
use tracing_opentelemetry::MetricsLayer;
use tracing_subscriber::prelude::*;

fn opted_in() -> Schema {
    Schema::builder().field_with(&TENANT_ID, |policy| policy.metrics(true)).field(&USER_ID).build().unwrap()
}

fn emit() {
    TENANT_ID.in_scope("acme", || {
        USER_ID.in_scope("u-1", || {
            info!(monotonic_counter.orders = 1u64, region = "eu", "counted");
            info!(counter.open = -1i64, region = "eu", "counted down");
            info!(histogram.size = 1.5, region = "eu", "measured");
            info!(gauge.depth = 3i64, region = "eu", "gauged");
            info!(region = "eu", "no metric");
        });
    });
}

const METRIC_EVENTS: [&str; 4] = ["counted", "counted down", "measured", "gauged"];

#[test]
fn metric_events_are_unchanged() {
    let recorder = Recorder::default();
    with_default(tracing_subscriber::registry().with(recorder.clone()).with_context_fields(schema()), emit);
    for message in METRIC_EVENTS {
        let event = recorder.event(message);
        assert_eq!((event.text("tenant_id"), event.text("region")), (None, Some("eu")), "{message}");
    }
    assert_eq!(recorder.event("no metric").text("tenant_id"), Some("acme"));
}

#[test]
fn a_field_that_opts_in_is_on_metric_events() {
    let recorder = Recorder::default();
    with_default(tracing_subscriber::registry().with(recorder.clone()).with_context_fields(opted_in()), emit);
    for message in METRIC_EVENTS {
        let event = recorder.event(message);
        assert_eq!((event.text("tenant_id"), event.text("user_id")), (Some("acme"), None), "{message}");
    }
    assert_eq!(recorder.event("no metric").text("user_id"), Some("u-1"));
}

/// Returns the attributes of the one data point of each instrument, by the instrument's name.
fn exported(schema: Schema) -> Vec<(String, Vec<KeyValue>)> {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    let layer = MetricsLayer::new(provider.clone());
    with_default(tracing_subscriber::registry().with(layer).with_context_fields(schema), emit);
    provider.force_flush().unwrap();

    fn attributes<T>(data: &MetricData<T>) -> Vec<Vec<KeyValue>> {
        match data {
            MetricData::Sum(sum) => sum.data_points().map(|point| point.attributes().cloned().collect()).collect(),
            MetricData::Gauge(gauge) => {
                gauge.data_points().map(|point| point.attributes().cloned().collect()).collect()
            }
            MetricData::Histogram(histogram) => {
                histogram.data_points().map(|point| point.attributes().cloned().collect()).collect()
            }
            MetricData::ExponentialHistogram(_) => panic!("not asked for"),
        }
    }
    let mut all = Vec::new();
    for resource in exporter.get_finished_metrics().unwrap() {
        for metric in resource.scope_metrics().flat_map(|scope| scope.metrics()) {
            let mut points = match metric.data() {
                AggregatedMetrics::F64(data) => attributes(data),
                AggregatedMetrics::I64(data) => attributes(data),
                AggregatedMetrics::U64(data) => attributes(data),
            };
            assert_eq!(points.len(), 1, "{}", metric.name());
            let mut attributes = points.remove(0);
            // The test above finds events by the message.
            attributes.retain(|attribute| attribute.key.as_str() != "message");
            all.push((metric.name().to_owned(), attributes));
        }
    }
    let mut names: Vec<_> = all.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["depth", "open", "orders", "size"]);
    all
}

#[test]
fn exported_metrics_lack_the_field() {
    for (name, attributes) in exported(schema()) {
        assert_eq!(attributes, [KeyValue::new("region", "eu")], "{name}");
    }
}

#[test]
fn exported_metrics_have_a_field_that_opts_in_as_attribute() {
    for (name, attributes) in exported(opted_in()) {
        assert_eq!(attributes.len(), 2, "{name}: {attributes:?}");
        assert_eq!(attribute(&attributes, "tenant_id"), Some("acme".into()), "{name}");
        assert_eq!(attribute(&attributes, "region"), Some("eu".into()), "{name}");
    }
}
