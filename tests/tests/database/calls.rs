//! Spans of calls, by <https://github.com/open-telemetry/semantic-conventions/blob/v1.42.0/docs/database/database-spans.md>.

use ctx_layer::{Schema, SubscriberFieldsExt, database::Call, field::well_known::TENANT_ID};
use opentelemetry::trace::{SpanKind, Status, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing_subscriber::prelude::*;

/// Returns the spans of `f`.
fn spans(f: impl FnOnce()) -> Vec<SpanData> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let stack = tracing_subscriber::registry().with(layer).with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(stack, f);
    exporter.get_finished_spans().expect("it does not fail")
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    span.attributes.iter().find(|pair| pair.key.as_str() == key).map(|pair| pair.value.to_string())
}

#[test]
fn a_call_is_a_client_span_with_the_fields() {
    let call = Call::new("postgresql", "SELECT")
        .collection("orders")
        .namespace("shop")
        .query("SELECT name FROM orders WHERE id = $1")
        .server("db.internal", 5432);
    let spans = spans(|| {
        let called = TENANT_ID.in_scope("acme", || call.in_scope(|| Ok::<_, std::io::Error>(7)));
        assert_eq!(called.expect("it does not fail"), 7);
    });
    let [span] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!((&*span.name, &span.span_kind, &span.status), ("SELECT orders", &SpanKind::Client, &Status::Unset));
    let expected = [
        ("db.system.name", "postgresql"),
        ("db.operation.name", "SELECT"),
        ("db.collection.name", "orders"),
        ("db.namespace", "shop"),
        ("db.query.text", "SELECT name FROM orders WHERE id = $1"),
        ("server.address", "db.internal"),
        ("server.port", "5432"),
        ("tenant_id", "acme"),
    ];
    for (key, value) in expected {
        assert_eq!(attribute(span, key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(attribute(span, "error.type"), None);
}

#[tokio::test]
async fn a_failed_call_records_its_error() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let stack = tracing_subscriber::registry().with(layer).with_context_fields(Schema::well_known());
    let _default = tracing::subscriber::set_default(stack);
    let failed = Call::new("redis", "GET").run(async { Err::<(), _>(std::io::Error::other("no answer")) }).await;
    assert!(failed.is_err());
    let spans = exporter.get_finished_spans().expect("it does not fail");
    let [span] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!((&*span.name, &span.status), ("GET", &Status::error("no answer")));
    assert_eq!(attribute(span, "error.type").as_deref(), Some("std::io::error::Error"));
}
