//! A field that one output may show and others must mask.

use ctx_layer::{
    ContextLayer, Fields, Schema, SubscriberFieldsExt,
    field::{Policy, well_known::*},
    fields_once_per_line,
};
use ctx_tests::{ATTEMPT, Captured, EMAIL, Exported, HASHED_EMAIL, Item, Recorder, Value, attribute, schema};
use tracing::{field::Empty, info, info_span, subscriber::with_default};
use tracing_subscriber::{Layer, fmt::layer, prelude::*};

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

/// An output that reveals everything, on spans too.
fn public() -> Schema {
    let fields = Schema::builder().field_with(&EMAIL, |_| Policy::new());
    fields.field_with(&HASHED_EMAIL, |_| Policy::new()).build().unwrap()
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
        .with(layer().json().with_writer(json.clone()))
        .with(layer().with_writer(text.clone()))
        .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()))
        .with_context_fields(masked());
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
fn equal_values_have_equal_hashes_and_different_ones_differ() {
    let out = Captured::default();
    let subscriber =
        tracing_subscriber::registry().with(layer().json().with_writer(out.clone())).with_context_fields(masked());
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
fn a_masked_value_that_is_recorded_is_redacted_on_the_span() {
    let (json, otel) = (Captured::default(), Exported::new());
    let subscriber = tracing_subscriber::registry()
        .with(layer().json().with_writer(json.clone()))
        .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()))
        .with_context_fields(masked());
    with_default(subscriber, || {
        let _span = info_span!("request").entered();
        assert!(EMAIL.record(ADDRESS));
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
        .with(ContextLayer::new(layer().json().with_writer(json.clone()), revealed()))
        .with(ContextLayer::new(tracing_opentelemetry::layer().with_tracer(otel.tracer()), masked()));
    with_default(subscriber, handle_a_request);
    let line = &json.json()[0];
    let values = &line["fields"];
    assert_eq!((&values["email"], &values["email_hash"]), (&ADDRESS.into(), &ADDRESS.into()), "{line}");
    // Outputs of one format share the formatted fields of spans: nothing is revealed there.
    assert!(line["span"].get("email").is_none(), "{line}");
    let span = otel.span("request");
    for attributes in [&span.attributes, &span.events.events[0].attributes] {
        assert_eq!(attribute(attributes, "email"), Some("[redacted]".into()));
        assert!(is_hash(&attribute(attributes, "email_hash").unwrap().as_str()));
    }
}

#[test]
fn a_revealing_output_shows_the_plain_value_that_the_stack_masks() {
    let (json, otel) = (Captured::default(), Exported::new());
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(layer().json().with_writer(json.clone()), revealed()))
        .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()))
        .with_context_fields(masked());
    with_default(subscriber, handle_a_request);
    assert_eq!(attribute(&otel.span("request").attributes, "email"), Some("[redacted]".into()));
    let line = &json.json()[0];
    assert_eq!(line["fields"]["email"], ADDRESS, "{line}");
    assert_eq!(line["span"]["email"], "[redacted]", "{line}");
}

/// Creates spans and events that declare the fields empty, for this crate to fill.
fn handle_a_request_that_declares_the_fields() {
    Fields::new().with(&EMAIL, ADDRESS).with(&HASHED_EMAIL, ADDRESS).in_scope(|| {
        let _span = info_span!("request", path = "/", email = Empty, email_hash = Empty, lines = 3).entered();
        info!(email = Empty, lines = 3, email_hash = Empty, "received");
    });
}

fn span_and_event(recorder: &Recorder) -> [Item; 2] {
    [recorder.span("request"), recorder.event("received")]
}

#[test]
fn a_field_declared_empty_is_shown_by_each_outputs_policy() {
    let (masks, shows, inside, other) =
        (Recorder::default(), Recorder::default(), Recorder::default(), Recorder::default());
    let unrelated = Schema::builder().field(&ATTEMPT).build().unwrap();
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(masks.clone(), masked()))
        .with(ContextLayer::new(shows.clone(), public()))
        // The layer in between passes on other fields, and has none of these.
        .with(fields_once_per_line(ContextLayer::new(ContextLayer::new(inside.clone(), masked()), unrelated)))
        .with(other.clone())
        .with_context_fields(public());
    with_default(subscriber, handle_a_request_that_declares_the_fields);
    for item in [span_and_event(&masks), span_and_event(&inside)].concat() {
        assert_eq!(item.text("email"), Some("[redacted]"), "{item:?}");
        assert!(is_hash(item.text("email_hash").unwrap()), "{item:?}");
        assert_eq!(item.get("lines"), Some(&Value::I64(3)));
    }
    for item in [span_and_event(&shows), span_and_event(&other)].concat() {
        assert_eq!((item.text("email"), item.text("email_hash")), (Some(ADDRESS), Some(ADDRESS)), "{item:?}");
    }
}

#[test]
fn a_revealing_output_shows_a_masked_field_that_is_declared_empty() {
    let (shows, other) = (Recorder::default(), Recorder::default());
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(shows.clone(), public()))
        .with(other.clone())
        .with_context_fields(masked());
    with_default(subscriber, handle_a_request_that_declares_the_fields);
    for (shown, masked) in span_and_event(&shows).iter().zip(span_and_event(&other)) {
        assert_eq!((shown.text("email"), masked.text("email")), (Some(ADDRESS), Some("[redacted]")));
    }
}

#[test]
fn a_value_that_the_call_site_sets_is_not_masked() {
    let masks = Recorder::default();
    let subscriber =
        tracing_subscriber::registry().with(ContextLayer::new(masks.clone(), masked())).with_context_fields(public());
    with_default(subscriber, || {
        EMAIL.in_scope(ADDRESS, || {
            let span = info_span!("request", email = "own", email_hash = Empty);
            span.record("email_hash", "recorded");
            span.in_scope(|| info!(email = "own", "received"));
        });
    });
    for item in span_and_event(&masks) {
        assert_eq!(item.text("email"), Some("own"));
    }
    assert_eq!(masks.records()[0].text("email_hash"), Some("recorded"));
}

#[test]
fn a_recorded_value_of_a_declared_field_is_shown_by_each_outputs_policy() {
    let (masks, inside, other) = (Recorder::default(), Recorder::default(), Recorder::default());
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(masks.clone(), masked()))
        .with(fields_once_per_line(ContextLayer::new(inside.clone(), masked())))
        .with(other.clone())
        .with_context_fields(public());
    with_default(subscriber, || {
        let _span = info_span!("request", email = Empty).entered();
        assert!(EMAIL.record(ADDRESS));
    });
    assert_eq!(masks.records()[0].text("email"), Some("[redacted]"));
    // There it is on events only.
    assert!(inside.records().is_empty());
    assert_eq!(other.records()[0].text("email"), Some(ADDRESS));
}

#[test]
fn a_value_revealed_to_one_output_reaches_no_other_of_its_format() {
    for plain_first in [true, false] {
        let (plain, other) = (Captured::default(), Captured::default());
        let mut outputs = vec![
            ContextLayer::new(layer().json().with_writer(plain.clone()), revealed()).boxed(),
            ContextLayer::new(layer().json().with_writer(other.clone()), masked()).boxed(),
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
fn a_field_in_no_schema_is_shown_nowhere() {
    let out = Captured::default();
    let subscriber =
        tracing_subscriber::registry().with(layer().json().with_writer(out.clone())).with_context_fields(schema());
    with_default(subscriber, handle_a_request);
    // A warning names the field that no schema has.
    let lines = out.json().into_iter().filter(|line| line["target"] != "ctx_layer").map(|line| line.to_string());
    assert!(lines.into_iter().all(|line| !line.contains("email")), "{}", out.text());
}

#[test]
fn a_field_is_shown_where_its_policy_allows_it() {
    let spans_only = Schema::builder().field_with(&TENANT_ID, |policy| policy.events(false)).build().unwrap();
    let events_only = Schema::builder().field_with(&TENANT_ID, |policy| policy.spans(false)).build().unwrap();
    let nowhere = Schema::builder().field_with(&TENANT_ID, |policy| policy.spans(false).events(false)).build().unwrap();
    for (schema, on_event, on_span) in [(spans_only, false, true), (events_only, true, false), (nowhere, false, false)]
    {
        let out = Captured::default();
        let subscriber =
            tracing_subscriber::registry().with(layer().json().with_writer(out.clone())).with_context_fields(schema);
        with_default(subscriber, || {
            TENANT_ID.in_scope("acme", || info_span!("request").in_scope(|| info!("received")));
        });
        let line = &out.json()[0];
        assert_eq!(line["fields"]["tenant_id"] == "acme", on_event, "{line}");
        assert_eq!(line["span"]["tenant_id"] == "acme", on_span, "{line}");
    }
}
