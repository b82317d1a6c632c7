//! A field that one output may show and others must not.

use ctx_layer::{ContextLayer, Schema, WithContextExt, field::well_known::*};
use ctx_tests::{Captured, EMAIL, Exported, HASHED_EMAIL, attribute, schema};
use tracing::{info, info_span, subscriber::with_default};
use tracing_subscriber::{Layer, fmt, prelude::*};

const ADDRESS: &str = "ada@example.com";

fn masked() -> Schema {
    Schema::builder().field(&TENANT_ID).field(&EMAIL).field(&HASHED_EMAIL).build().unwrap()
}

fn revealed() -> Schema {
    Schema::builder()
        .field_with(&EMAIL, |policy| policy.reveal())
        .field_with(&HASHED_EMAIL, |policy| policy.reveal())
        .build()
        .unwrap()
}

fn handle_a_request() {
    EMAIL.in_scope(ADDRESS, || {
        HASHED_EMAIL.in_scope(ADDRESS, || {
            let _span = info_span!("request").entered();
            info!("received");
        });
    });
}

fn is_hash(text: &str) -> bool {
    text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit())
}

#[test]
fn a_masked_field_is_redacted_and_a_hashed_one_hashed_in_every_output() {
    let (json, text, otel) = (Captured::default(), Captured::default(), Exported::new());
    let subscriber = tracing_subscriber::registry()
        .with(fmt::layer().json().with_writer(json.clone()))
        .with(fmt::layer().with_writer(text.clone()))
        .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()))
        .with_context(masked());
    with_default(subscriber, handle_a_request);

    assert!(!json.text().contains("ada") && !text.text().contains("ada"));
    let line = &json.json()[0];
    for values in [&line["fields"], &line["span"]] {
        assert_eq!(values["email"], "[redacted]", "{line}");
        assert!(is_hash(values["email_hash"].as_str().unwrap()), "{line}");
    }
    let span = otel.span("request");
    for attributes in [&span.attributes, &span.events.events[0].attributes] {
        assert_eq!(attribute(attributes, "email"), Some("[redacted]".into()));
        let hash = attribute(attributes, "email_hash").unwrap();
        assert!(is_hash(&hash.as_str()), "{hash}");
        assert_eq!(line["fields"]["email_hash"], *hash.as_str());
    }
}

#[test]
fn equal_values_have_equal_hashes_and_others_have_others() {
    let out = Captured::default();
    let subscriber =
        tracing_subscriber::registry().with(fmt::layer().json().with_writer(out.clone())).with_context(masked());
    with_default(subscriber, || {
        for address in ["a", "b", "a"] {
            HASHED_EMAIL.in_scope(address, || info!("received"));
        }
    });
    let hashes: Vec<_> = out.json().iter().map(|line| line["fields"]["email_hash"].clone()).collect();
    assert_eq!(hashes[0], hashes[2]);
    assert_ne!(hashes[0], hashes[1]);
}

#[test]
fn a_masked_value_recorded_late_is_redacted_on_the_span() {
    let (json, otel) = (Captured::default(), Exported::new());
    let subscriber = tracing_subscriber::registry()
        .with(fmt::layer().json().with_writer(json.clone()))
        .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()))
        .with_context(masked());
    with_default(subscriber, || {
        let _span = info_span!("request").entered();
        EMAIL.record(ADDRESS);
        info!("authenticated");
    });
    assert_eq!(json.json()[0]["span"]["email"], "[redacted]");
    assert_eq!(json.json()[0]["fields"]["email"], "[redacted]");
    assert_eq!(attribute(&otel.span("request").attributes, "email"), Some("[redacted]".into()));
}

#[test]
fn one_output_shows_the_plain_value_that_the_exported_trace_masks() {
    let (json, otel) = (Captured::default(), Exported::new());
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(revealed()).around(fmt::layer().json().with_writer(json.clone())))
        .with(ContextLayer::new(masked()).around(tracing_opentelemetry::layer().with_tracer(otel.tracer())));
    with_default(subscriber, handle_a_request);
    let line = &json.json()[0];
    let values = &line["fields"];
    assert_eq!((&values["email"], &values["email_hash"]), (&ADDRESS.into(), &ADDRESS.into()), "{line}");
    // Outputs of one format share what they write of spans: nothing is revealed there.
    assert!(line["span"].get("email").is_none(), "{line}");
    let span = otel.span("request");
    for attributes in [&span.attributes, &span.events.events[0].attributes] {
        assert_eq!(attribute(attributes, "email"), Some("[redacted]".into()));
        assert!(is_hash(&attribute(attributes, "email_hash").unwrap().as_str()));
    }
}

#[test]
fn an_output_that_reveals_shows_the_plain_value_of_a_field_that_the_stack_masks() {
    let (json, otel) = (Captured::default(), Exported::new());
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(revealed()).around(fmt::layer().json().with_writer(json.clone())))
        .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()))
        .with_context(masked());
    with_default(subscriber, handle_a_request);
    assert_eq!(attribute(&otel.span("request").attributes, "email"), Some("[redacted]".into()));
    let line = &json.json()[0];
    assert_eq!(line["fields"]["email"], ADDRESS, "{line}");
    assert_eq!(line["span"]["email"], "[redacted]", "{line}");
}

#[test]
fn a_value_revealed_to_one_output_does_not_reach_another_of_the_same_format() {
    for plain_first in [true, false] {
        let (plain, other) = (Captured::default(), Captured::default());
        let mut outputs = vec![
            ContextLayer::new(revealed()).around(fmt::layer().json().with_writer(plain.clone())).boxed(),
            ContextLayer::new(masked()).around(fmt::layer().json().with_writer(other.clone())).boxed(),
        ];
        if !plain_first {
            outputs.reverse();
        }
        with_default(tracing_subscriber::registry().with(outputs), handle_a_request);
        assert!(plain.text().contains(ADDRESS));
        assert!(!other.text().contains(ADDRESS), "plain first: {plain_first}: {}", other.text());
    }
}

#[test]
fn a_field_unknown_to_every_schema_stands_nowhere() {
    let out = Captured::default();
    let subscriber =
        tracing_subscriber::registry().with(fmt::layer().json().with_writer(out.clone())).with_context(schema());
    with_default(subscriber, handle_a_request);
    assert!(!out.text().contains("email"), "{}", out.text());
}

#[test]
fn a_field_stands_where_its_policy_says() {
    let spans_only = Schema::builder().field_with(&TENANT_ID, |policy| policy.events(false)).build().unwrap();
    let events_only = Schema::builder().field_with(&TENANT_ID, |policy| policy.spans(false)).build().unwrap();
    let nowhere = Schema::builder().field_with(&TENANT_ID, |policy| policy.spans(false).events(false)).build().unwrap();
    for (schema, on_event, on_span) in [(spans_only, false, true), (events_only, true, false), (nowhere, false, false)]
    {
        let out = Captured::default();
        let subscriber =
            tracing_subscriber::registry().with(fmt::layer().json().with_writer(out.clone())).with_context(schema);
        with_default(subscriber, || {
            TENANT_ID.in_scope("acme", || info_span!("request").in_scope(|| info!("received")));
        });
        let line = &out.json()[0];
        assert_eq!(line["fields"]["tenant_id"] == "acme", on_event, "{line}");
        assert_eq!(line["span"]["tenant_id"] == "acme", on_span, "{line}");
    }
}
