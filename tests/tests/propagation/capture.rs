//! Context in payloads.

use ctx_layer::{
    Fields,
    field::well_known::*,
    propagation::{self, Captured, Trust, capture},
};
use ctx_tests::SHARD;
use opentelemetry::trace::TraceContextExt;
use serde_json::json;

use crate::shared::{PARENT, TRACE, extract, headers};

fn captured() -> Captured {
    let incoming =
        [("traceparent", PARENT), ("tracestate", "vendor=1"), ("baggage", "tenant_id=acme,x-shard=7,other=a%20b;p")];
    extract(&headers(incoming), Trust::internal()).in_scope(capture)
}

#[test]
fn captured_context_is_restored_elsewhere() {
    let captured = captured();
    let restored = std::thread::spawn(move || propagation::extract(&captured, Trust::internal()))
        .join()
        .expect("it does not panic");
    restored.in_scope(|| {
        assert_eq!((TENANT_ID.get().as_deref(), SHARD.get()), (Some("acme"), Some(7)));
        assert_eq!(TRACE_ID.get().map(|id| id.to_string()).as_deref(), Some(TRACE));
        assert_eq!(capture(), self::captured(), "and can be captured again");
    });
    assert_eq!(restored.context().span().span_context().trace_state().header(), "vendor=1");
}

#[test]
fn captured_context_is_a_small_ordered_map_of_strings() {
    let captured = captured();
    assert_eq!(
        captured.iter().collect::<Vec<_>>(),
        [("traceparent", PARENT), ("tracestate", "vendor=1"), ("baggage", "tenant_id=acme,x-shard=7,other=a%20b;p"),]
    );
    assert_eq!((captured.get("Traceparent"), captured.get("b3"), captured.len()), (Some(PARENT), None, 3));
    let json = serde_json::to_string(&captured).expect("it can be serialized");
    assert_eq!(
        json,
        format!(
            r#"{{"traceparent":"{PARENT}","tracestate":"vendor=1","baggage":"tenant_id=acme,x-shard=7,other=a%20b;p"}}"#
        ),
    );
    assert_eq!(serde_json::from_str::<Captured>(&json).expect("it can be deserialized"), captured);
    assert_eq!(captured.iter().collect::<Captured>(), captured);
    assert!(Fields::new().in_scope(capture).is_empty());
    assert_eq!(serde_json::to_string(&Captured::new()).expect("it can be serialized"), "{}");
}

#[test]
fn deserialized_context_is_not_trusted() {
    for (document, expected) in [
        (json!({}), vec![]),
        (json!({"other": 1, "nested": {"a": [1, {"b": null}]}, "baggage": "a=1"}), vec![("baggage", "a=1")]),
        (json!({"traceparent": 5, "tracestate": null, "baggage": ["a=1"]}), vec![]),
        (json!({"traceparent": {"a": 1}, "tracestate": true, "baggage": 1.5}), vec![]),
        (json!({"TraceParent": "x", "BAGGAGE": ""}), vec![("traceparent", "x"), ("baggage", "")]),
        (json!({"baggage": "x".repeat(32 * 1024)}), vec![("baggage", "LONG")]),
        (json!({"baggage": "x".repeat(32 * 1024 + 1)}), vec![]),
    ] {
        let text = document.to_string();
        let captured: Captured = serde_json::from_str(&text).expect(&text);
        let found: Vec<_> =
            captured.iter().map(|(key, value)| (key, if value.len() > 100 { "LONG" } else { value })).collect();
        assert_eq!(found, expected, "{}", &text[..text.len().min(80)]);
        assert_eq!(serde_json::from_value::<Captured>(document).expect("the same by value"), captured);
    }
    for wrong in ["null", "[]", "1", "\"x\"", "{\"baggage\"", "{\"baggage\":}"] {
        serde_json::from_str::<Captured>(wrong).expect_err(wrong);
    }
    // The last of several equal keys counts, as in any map.
    let twice: Captured = serde_json::from_str(r#"{"baggage":"a=1","baggage":"a=2"}"#).expect("it is a map");
    assert_eq!(twice.get("baggage"), Some("a=2"));
}

#[test]
fn captured_context_shows_no_values_in_logs() {
    let shown = format!("{:?}", captured());
    assert!(shown.contains("traceparent") && !shown.contains("acme") && !shown.contains(TRACE), "{shown}");
}

#[test]
fn captured_context_can_be_injected_and_extracted_with_any_carrier() {
    let captured = captured();
    let mut object = serde_json::Map::new();
    extract(&captured, Trust::internal()).in_scope(|| propagation::inject(&mut object));
    assert_eq!(object, captured.iter().map(|(key, value)| (key.to_owned(), json!(value))).collect());
    assert_eq!(extract(&object, Trust::internal()).in_scope(capture), captured);
}

#[test]
fn captured_context_reports_whether_it_is_empty() {
    let nothing: Captured = [("unknown", "x")].into_iter().collect();
    assert!(nothing.is_empty());
    assert_eq!(nothing.len(), 0);
    let some: Captured = [("baggage", "tenant_id=acme")].into_iter().collect();
    assert!(!some.is_empty() && some.len() == 1);
}
