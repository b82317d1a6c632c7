//! Sensitive fields: each output shows them by its own schema, or by its stack's.

use ctx_layer::{
    ContextLayer, Fields, Schema, SubscriberFieldsExt,
    field::{Policy, well_known::*},
    fields_once_per_line,
    output::json,
};
use ctx_tests::{Captured, EMAIL, HASHED_EMAIL};
use serde_json::Value;
use tracing::{info, subscriber::with_default};
use tracing_subscriber::prelude::*;

use super::strict;

const ADDRESS: &str = "ada@example.com";

fn stack_schema() -> Schema {
    let schema = Schema::builder().field(&TENANT_ID).field(&EMAIL).field(&HASHED_EMAIL);
    schema.field_with(&USER_ID, |policy| policy.masked()).build().unwrap()
}

fn revealed() -> Schema {
    Schema::builder().field_with(&EMAIL, |policy| policy.reveal()).build().unwrap()
}

fn run() {
    let fields = Fields::new().with(&TENANT_ID, "acme").with(&EMAIL, ADDRESS).with(&HASHED_EMAIL, ADDRESS);
    fields.with(&USER_ID, "ada").in_scope(|| {
        info!("first");
        info!("second");
    });
}

fn layer(lines: &Captured) -> json::JsonLayer<Captured> {
    json::layer().with_writer(lines.clone())
}

fn parsed(lines: &Captured) -> Vec<Value> {
    let lines: Vec<_> = lines.lines().iter().map(|line| strict::parse(line)).collect();
    assert_eq!(lines.len(), 2);
    lines
}

#[test]
fn each_output_shows_a_sensitive_field_by_its_own_schema() {
    let [plain, own] = [(); 2].map(|()| Captured::default());
    let stack = tracing_subscriber::registry().with(layer(&plain)).with(layer(&own).with_schema(revealed()));
    with_default(stack.with_context_fields(stack_schema()), run);
    for line in parsed(&plain) {
        assert_eq!((&line["email"], &line["user_id"]), (&"[redacted]".into(), &"[redacted]".into()), "{line}");
        assert_eq!(line["email_hash"].as_str().map(str::len), Some(32), "{line}");
        assert_eq!(line["tenant_id"], "acme");
    }
    for line in parsed(&own) {
        assert_eq!(line["email"], ADDRESS);
        assert!(line.get("tenant_id").is_none() && line.get("user_id").is_none(), "not in its schema: {line}");
    }
}

#[test]
fn without_any_schema_fields_are_shown_by_their_own_policies() {
    let lines = Captured::default();
    with_default(tracing_subscriber::registry().with(layer(&lines)), run);
    for line in parsed(&lines) {
        assert_eq!((&line["email"], &line["user_id"]), (&"[redacted]".into(), &"ada".into()), "{line}");
        assert_ne!(line["email_hash"], ADDRESS);
    }
}

#[test]
fn an_output_without_a_schema_masks_by_the_stacks_schema() {
    for held in 0..3 {
        let lines = Captured::default();
        let layer = layer(&lines);
        let stack = tracing_subscriber::registry();
        match held {
            0 => with_default(stack.with(Some(layer)).with_context_fields(stack_schema()), run),
            1 => with_default(stack.with(vec![layer]).with_context_fields(stack_schema()), run),
            _ => with_default(
                stack.with(tracing_subscriber::reload::Layer::new(layer).0).with_context_fields(stack_schema()),
                run,
            ),
        }
        for line in parsed(&lines) {
            assert_eq!(
                (&line["email"], &line["user_id"]),
                (&"[redacted]".into(), &"[redacted]".into()),
                "{held}: {line}"
            );
        }
    }
}

#[test]
fn a_context_layer_around_it_decides_what_it_shows() {
    let [around, beside] = [(); 2].map(|()| Captured::default());
    let masked = Schema::builder().field_with(&TENANT_ID, |policy| policy.masked()).build().unwrap();
    let stack = tracing_subscriber::registry().with(ContextLayer::new(layer(&around), masked)).with(layer(&beside));
    with_default(stack.with_context_fields(stack_schema()), run);
    for line in parsed(&around) {
        assert_eq!((&line["tenant_id"], &line["user_id"]), (&"[redacted]".into(), &"[redacted]".into()), "{line}");
    }
    for line in parsed(&beside) {
        assert_eq!(line["tenant_id"], "acme");
    }
}

#[test]
fn a_line_is_the_same_in_once_per_line() {
    let [within, alone] = [(); 2].map(|()| Captured::default());
    let stack = tracing_subscriber::registry()
        .with(fields_once_per_line(layer(&within).without_time()))
        .with(layer(&alone).without_time());
    with_default(stack.with_context_fields(stack_schema()), run);
    assert_eq!(within.lines(), alone.lines());
}

#[test]
fn a_second_default_stack_has_its_own_schema() {
    let [masking, showing] = [(); 2].map(|()| Captured::default());
    let public = Schema::builder().field_with(&EMAIL, |_| Policy::new()).build().unwrap();
    let first = tracing::Dispatch::new(
        tracing_subscriber::registry().with(layer(&masking)).with_context_fields(stack_schema()),
    );
    let second =
        tracing::Dispatch::new(tracing_subscriber::registry().with(layer(&showing)).with_context_fields(public));
    // One set for both: it is encoded for each.
    let fields = Fields::new().with(&EMAIL, ADDRESS);
    fields.in_scope(|| {
        for _ in 0..2 {
            tracing::dispatcher::with_default(&first, || info!("masked"));
            tracing::dispatcher::with_default(&second, || info!("shown"));
        }
    });
    assert!(parsed(&masking).iter().all(|line| line["email"] == "[redacted]"));
    assert!(parsed(&showing).iter().all(|line| line["email"] == ADDRESS));
}

#[test]
fn a_metric_event_has_the_fields_that_are_allowed_on_metrics() {
    let schema =
        Schema::builder().field(&TENANT_ID).field_with(&USER_ID, |policy| policy.metrics(true)).build().unwrap();
    let lines = Captured::default();
    with_default(tracing_subscriber::registry().with(layer(&lines)).with_context_fields(schema), || {
        Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "ada").in_scope(|| {
            info!("event");
            info!(counter.orders = 1, "metric");
        });
    });
    let lines = parsed(&lines);
    assert!(lines[0]["tenant_id"] == "acme" && lines[0]["user_id"] == "ada");
    assert!(lines[1].get("tenant_id").is_none() && lines[1]["user_id"] == "ada");
}
