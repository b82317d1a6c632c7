//! `opentelemetry-appender-tracing`: log records.

use ctx_layer::{ContextLayer, Fields, SubscriberFieldsExt, field::well_known::*};
use ctx_tests::{ATTEMPT, BETA, PLAN, Plan, RATIO, schema};
use opentelemetry::{Key, logs::AnyValue};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLogRecord, SdkLoggerProvider};
use tracing::{info, info_span, subscriber::with_default};
use tracing_subscriber::prelude::*;

fn value(record: &SdkLogRecord, key: &'static str) -> Option<AnyValue> {
    let mut found = record.attributes_iter().filter(|(known, _)| *known == Key::new(key)).map(|(_, value)| value);
    let value = found.next().cloned();
    assert!(found.next().is_none(), "{key} is twice on {record:?}");
    value
}

fn check(record: &SdkLogRecord) {
    assert_eq!(record.body(), Some(&AnyValue::from("order received")));
    assert_eq!(value(record, "lines"), Some(AnyValue::Int(3)));
    assert_eq!(value(record, "tenant_id"), Some(AnyValue::from("acme")));
    assert_eq!(value(record, "attempt"), Some(AnyValue::Int(-3)));
    assert_eq!(value(record, "ratio"), Some(AnyValue::Double(0.25)));
    assert_eq!(value(record, "beta"), Some(AnyValue::Boolean(true)));
    assert_eq!(value(record, "plan"), Some(AnyValue::from("plan-2")));
}

fn handle_a_request() {
    let fields = Fields::new().with(&TENANT_ID, "acme").with(&ATTEMPT, -3).with(&RATIO, 0.25).with(&BETA, true);
    fields.with(&PLAN, Plan(2)).in_scope(|| info_span!("request").in_scope(|| info!(lines = 3, "order received")));
}

#[test]
fn a_log_record_has_the_fields_as_typed_attributes() {
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let bridge = OpenTelemetryTracingBridge::new(&provider);
    with_default(tracing_subscriber::registry().with(bridge).with_context_fields(schema()), handle_a_request);
    let logs = exporter.get_emitted_logs().unwrap();
    assert_eq!(logs.len(), 1);
    check(&logs[0].record);
}

#[test]
fn around_the_log_bridge_alone_its_records_have_the_fields() {
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let bridge = ContextLayer::new(OpenTelemetryTracingBridge::new(&provider), schema());
    with_default(tracing_subscriber::registry().with(bridge), handle_a_request);
    check(&exporter.get_emitted_logs().unwrap()[0].record);
}
