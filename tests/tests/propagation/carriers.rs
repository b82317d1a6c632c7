//! Every carrier carries the same.

use std::collections::{BTreeMap, HashMap};

use ctx_layer::{
    context::ContextFieldsExt,
    field::well_known::*,
    propagation::{
        self, Captured, Carrier, CarrierMut, ContextPropagator, Trust,
        carriers::{Envelope, Environment, HeaderExtractor, HeaderInjector, OneString, OtelExtractor, OtelInjector},
        extract_with, inject_with,
    },
};
use http::{HeaderMap, HeaderValue};
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator},
    trace::TraceContextExt,
};

use crate::shared::{PARENT, extract, headers, schema};

const BAGGAGE: &str = "tenant_id=z%C3%BCrich,other=1";

fn there_and_back<C: Carrier + CarrierMut + Default>() {
    let name = std::any::type_name::<C>();
    let incoming = [("traceparent", PARENT), ("tracestate", "a=1"), ("baggage", BAGGAGE)];
    let extracted = extract(&headers(incoming), Trust::internal());
    let mut carrier = C::default();
    carrier.set("Baggage", "stale=1");
    extracted.in_scope(|| propagation::inject(&mut carrier));
    for (key, expected) in incoming {
        for key in [key.to_owned(), key.to_ascii_uppercase()] {
            let mut found = Vec::new();
            carrier.lines(&key, &mut |line| found.push(String::from_utf8_lossy(line).into_owned()));
            assert_eq!(found, [expected], "{name} {key}");
        }
    }
    let again = extract(&carrier, Trust::internal());
    assert_eq!(again.fields().get(&TENANT_ID).map(|text| text.as_str()), Some("zürich"), "{name}");
    assert_eq!(again.remote(), extracted.remote(), "{name}");

    carrier.remove("TRACESTATE");
    carrier.lines("tracestate", &mut |line| panic!("{name} {line:?}"));
}

#[test]
fn context_survives_every_carrier() {
    there_and_back::<HashMap<String, String>>();
    there_and_back::<BTreeMap<String, String>>();
    there_and_back::<Vec<(String, String)>>();
    there_and_back::<serde_json::Map<String, serde_json::Value>>();
    there_and_back::<HeaderMap>();
    there_and_back::<Captured>();
    there_and_back::<Environment>();
    there_and_back::<BTreeMap<String, Vec<u8>>>();
    there_and_back::<Envelope<Vec<u8>>>();
    there_and_back::<OneString>();
}

#[test]
fn a_carrier_may_be_missing() {
    let some: Option<Captured> = Some([("traceparent", PARENT)].into_iter().collect());
    assert!(extract(&some, Trust::external()).is_continued());
    assert!(!extract(&None::<Captured>, Trust::internal()).is_continued());
}

#[test]
fn closures_are_carriers() {
    let mut log = Vec::new();
    extract(&headers([("traceparent", PARENT)]), Trust::external())
        .in_scope(|| inject_with(|key, value| log.push((key.to_owned(), value.to_owned()))));
    assert_eq!(log, headers([("traceparent", PARENT)]));

    assert!(extract_with(|key| (key == "traceparent").then_some(PARENT), Trust::external()).is_continued());
    let twice = |key: &str| if key == "traceparent" { vec![PARENT.as_bytes().to_vec(); 2] } else { Vec::new() };
    assert!(!extract_with(twice, Trust::external()).is_continued());
}

#[test]
fn all_lines_of_a_header_are_read_in_order_whatever_their_contents() {
    let mut map = HeaderMap::new();
    map.append("traceparent", HeaderValue::from_static(PARENT));
    map.append("tracestate", HeaderValue::from_static("a=1"));
    map.append("tracestate", HeaderValue::from_static(""));
    map.append("tracestate", HeaderValue::from_static("b=2"));
    map.append("baggage", HeaderValue::from_bytes(b"k=\xff,tenant_id=acme").expect("it is a header's value"));
    map.append("baggage", HeaderValue::from_static("x-shard=7"));
    let extracted = extract(&map, Trust::internal());
    assert_eq!(extracted.remote().map(|span| span.trace_state().header()).as_deref(), Some("a=1,b=2"));
    assert_eq!(extracted.fields().len(), 2);

    let propagator = ContextPropagator::new().schema(schema()).trust(Trust::internal());
    let cx = propagator.extract(&HeaderExtractor(&map));
    assert_eq!(cx.span().span_context().trace_state().header(), "a=1,b=2");
    for second in [PARENT.as_bytes(), b"", b"\xff\xfe", "é".as_bytes()] {
        let mut map = map.clone();
        map.append("traceparent", HeaderValue::from_bytes(second).expect("it is a header's value"));
        assert!(!extract(&map, Trust::internal()).is_continued(), "{second:?}");
        assert!(!propagator.extract(&HeaderExtractor(&map)).has_active_span(), "{second:?}");
    }

    let mut map = HeaderMap::new();
    let text = HeaderValue::from_bytes("k=é,tenant_id=acme".as_bytes()).expect("it is a header's value");
    map.append("baggage", HeaderValue::from_bytes(b"k=\xff").expect("it is a header's value"));
    map.append("baggage", text);
    for fields in [extract(&map, Trust::internal()).fields(), propagator.extract(&HeaderExtractor(&map)).fields()] {
        assert_eq!(fields.get(&TENANT_ID).map(|text| text.as_str()), Some("acme"), "one bad member costs no other");
    }
}

#[test]
fn opentelemetrys_carriers_are_carriers() {
    /// It can only return one value.
    struct One;
    impl Extractor for One {
        fn get(&self, key: &str) -> Option<&str> {
            (key == "traceparent").then_some(PARENT)
        }
        fn keys(&self) -> Vec<&str> {
            vec!["traceparent"]
        }
    }
    let extracted = extract(&OtelExtractor(&One), Trust::external());
    assert!(extracted.is_continued());
    let mut map = HeaderMap::new();
    extracted.in_scope(|| propagation::inject(&mut OtelInjector(&mut HeaderInjector(&mut map))));
    assert_eq!(map.get("traceparent").and_then(|value| value.to_str().ok()), Some(PARENT));
    assert_eq!(map.len(), 1);
}

#[test]
fn values_that_are_illegal_in_a_header_are_not_set() {
    let mut map = HeaderMap::new();
    CarrierMut::set(&mut map, "no name", "x");
    CarrierMut::set(&mut map, "name", "a\nb");
    CarrierMut::remove(&mut map, "no name");
    assert!(map.is_empty());
    map.lines("no name", &mut |_| panic!("there is none"));
}

#[test]
fn a_full_header_map_is_left_as_it_is() {
    let mut full = HeaderMap::new();
    for n in 0.. {
        let name: http::HeaderName = format!("x-{n}").parse().expect("it is a name");
        if full.try_insert(name, HeaderValue::from_static("")).is_err() {
            break;
        }
    }
    let len = full.len();
    extract(&headers([("traceparent", PARENT)]), Trust::external()).in_scope(|| propagation::inject(&mut full));
    CarrierMut::set(&mut full, "other", "x");
    assert_eq!(full.len(), len);
    assert!(!extract(&full, Trust::external()).is_continued());
}

#[test]
fn json_of_other_types_is_skipped_and_arrays_are_several_lines() {
    let object = serde_json::json!({"traceparent": [PARENT], "tracestate": ["a=1", 5, "b=2"], "baggage": {"a": 1}});
    let object = object.as_object().expect("it is one");
    let extracted = extract(object, Trust::internal());
    assert_eq!(extracted.remote().map(|span| span.trace_state().header()).as_deref(), Some("a=1,b=2"));
    assert!(extracted.dropped().is_empty());
}
