//! The other JSON outputs: `json-subscriber` and `tracing-bunyan-formatter`.

use ctx_layer::{SubscriberFieldsExt, field::well_known::*};
use ctx_tests::{ATTEMPT, Captured, schema};
use serde_json::json;
use tracing::{info, info_span, subscriber::with_default};
use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
use tracing_subscriber::prelude::*;

fn handle_a_request() {
    TENANT_ID.in_scope("acme", || {
        ATTEMPT.in_scope(2, || {
            let _span = info_span!("request", path = "/orders").entered();
            info!(lines = 3, "order received");
        });
    });
}

#[test]
fn a_json_subscriber_line_has_the_field_on_event_and_span() {
    let out = Captured::default();
    let layer = json_subscriber::layer().with_writer(out.clone()).without_time().with_target(false);
    with_default(tracing_subscriber::registry().with(layer).with_context_fields(schema()), handle_a_request);
    let span = json!({"name": "request", "path": "/orders", "tenant_id": "acme", "attempt": 2});
    assert_eq!(
        out.json(),
        [json!({
            "level": "INFO",
            "fields": {"message": "order received", "lines": 3, "tenant_id": "acme", "attempt": 2},
            "span": span,
            "spans": [span],
        })]
    );
}

#[test]
fn a_flattened_json_subscriber_line_has_the_field_at_the_top() {
    let out = Captured::default();
    let layer = json_subscriber::layer().with_writer(out.clone()).without_time().flatten_event(true);
    let layer = layer.with_current_span(false).with_span_list(false).flatten_current_span_on_top_level(true);
    with_default(tracing_subscriber::registry().with(layer).with_context_fields(schema()), handle_a_request);
    let line = &out.json()[0];
    assert_eq!((&line["tenant_id"], &line["attempt"], &line["path"]), (&json!("acme"), &json!(2), &json!("/orders")));
}

#[test]
fn a_recorded_value_is_on_the_span_in_a_json_subscriber_line() {
    let out = Captured::default();
    let layer = json_subscriber::layer().with_writer(out.clone());
    with_default(tracing_subscriber::registry().with(layer).with_context_fields(schema()), || {
        let _span = info_span!("request").entered();
        assert!(TENANT_ID.record("acme"));
        info!("authenticated");
    });
    assert_eq!(out.json()[0]["span"], json!({"name": "request", "tenant_id": "acme"}));
}

#[test]
fn bunyan_records_have_the_field_on_event_span_start_and_span_end() {
    let out = Captured::default();
    let subscriber = tracing_subscriber::registry()
        .with(JsonStorageLayer)
        .with(BunyanFormattingLayer::new("tests".into(), out.clone()))
        .with_context_fields(schema());
    with_default(subscriber, || {
        handle_a_request();
        // Only the event: in a span the formatter merges both.
        TENANT_ID.in_scope("globex", || info!("alone"));
    });
    let lines = out.json();
    let messages: Vec<_> = lines.iter().map(|line| line["msg"].as_str().unwrap()).collect();
    assert_eq!(messages, ["[REQUEST - START]", "[REQUEST - EVENT] order received", "[REQUEST - END]", "alone"]);
    let tenants: Vec<_> = lines.iter().map(|line| line["tenant_id"].as_str().unwrap()).collect();
    assert_eq!(tenants, ["acme", "acme", "acme", "globex"]);
    assert_eq!(lines[1]["attempt"], 2);
}
