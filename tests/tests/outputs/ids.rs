//! `trace_id` and `span_id` on the events of the one output that asks for them.

use ctx_layer::{ContextLayer, Schema, SubscriberFieldsExt, field::well_known::*, task};
use ctx_tests::{Captured, Exported, attribute, schema};
use opentelemetry_sdk::trace::SpanData;
use serde_json::Value;
use tracing::{info, info_span, subscriber::with_default};
use tracing_subscriber::{fmt, prelude::*};

fn ids() -> Schema {
    Schema::builder().field(&TRACE_ID).field(&SPAN_ID).build().unwrap()
}

struct Outputs {
    with_ids: Captured,
    without: Captured,
    otel: Exported,
}

impl Outputs {
    fn of(activation: bool, run: impl FnOnce()) -> Self {
        let outputs = Outputs { with_ids: Captured::default(), without: Captured::default(), otel: Exported::new() };
        let subscriber = tracing_subscriber::registry()
            .with(tracing_opentelemetry::layer().with_tracer(outputs.otel.tracer()).with_context_activation(activation))
            .with(fmt::layer().json().with_writer(outputs.without.clone()))
            .with(ContextLayer::new(fmt::layer().json().with_writer(outputs.with_ids.clone()), ids()))
            .with_context_fields(schema());
        with_default(subscriber, || TENANT_ID.in_scope("acme", run));
        outputs
    }

    fn line(&self, message: &str) -> Value {
        let mut lines = self.with_ids.json();
        lines.retain(|line| line["fields"]["message"] == message);
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }

    fn has_ids_of(&self, message: &str, span: &SpanData) {
        let line = self.line(message);
        assert_eq!(line["fields"]["trace_id"], span.span_context.trace_id().to_string(), "{line}");
        assert_eq!(line["fields"]["span_id"], span.span_context.span_id().to_string(), "{line}");
        assert_eq!(line["fields"]["tenant_id"], "acme", "{line}");
    }

    fn has_no_ids(&self, message: &str) {
        let line = self.line(message);
        assert_eq!((line["fields"].get("trace_id"), line["fields"].get("span_id")), (None, None), "{line}");
    }
}

fn events_of_every_kind() {
    info!("outside");
    let outer = info_span!("outer").entered();
    let other = info_span!(parent: None, "other");
    info!("in outer");
    {
        let inner = info_span!("inner").entered();
        info!("in inner");
        info!(parent: &inner, "of the inner");
        info!(parent: &other, "with a parent");
        info!(parent: None, "root");
        info!(parent: &outer, "of the outer");
    }
    info!("in outer again");
}

fn check(outputs: &Outputs) {
    let (outer, inner, other) = (outputs.otel.span("outer"), outputs.otel.span("inner"), outputs.otel.span("other"));
    assert_eq!(outer.span_context.trace_id(), inner.span_context.trace_id());
    assert_ne!(outer.span_context.trace_id(), other.span_context.trace_id());
    outputs.has_no_ids("outside");
    outputs.has_ids_of("in outer", &outer);
    outputs.has_ids_of("in inner", &inner);
    outputs.has_ids_of("of the inner", &inner);
    outputs.has_ids_of("with a parent", &other);
    outputs.has_no_ids("root");
    outputs.has_ids_of("of the outer", &outer);
    outputs.has_ids_of("in outer again", &outer);
}

#[test]
fn each_event_has_the_ids_of_the_span_it_belongs_to() {
    check(&Outputs::of(true, events_of_every_kind));
}

#[test]
fn each_event_has_the_ids_of_its_span_without_context_activation() {
    check(&Outputs::of(false, events_of_every_kind));
}

#[test]
fn a_wrapped_output_alone_has_ids_of_explicit_parents_and_active_spans() {
    for activation in [true, false] {
        let (out, otel) = (Captured::default(), Exported::new());
        let layer = tracing_opentelemetry::layer().with_tracer(otel.tracer()).with_context_activation(activation);
        let output = ContextLayer::new(fmt::layer().json().with_writer(out.clone()), ids());
        with_default(tracing_subscriber::registry().with(layer).with(output), || {
            let other = info_span!("other");
            let inner = info_span!("inner").entered();
            info!("in inner");
            info!(parent: &inner, "of the inner");
            info!(parent: &other, "with a parent");
        });
        let id = |name: &str| Some(otel.span(name).span_context.span_id().to_string());
        // The lock of the current span may be held then.
        let current = id("inner").filter(|_| activation);
        let seen: Vec<_> =
            out.json().iter().map(|line| line["fields"]["span_id"].as_str().map(str::to_owned)).collect();
        assert_eq!(seen, [current.clone(), current, id("other")], "activation {activation}");
    }
}

#[test]
fn other_outputs_and_exported_attributes_lack_the_ids() {
    let outputs = Outputs::of(true, events_of_every_kind);
    assert!(outputs.with_ids.text().contains("trace_id"));
    assert!(outputs.without.text().contains("in inner"));
    assert!(!outputs.without.text().contains("trace_id") && !outputs.without.text().contains("span_id"));
    let spans = outputs.otel.spans();
    assert_eq!(spans.len(), 3);
    for span in &spans {
        for attributes in [&span.attributes].into_iter().chain(span.events.iter().map(|event| &event.attributes)) {
            assert_eq!(attribute(attributes, "trace_id"), None);
            assert_eq!(attribute(attributes, "span_id"), None);
        }
    }
}

#[test]
fn spans_do_not_have_the_ids() {
    let outputs = Outputs::of(true, events_of_every_kind);
    let line = outputs.line("in inner");
    for span in line["spans"].as_array().unwrap().iter().chain([&line["span"]]) {
        assert_eq!((span.get("trace_id"), span.get("span_id")), (None, None), "{span}");
    }
}

#[test]
fn the_ids_can_be_read_inside_a_span_that_is_not_activated() {
    for activation in [true, false] {
        let outputs = Outputs::of(activation, || {
            assert_eq!((TRACE_ID.get(), SPAN_ID.get()), (None, None));
            let _span = info_span!("request").entered();
            info!(expected_trace = %TRACE_ID.get().unwrap(), expected_span = %SPAN_ID.get().unwrap(), "read");
            assert_eq!((TRACE_ID.get(), SPAN_ID.get()), (task::current_trace_id(), task::current_span_id()));
        });
        let span = outputs.otel.span("request");
        let line = outputs.line("read");
        assert_eq!(line["fields"]["expected_trace"], span.span_context.trace_id().to_string());
        assert_eq!(line["fields"]["expected_span"], span.span_context.span_id().to_string());
        outputs.has_ids_of("read", &span);
    }
}

#[test]
fn without_an_opentelemetry_layer_there_are_no_ids() {
    let out = Captured::default();
    let output = ContextLayer::new(fmt::layer().json().with_writer(out.clone()), ids());
    with_default(tracing_subscriber::registry().with(output).with_context_fields(schema()), || {
        info_span!("request").in_scope(|| info!("received"));
    });
    assert!(out.text().contains("received") && !out.text().contains("trace_id"), "{}", out.text());
}

#[test]
fn the_events_own_trace_id_wins_over_the_derived_one() {
    let outputs = Outputs::of(true, || {
        info_span!("request").in_scope(|| info!(trace_id = "own", "received"));
    });
    let line = outputs.line("received");
    assert_eq!(line["fields"]["trace_id"], "own");
    assert_eq!(line["fields"]["span_id"], outputs.otel.span("request").span_context.span_id().to_string());
}

#[test]
fn the_ids_are_on_all_outputs_if_the_whole_stack_asks_for_them() {
    let (out, otel) = (Captured::default(), Exported::new());
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()))
        .with(fmt::layer().json().with_writer(out.clone()))
        .with_context_fields(Schema::builder().well_known().field(&TRACE_ID).field(&SPAN_ID).build().unwrap());
    with_default(subscriber, || info_span!("request").in_scope(|| info!("received")));
    let span = otel.span("request");
    assert_eq!(out.json()[0]["fields"]["trace_id"], span.span_context.trace_id().to_string());
    assert_eq!(out.json()[0]["fields"]["span_id"], span.span_context.span_id().to_string());
}
