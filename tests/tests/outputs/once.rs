//! Under `fields_once_per_line` each line of every output has each registered field once, with the event's value.

use std::io;

use ctx_layer::{ContextLayer, Schema, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::{Captured, schema};
use tracing::{Span, field::Empty, info, info_span, subscriber::with_default};
use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
use tracing_subscriber::{Layer, Registry, fmt, prelude::*};

type Output = Box<dyn Layer<Registry> + Send + Sync>;

/// Returns every output, in every format that writes spans, with the end of a record.
fn outputs(out: &Captured) -> Vec<(&'static str, &'static str, Output)> {
    let json = || fmt::layer().json().with_writer(out.clone());
    let text = || fmt::layer().with_ansi(false).with_writer(out.clone());
    let other = || json_subscriber::layer().with_writer(out.clone());
    let writer = out.clone();
    vec![
        ("fmt json", "\n", fields_once_per_line(json()).boxed()),
        ("fmt json, flattened", "\n", fields_once_per_line(json().flatten_event(true)).boxed()),
        ("fmt full", "\n", fields_once_per_line(text()).boxed()),
        ("fmt compact", "\n", fields_once_per_line(text().compact()).boxed()),
        ("fmt pretty", "\n\n", fields_once_per_line(text().pretty()).boxed()),
        ("json-subscriber", "\n", fields_once_per_line(other()).boxed()),
        (
            "json-subscriber, current span flattened",
            "\n",
            fields_once_per_line(
                other()
                    .flatten_event(true)
                    .with_current_span(false)
                    .with_span_list(false)
                    .flatten_current_span_on_top_level(true),
            )
            .boxed(),
        ),
        (
            "json-subscriber, spans flattened",
            "\n",
            fields_once_per_line(
                other()
                    .flatten_event(true)
                    .with_current_span(false)
                    .with_span_list(false)
                    .flatten_span_list_on_top_level(true),
            )
            .boxed(),
        ),
        (
            "bunyan",
            "\n",
            fields_once_per_line(
                JsonStorageLayer.and_then(BunyanFormattingLayer::new("tests".into(), move || -> Box<dyn io::Write> {
                    Box::new(writer.clone())
                })),
            )
            .boxed(),
        ),
        (
            "logfmt",
            "\n",
            fields_once_per_line(
                fmt::layer()
                    .event_format(tracing_logfmt::EventsFormatter::default())
                    .fmt_fields(tracing_logfmt::FieldsFormatter::default())
                    .with_writer(out.clone()),
            )
            .boxed(),
        ),
    ]
}

/// Puts a field on a line in every possible way. Each event says which value it must have.
fn all_ways() {
    TENANT_ID.in_scope("acme", || {
        let outer = info_span!("outer", path = "/orders").entered();
        info!(want = "acme", "current");
        let _inner = info_span!("inner", depth = 2).entered();
        info!(want = "acme", "deep");
        info!(want = "own", tenant_id = "own", "its own");
        TENANT_ID.in_scope("globex", || {
            info!(want = "globex", "on behalf of another");
            // Its parent is of the same request, so the current fields stay.
            info!(parent: &outer, want = "globex", "on behalf of its parent");
        });
    });
    {
        let _span = info_span!("request").entered();
        assert!(TENANT_ID.record("acme"));
        info!(want = "acme", "recorded");
        assert!(TENANT_ID.record("globex"));
        info!(want = "globex", "recorded again");
    }
    {
        let span = info_span!("request", tenant_id = Empty).entered();
        assert!(TENANT_ID.record("acme"));
        info!(want = "acme", "recorded where the span declares it");
        span.record("tenant_id", "code");
        info!(want = "acme", "recorded by both");
    }
    TENANT_ID.in_scope("acme", || {
        info_span!("request", tenant_id = Empty).in_scope(|| info!(want = "acme", "filled"));
        info_span!("request", tenant_id = "code").in_scope(|| info!(want = "acme", "current and declared"));
    });
    {
        let declaring = info_span!("request", path = "/", tenant_id = "code", last = 1).entered();
        info!(want = "code", "declared");
        info!(want = "own", tenant_id = "own", "declared and its own");
        let inner = info_span!("inner").entered();
        info!(want = "code", "declared further out");
        info_span!("inner", tenant_id = %"nearer").in_scope(|| info!(want = "nearer", "declared twice"));
        TENANT_ID.in_scope("acme", || info!(want = "acme", "declared, and set since"));
        drop(inner);
        Span::current().record("tenant_id", "changed");
        info!(want = "changed", "declared and changed");
        assert!(TENANT_ID.record("acme"));
        info!(want = "acme", "declared, and recorded since");
        drop(declaring);
        let other = info_span!(parent: None, "other", tenant_id = "elsewhere");
        info!(parent: &other, want = "elsewhere", "declared by its parent");
    }
}

/// Returns the one value of a key in a line of any format.
fn the_one<'a>(record: &'a str, key: &str, output: &str) -> &'a str {
    let found: Vec<_> = record
        .match_indices(key)
        .filter(|(at, _)| !record[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .map(|(at, _)| record[at + key.len()..].trim_start_matches(['"', ':', '=', ' ']))
        .map(|rest| &rest[..rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())])
        .collect();
    assert_eq!(found.len(), 1, "{output}: {key} in {record}");
    found[0]
}

fn each_line_is_as_it_is_to_be(stack: impl Fn(Output) -> tracing::Dispatch) {
    let names: Vec<_> = outputs(&Captured::default()).into_iter().map(|(name, ..)| name).collect();
    for name in names {
        let out = Captured::default();
        let (_, end, output) = outputs(&out).into_iter().find(|(known, ..)| *known == name).unwrap();
        tracing::dispatcher::with_default(&stack(output), all_ways);
        let text = out.text();
        let records: Vec<_> = text.split(end).filter(|record| record.contains("want")).collect();
        assert_eq!(records.len(), 19, "{name}: {text}");
        for record in records {
            assert_eq!(the_one(record, "tenant_id", name), the_one(record, "want", name), "{name}: {record}");
        }
    }
}

#[test]
fn each_output_writes_each_field_once_with_the_events_value() {
    each_line_is_as_it_is_to_be(|output| {
        tracing_subscriber::registry().with(output).with_context_fields(schema()).into()
    });
}

#[test]
fn one_of_several_outputs_writes_each_field_once() {
    each_line_is_as_it_is_to_be(|output| {
        let ids = Schema::builder().field(&SPAN_ID).build().unwrap();
        let json = fields_once_per_line(fmt::layer().json().flatten_event(true).with_writer(io::sink));
        let text = fields_once_per_line(fmt::layer().pretty().with_writer(io::sink));
        tracing_subscriber::registry()
            .with(text.and_then(output).and_then(ContextLayer::new(json, ids)))
            .with_context_fields(schema())
            .into()
    });
}

#[test]
fn values_that_spans_declare_keep_their_types_on_the_line() {
    let out = Captured::default();
    let json = fields_once_per_line(fmt::layer().json().flatten_event(true).with_writer(out.clone()));
    with_default(tracing_subscriber::registry().with(json).with_context_fields(schema()), || {
        let _span =
            info_span!("request", attempt = 3, ratio = 0.5, beta = true, plan = ?Some(1), shard = u64::MAX).entered();
        info!("received");
    });
    let line = &out.json()[0];
    assert_eq!(
        [&line["attempt"], &line["ratio"], &line["beta"], &line["plan"], &line["shard"], &line["span"]],
        [
            &3.into(),
            &0.5.into(),
            &true.into(),
            &"Some(1)".into(),
            &u64::MAX.into(),
            &serde_json::json!({"name": "request"})
        ]
    );
}

#[test]
fn a_field_that_is_not_on_events_stays_on_the_span_that_declares_it() {
    ctx_layer::context_fields! {
        /// A field that is on spans only.
        static REGION: String = "region" => events(false);
    }
    let out = Captured::default();
    let json = fields_once_per_line(fmt::layer().json().with_writer(out.clone()));
    let schema = Schema::builder().field(&REGION).build().unwrap();
    with_default(tracing_subscriber::registry().with(json).with_context_fields(schema), || {
        info_span!("request", region = "eu").in_scope(|| info!("received"));
    });
    assert_eq!(out.json()[0]["span"], serde_json::json!({"name": "request", "region": "eu"}));
}
