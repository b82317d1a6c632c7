//! The propagator behind OpenTelemetry's interface, alone and in composition.

use std::collections::HashMap;

use ctx_layer::{
    Fields,
    context::ContextFieldsExt,
    field::well_known::*,
    propagation::{Boundary, ContextPropagator, Outbound, Trust},
};
use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapCompositePropagator, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, TraceContextExt, TraceState},
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

use crate::shared::{PARENT, TRACE, headers, schema, with_remote_span};

type Map = HashMap<String, String>;

fn map<const N: usize>(pairs: [(&str, &str); N]) -> Map {
    headers(pairs).into_iter().collect()
}

fn internal() -> ContextPropagator {
    ContextPropagator::new().schema(schema()).trust(Trust::internal())
}

#[test]
fn the_propagator_names_its_headers() {
    assert_eq!(ContextPropagator::new().fields().collect::<Vec<_>>(), ["traceparent", "tracestate", "baggage"]);
}

#[test]
fn the_propagator_trusts_and_sends_only_the_trace_by_default() {
    let incoming = map([("traceparent", PARENT), ("baggage", "tenant_id=victim,other=1")]);
    for propagator in [ContextPropagator::new(), ContextPropagator::default().schema(schema())] {
        let cx = propagator.extract(&incoming);
        assert!(cx.fields().is_empty() && cx.baggage().is_empty());
        assert_eq!(cx.span().span_context().trace_id().to_string(), TRACE);
    }
}

#[test]
fn one_service_extracts_what_another_injects() {
    let cx = with_remote_span(3, TraceState::NONE)
        .with_baggage([KeyValue::new("other", "1")])
        .with_fields(Fields::new().with(&TENANT_ID, "acme"));
    let mut carrier = Map::new();
    internal().inject_context(&cx, &mut carrier);
    assert_eq!(carrier["traceparent"], format!("{}03", &PARENT[..53]));
    assert_eq!(carrier["baggage"], "tenant_id=acme,other=1");
    let received = internal().extract_with_context(&Context::new(), &carrier);
    assert_eq!(received.fields().get(&TENANT_ID).map(|text| text.as_str()), Some("acme"));
    assert_eq!(received.baggage().get("other").map(|value| value.as_str()), Some("1"));
}

#[test]
fn the_propagator_injects_and_extracts_the_current_context() {
    let mut carrier = Map::new();
    TENANT_ID.in_scope("acme", || internal().inject(&mut carrier));
    assert_eq!(carrier, map([("baggage", "tenant_id=acme")]));
    let cx = USER_ID.in_scope("ada", || internal().extract(&carrier));
    assert_eq!(cx.fields().get(&USER_ID).map(|text| text.as_str()), Some("ada"), "the context given is kept");
    assert_eq!(cx.fields().get(&TENANT_ID).map(|text| text.as_str()), Some("acme"));
}

#[test]
fn without_valid_headers_the_context_is_unchanged() {
    let cx = with_remote_span(1, TraceState::NONE).with_baggage([KeyValue::new("k", "v")]);
    for carrier in [map([]), map([("traceparent", "nonsense"), ("tracestate", "a=1")])] {
        let same = internal().extract_with_context(&cx, &carrier);
        assert_eq!(same.span().span_context(), cx.span().span_context());
        assert_eq!(same.baggage().len(), 1);
    }
}

#[test]
fn the_destination_and_the_boundary_are_configurable() {
    static BOUNDARY: Boundary = Boundary::new("propagator test");
    let cx = with_remote_span(1, "a=1".parse().expect("it is one")).with_fields(Fields::new().with(&TENANT_ID, "acme"));
    let mut carrier = Map::new();
    let careful = ContextPropagator::new().outbound(Outbound::TraceParentOnly).boundary(&BOUNDARY);
    careful.inject_context(&cx, &mut carrier);
    assert_eq!(carrier, map([("traceparent", PARENT)]));
    assert_eq!(BOUNDARY.counts().injected, 1);
}

#[test]
fn the_random_flag_and_the_tracestates_length_are_configurable() {
    let local = SpanContext::new(
        TraceId::from_hex(TRACE).expect("it is one"),
        SpanId::from(7),
        TraceFlags::SAMPLED,
        false,
        TraceState::from_key_value((0..10).map(|n| (format!("k{n}"), "v".repeat(100)))).expect("they are valid"),
    );
    let cx = Context::new().with_remote_span_context(local);
    let mut carrier = Map::new();
    ContextPropagator::new().random_trace_ids(false).max_tracestate_len(600).inject_context(&cx, &mut carrier);
    assert!(carrier["traceparent"].ends_with("-01"), "{carrier:?}");
    assert_eq!(carrier["tracestate"].len(), 5 * 103 + 4);
}

/// Another propagator, with a header of its own.
#[derive(Debug)]
struct B3;

impl TextMapPropagator for B3 {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span().span_context().clone();
        if span.is_valid() {
            injector.set("b3", format!("{}-{}-1", span.trace_id(), span.span_id()));
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let parts: Vec<_> = extractor.get("b3").unwrap_or_default().split('-').collect();
        let [trace_id, span_id, _] = parts[..] else { return cx.clone() };
        let (Ok(trace_id), Ok(span_id)) = (TraceId::from_hex(trace_id), SpanId::from_hex(span_id)) else {
            return cx.clone();
        };
        cx.with_remote_span_context(SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, TraceState::NONE))
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

#[test]
fn the_propagator_composes_with_others() {
    let composite = TextMapCompositePropagator::new(vec![Box::new(B3), Box::new(internal())]);
    let cx = composite
        .extract(&map([("b3", "1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"), ("baggage", "tenant_id=acme")]));
    assert_eq!(cx.fields().get(&TENANT_ID).map(|text| text.as_str()), Some("acme"));
    let child = ctx_tests::Exported::new();
    let child = opentelemetry::trace::Tracer::start_with_context(&child.tracer(), "child", &cx);
    let mut carrier = Map::new();
    composite.inject_context(&cx.with_span(child), &mut carrier);
    assert!(carrier["b3"].starts_with("1af7651916cd43dd8448eb211c80319c-"), "{carrier:?}");
    assert!(carrier["traceparent"].starts_with("00-1af7651916cd43dd8448eb211c80319c-"), "{carrier:?}");
    assert!(carrier["traceparent"].ends_with("-01"), "another's trace does not say that it is random: {carrier:?}");
    assert_eq!(carrier["baggage"], "tenant_id=acme");

    // Its own header wins where both are present.
    let cx = composite
        .extract(&map([("b3", "1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"), ("traceparent", PARENT)]));
    assert_eq!(cx.span().span_context().trace_id().to_string(), TRACE);
}

#[test]
fn the_propagator_composes_with_the_stock_ones() {
    let stock = || -> Vec<Box<dyn TextMapPropagator + Send + Sync>> {
        vec![Box::new(TraceContextPropagator::new()), Box::new(BaggagePropagator::new())]
    };
    let mut all = stock();
    all.push(Box::new(internal()));
    let composite = TextMapCompositePropagator::new(all);
    let mut carrier = Map::new();
    let cx = with_remote_span(3, "a=1".parse().expect("it is one"))
        .with_baggage([KeyValue::new("k", "100%")])
        .with_fields(Fields::new().with(&TENANT_ID, "acme"));
    composite.inject_context(&cx, &mut carrier);
    assert_eq!(carrier["traceparent"], format!("{}03", &PARENT[..53]));
    assert_eq!((carrier["tracestate"].as_str(), carrier["baggage"].as_str()), ("a=1", "tenant_id=acme,k=100%25"));
    let received = composite.extract(&carrier);
    assert_eq!(received.fields().get(&TENANT_ID).map(|text| text.as_str()), Some("acme"));

    // Each of them reads the other's headers.
    let received = TextMapCompositePropagator::new(stock()).extract(&carrier);
    assert_eq!(received.baggage().get("tenant_id").map(|value| value.as_str()), Some("acme"));
    let mut carrier = Map::new();
    TextMapCompositePropagator::new(stock()).inject_context(&received, &mut carrier);
    let again = internal().extract(&carrier);
    assert_eq!(again.fields().get(&TENANT_ID).map(|text| text.as_str()), Some("acme"));
    assert_eq!(again.span().span_context().trace_id().to_string(), TRACE);
}

#[test]
fn an_injector_may_use_the_context() {
    /// It attaches contexts while it is written to, and reads the current one.
    struct Meddling(Vec<String>);
    impl Injector for Meddling {
        fn set(&mut self, key: &str, _: String) {
            let _other = USER_ID.attach("meddling");
            let mut carrier = Map::new();
            internal().inject(&mut carrier);
            self.0.push(format!("{key} {}", carrier["baggage"]));
        }
    }
    let mut meddling = Meddling(Vec::new());
    TENANT_ID.in_scope("acme", || internal().inject(&mut meddling));
    assert_eq!(meddling.0, ["baggage tenant_id=acme,user_id=meddling"]);
}
