//! `fmt` as JSON.

use ctx_layer::{ContextLayer, Fields, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::{ATTEMPT, BETA, Captured, PLAN, Plan, RATIO, SHARD, schema};
use serde_json::{Value, json};
use tracing::{Subscriber, info, info_span, subscriber::with_default};
use tracing_subscriber::{Layer, fmt, prelude::*, registry::LookupSpan};

fn json_to<S: Subscriber + for<'a> LookupSpan<'a>>(
    out: &Captured,
) -> fmt::Layer<S, fmt::format::JsonFields, fmt::format::Format<fmt::format::Json, ()>, Captured> {
    fmt::layer().json().with_writer(out.clone()).without_time().with_target(false)
}

fn one_line(run: impl FnOnce()) -> Value {
    let out = Captured::default();
    with_default(tracing_subscriber::registry().with(json_to(&out)).with_context_fields(schema()), run);
    let mut lines = out.json();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

#[test]
fn a_json_line_has_the_field_on_event_and_span() {
    let line = one_line(|| {
        TENANT_ID.in_scope("acme", || {
            let _span = info_span!("request", path = "/orders").entered();
            info!(lines = 3, "order received");
        });
    });
    assert_eq!(
        line,
        json!({
            "level": "INFO",
            "fields": {"message": "order received", "lines": 3, "tenant_id": "acme"},
            "span": {"name": "request", "path": "/orders", "tenant_id": "acme"},
            "spans": [{"name": "request", "path": "/orders", "tenant_id": "acme"}],
        })
    );
}

#[test]
fn a_json_line_keeps_the_types_of_the_fields() {
    let fields = Fields::new()
        .with(&ATTEMPT, -3)
        .with(&SHARD, u64::MAX)
        .with(&RATIO, 0.25)
        .with(&BETA, true)
        .with(&PLAN, Plan(2))
        .with(&TENANT_ID, "acme");
    let expected =
        json!({"attempt": -3, "shard": u64::MAX, "ratio": 0.25, "beta": true, "plan": "plan-2", "tenant_id": "acme"});
    let line = one_line(|| {
        fields.in_scope(|| {
            let _span = info_span!("request").entered();
            info!("received");
        });
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&line["fields"][name], value, "{line}");
        assert_eq!(&line["span"][name], value, "{line}");
    }
}

#[test]
fn a_flattened_json_line_has_the_field_once_at_the_top() {
    let out = Captured::default();
    let layer = fields_once_per_line(json_to(&out).flatten_event(true).with_current_span(false));
    with_default(tracing_subscriber::registry().with(layer).with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", || {
            let _span = info_span!("request", path = "/orders").entered();
            info!("received");
        });
    });
    assert_eq!(out.text().matches("tenant_id").count(), 1);
    assert_eq!(
        out.json(),
        [
            json!({"level": "INFO", "message": "received", "tenant_id": "acme", "spans": [{"name": "request", "path": "/orders"}]})
        ]
    );
}

#[test]
fn a_recorded_value_is_on_the_span_in_json() {
    let line = one_line(|| {
        let _span = info_span!("request", path = "/orders").entered();
        assert!(TENANT_ID.record("acme"));
        info!("authenticated");
    });
    assert_eq!(line["span"], json!({"name": "request", "path": "/orders", "tenant_id": "acme"}));
    assert_eq!(line["fields"], json!({"message": "authenticated", "tenant_id": "acme"}));
}

#[test]
fn a_recorded_value_is_hidden_on_the_span_under_once_per_line() {
    let out = Captured::default();
    let subscriber =
        tracing_subscriber::registry().with(fields_once_per_line(json_to(&out))).with_context_fields(schema());
    with_default(subscriber, || {
        let span = info_span!("request", path = "/orders", status = tracing::field::Empty).entered();
        assert!(TENANT_ID.record("acme"));
        span.record("status", 200);
        info!("authenticated");
    });
    let line = &out.json()[0];
    assert_eq!(line["span"], json!({"name": "request", "path": "/orders", "status": 200}));
    assert_eq!(line["fields"]["tenant_id"], "acme");
}

#[test]
fn around_one_json_output_the_field_is_on_event_and_span() {
    let out = Captured::default();
    let subscriber = tracing_subscriber::registry().with(ContextLayer::new(json_to(&out), schema()).boxed());
    with_default(subscriber, || {
        TENANT_ID.in_scope("acme", || {
            let _span = info_span!("request", path = "/orders").entered();
            info!("received");
        });
    });
    let line = &out.json()[0];
    assert_eq!(line["span"], json!({"name": "request", "path": "/orders", "tenant_id": "acme"}));
    assert_eq!(line["fields"], json!({"message": "received", "tenant_id": "acme"}));
}
