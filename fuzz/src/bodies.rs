//! One function for each target. It must not panic, whatever the input.

use std::collections::HashMap;

use ctx_layer::{
    Schema,
    propagation::{
        self, Captured, Carrier, ContextPropagator, Outbound, Trust,
        carriers::{Environment, normalized_name},
        inject_context,
    },
};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator, trace::TraceContextExt};

use super::grammar;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Reads a `traceparent`.
pub fn traceparent(input: &[u8]) {
    let once = passed_on(&[("traceparent", input)]);
    assert_eq!(passed_on(&once), once, "once more changes nothing");
}

/// Reads a `tracestate` of several lines, separated by line feeds.
pub fn tracestate(input: &[u8]) {
    let lines = || input.split(|byte| *byte == b'\n');
    let carrier: Vec<_> =
        [("traceparent", PARENT.as_bytes())].into_iter().chain(lines().map(|line| ("tracestate", line))).collect();
    let once = passed_on(&carrier);
    assert_eq!(once["traceparent"], PARENT);
    assert_eq!(passed_on(&once), once, "once more changes nothing");
    let cx = propagation::extract(&carrier, Trust::external()).into_context();
    let mut cut = HashMap::new();
    ContextPropagator::new().max_tracestate_len(input.len() / 2).inject_context(&cx, &mut cut);
    assert!(cut.get("tracestate").is_none_or(|list| grammar::is_tracestate(list)), "{cut:?}");
}

/// Reads baggage of several lines, separated by line feeds, and writes it back.
pub fn baggage(input: &[u8]) {
    let lines = || input.split(|byte| *byte == b'\n');
    let carrier: Vec<_> = lines().map(|line| ("baggage", line)).collect();
    let once = passed_on(&carrier);
    assert_eq!(passed_on(&once), once, "once more changes nothing");
    if let Ok(text) = std::str::from_utf8(input) {
        let cx = Context::new().with_baggage([KeyValue::new("key", text.to_owned())]);
        let mut out = HashMap::new();
        inject_context(&cx, &mut out, Outbound::Everything);
        if !out.is_empty() {
            assert!(grammar::is_baggage(&out["baggage"]), "{out:?}");
            let read = propagation::extract(&out, Trust::internal()).into_context();
            assert_eq!(read.baggage().get("key").map(|value| value.as_str()), Some(text));
        }
    }
}

/// Deserializes captured context and restores it.
pub fn captured(input: &[u8]) {
    if let Ok(captured) = serde_json::from_slice::<Captured>(input) {
        assert!(captured.len() <= 3);
        let json = serde_json::to_vec(&captured).expect("it can be serialized");
        assert_eq!(serde_json::from_slice::<Captured>(&json).expect("it can be read"), captured);
        passed_on(&captured);
    }
}

/// Uses the input, `NAME=value` separated by zero bytes as in `/proc/self/environ`, as the environment.
pub fn environment(input: &[u8]) {
    let pairs = input.split(|byte| *byte == 0).filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='));
    let mut variables: Environment = pairs.clone().collect();
    assert!(variables.keys().all(|key| normalized_name(key) == key));
    passed_on(&variables);
    for (key, value) in pairs {
        variables.set(key, value);
        assert_eq!(variables.get(key), Some(value));
    }
    assert!(variables.keys().all(|key| normalized_name(key) == key));
    passed_on(&variables);
}

/// Returns the headers that are sent on for received ones.
fn passed_on(carrier: &(impl Carrier + ?Sized)) -> HashMap<String, String> {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| propagation::register(&Schema::well_known()));
    let mut out = HashMap::new();
    for trust in [Trust::external(), Trust::internal().drop_unregistered(), Trust::internal()] {
        let extracted = propagation::extract(carrier, trust);
        assert_eq!(extracted.is_continued(), extracted.context().has_active_span());
        assert!(trust.is_internal() || extracted.fields().is_empty());
        out.clear();
        inject_context(extracted.context(), &mut out, Outbound::Everything);
        grammar::check(&out);
    }
    out
}
