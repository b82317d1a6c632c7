//! A field that the code sets itself wins over the current value.

use ctx_layer::{Fields, field::well_known::*};
use ctx_tests::{ATTEMPT, Value};
use tracing::{field::Empty, info, info_span};

use crate::stacks::Stack;

#[test]
fn an_events_own_value_wins_and_appears_once() {
    let stack = Stack::plain();
    stack.in_scope(|| TENANT_ID.in_scope("current", || info!(tenant_id = "own", "set")));
    let event = stack.recorder.event("set");
    assert_eq!(event.text("tenant_id"), Some("own"));
}

#[test]
fn a_spans_own_value_wins_and_appears_once() {
    let stack = Stack::plain();
    stack.in_scope(|| TENANT_ID.in_scope("current", || info_span!("set", tenant_id = "own")));
    assert_eq!(stack.recorder.span("set").text("tenant_id"), Some("own"));
}

#[test]
fn an_own_value_of_another_type_wins() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        Fields::new().with(&TENANT_ID, "current").with(&ATTEMPT, 7).in_scope(|| {
            info!(tenant_id = 5, attempt = "first", "event");
            info_span!("span", tenant_id = true, attempt = ?Some(1));
        });
    });
    let event = stack.recorder.event("event");
    assert_eq!((event.get("tenant_id"), event.text("attempt")), (Some(&Value::I64(5)), Some("first")));
    let span = stack.recorder.span("span");
    assert_eq!(span.get("tenant_id"), Some(&Value::Bool(true)));
    assert_eq!(span.get("attempt"), Some(&Value::Debug("Some(1)".into())));
}

#[test]
fn the_current_value_fills_in_where_the_own_one_is_none_or_empty() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        TENANT_ID.in_scope("current", || {
            info!(tenant_id = None::<&str>, lines = 3, "none on event");
            info!(tenant_id = Empty, "empty on event");
            info_span!("none on span", tenant_id = None::<&str>);
            info_span!("empty on span", tenant_id = Empty, lines = 3);
        });
    });
    for event in ["none on event", "empty on event"] {
        assert_eq!(stack.recorder.event(event).text("tenant_id"), Some("current"), "{event}");
    }
    for span in ["none on span", "empty on span"] {
        assert_eq!(stack.recorder.span(span).text("tenant_id"), Some("current"), "{span}");
    }
    assert_eq!(stack.recorder.event("none on event").get("lines"), Some(&Value::I64(3)));
    assert_eq!(stack.recorder.span("empty on span").get("lines"), Some(&Value::I64(3)));
}

#[test]
fn an_own_value_does_not_change_the_current_one() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        TENANT_ID.in_scope("current", || {
            let _span = info_span!("set", tenant_id = "own").entered();
            info!("inside");
            assert_eq!(TENANT_ID.get().as_deref(), Some("current"));
        });
    });
    assert_eq!(stack.recorder.event("inside").text("tenant_id"), Some("current"));
}

#[test]
fn a_value_recorded_by_the_code_on_a_filled_field_replaces_it() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        let span = TENANT_ID.in_scope("current", || info_span!("filled", tenant_id = Empty));
        span.record("tenant_id", "own");
    });
    assert_eq!(stack.recorder.span("filled").text("tenant_id"), Some("current"));
    assert_eq!(stack.recorder.records()[0].text("tenant_id"), Some("own"));
}

#[test]
fn without_a_current_field_spans_and_events_are_unchanged() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        info!(lines = 3, "event");
        info_span!("span", path = "/orders");
    });
    let event = stack.recorder.event("event");
    assert_eq!(event.values, [("message", Value::Debug("event".into())), ("lines", Value::I64(3))]);
    assert_eq!(stack.recorder.span("span").values, [("path", "/orders".into())]);
}

#[test]
fn own_values_come_first_and_in_their_order() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        Fields::new().with(&TENANT_ID, "acme").with(&ATTEMPT, 1).in_scope(|| info!(z = 1, a = 2, m = 3, "ordered"));
    });
    let event = stack.recorder.event("ordered");
    let names: Vec<_> = event.values.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["message", "z", "a", "m", "tenant_id", "attempt"]);
}
