//! `TENANT_ID.record(...)` sets a value on a span that is open already.

use ctx_layer::{Fields, FutureFieldsExt, Schema, field::well_known::*};
use ctx_tests::{ATTEMPT, Value, Yield, each_poll_on_a_new_thread, on_a_new_thread};
use tracing::{Instrument, field::Empty, info, info_span, instrument};

use crate::stacks::{self, Stack};

fn tenant() -> Option<String> {
    TENANT_ID.get().map(String::from)
}

#[test]
fn a_recorded_value_is_on_the_span_and_on_subsequent_events_and_spans() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let request = info_span!("request", path = "/orders").entered();
            info!("before");
            assert!(TENANT_ID.record("acme"));
            info!("after");
            info_span!("child").in_scope(|| info!("in child"));
            drop(request);
            info!("outside");
            assert_eq!(tenant(), None, "{}", stack.name);
        });
        let recorder = &stack.recorder;
        assert_eq!(recorder.records()[0].values, [("tenant_id", "acme".into())], "{}", stack.name);
        assert_eq!(recorder.event("before").text("tenant_id"), None, "{}", stack.name);
        assert_eq!(recorder.event("after").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(recorder.span("child").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(recorder.event("in child").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(recorder.event("outside").text("tenant_id"), None, "{}", stack.name);
    }
}

#[test]
fn a_recorded_value_keeps_its_type() {
    let stack = Stack::plain();
    stack.in_scope(|| info_span!("request").in_scope(|| ATTEMPT.record(3)));
    assert_eq!(stack.recorder.records()[0].values, [("attempt", Value::I64(3))]);
}

#[test]
fn a_recorded_value_fills_a_field_that_the_span_declares() {
    let stack = Stack::plain();
    stack.in_scope(|| info_span!("request", tenant_id = Empty, other = 1).in_scope(|| TENANT_ID.record("acme")));
    assert_eq!(stack.recorder.records()[0].values, [("tenant_id", "acme".into())]);
}

#[test]
fn a_recorded_value_is_current_at_every_poll_on_any_thread() {
    for stack in stacks::all() {
        let name = stack.name;
        let handler = stack.in_scope(|| {
            async move {
                assert_eq!(tenant(), None);
                assert!(TENANT_ID.record("acme"));
                for _ in 0..3 {
                    Yield::default().await;
                    assert_eq!(tenant().as_deref(), Some("acme"), "{name}");
                    info!("polled");
                }
            }
            .instrument(info_span!("request"))
        });
        each_poll_on_a_new_thread(&stack.dispatch, handler);
        assert_eq!(stack.recorder.on_events("tenant_id"), vec![Some("acme".to_owned()); 3], "{name}");
    }
}

#[instrument]
async fn request() {
    authenticate().await;
    assert_eq!(tenant(), None, "what the inner span got is not the outer's");
    assert!(TENANT_ID.record("acme"));
    Yield::default().await;
    assert_eq!(tenant().as_deref(), Some("acme"));
    query().await;
}

#[instrument]
async fn authenticate() {
    Yield::default().await;
    assert!(TENANT_ID.record("not yet"));
    Yield::default().await;
    assert_eq!(tenant().as_deref(), Some("not yet"));
}

#[instrument]
async fn query() {
    Yield::default().await;
    info!("queried");
}

#[test]
fn instrumented_functions_carry_recorded_values() {
    for stack in stacks::all() {
        each_poll_on_a_new_thread(&stack.dispatch, async { request().await });
        assert_eq!(stack.recorder.event("queried").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(stack.recorder.span("query").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}

#[test]
fn a_value_recorded_in_a_future_with_fields_survives_an_await() {
    for stack in stacks::all() {
        let handler = stack.in_scope(|| {
            async {
                assert!(TENANT_ID.record("acme"));
                Yield::default().await;
                info!("polled");
            }
            .with_field(&REQUEST_ID, "r-1")
            .instrument(info_span!("request"))
        });
        each_poll_on_a_new_thread(&stack.dispatch, handler);
        let event = stack.recorder.event("polled");
        assert_eq!((event.text("request_id"), event.text("tenant_id")), (Some("r-1"), Some("acme")), "{}", stack.name);
    }
}

#[test]
fn a_value_recorded_in_a_span_in_a_future_with_fields_survives_an_await() {
    for stack in stacks::all() {
        let handler = stack.in_scope(|| {
            async {
                assert!(TENANT_ID.record("acme"));
                Yield::default().await;
                info!("polled");
            }
            .instrument(info_span!("request"))
            .with_field(&REQUEST_ID, "r-1")
        });
        each_poll_on_a_new_thread(&stack.dispatch, handler);
        let event = stack.recorder.event("polled");
        assert_eq!((event.text("request_id"), event.text("tenant_id")), (Some("r-1"), Some("acme")), "{}", stack.name);
    }
}

#[test]
fn the_last_of_two_recorded_values_counts() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let request = info_span!("request");
            request.in_scope(|| {
                assert!(TENANT_ID.record("first"));
                assert!(TENANT_ID.record("second"));
                assert!(USER_ID.record("u-1"));
                info!("after");
            });
            request.in_scope(|| info!("again"));
            assert_eq!(tenant(), None);
        });
        for event in ["after", "again"] {
            let event = stack.recorder.event(event);
            assert_eq!(
                (event.text("tenant_id"), event.text("user_id")),
                (Some("second"), Some("u-1")),
                "{}",
                stack.name
            );
        }
    }
}

#[test]
fn a_recorded_value_replaces_the_one_the_span_was_created_with() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let request =
                Fields::new().with(&TENANT_ID, "made with").with(&USER_ID, "u-1").in_scope(|| info_span!("request"));
            request.in_scope(|| assert!(TENANT_ID.record("recorded")));
            request.in_scope(|| info!("again"));
        });
        let event = stack.recorder.event("again");
        assert_eq!((event.text("tenant_id"), event.text("user_id")), (Some("recorded"), Some("u-1")), "{}", stack.name);
    }
}

#[test]
fn a_parent_does_not_get_values_recorded_on_its_child() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let parent = info_span!("parent").entered();
            info_span!("child").in_scope(|| assert!(TENANT_ID.record("acme")));
            assert_eq!(tenant(), None, "{}", stack.name);
            info!("in parent");
            drop(parent);
        });
        assert_eq!(stack.recorder.event("in parent").text("tenant_id"), None, "{}", stack.name);
    }
}

#[test]
fn another_thread_that_enters_the_span_has_the_recorded_values() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let request = info_span!("request");
            request.in_scope(|| TENANT_ID.record("acme"));
            on_a_new_thread(&stack.dispatch, || request.in_scope(|| info!("elsewhere")));
        });
        assert_eq!(stack.recorder.event("elsewhere").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}

#[test]
fn a_value_recorded_in_a_span_entered_twice_lasts_until_the_second_exit() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let request = info_span!("request");
            request.in_scope(|| {
                request.in_scope(|| assert!(TENANT_ID.record("acme")));
                assert_eq!(tenant().as_deref(), Some("acme"), "{}", stack.name);
            });
            assert_eq!(tenant(), None, "{}", stack.name);
        });
    }
}

#[test]
fn a_recorded_value_ends_with_the_span_even_if_a_guard_outlives_it() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let request = info_span!("request").entered();
            assert!(TENANT_ID.record("acme"));
            let guard = USER_ID.attach("u-1");
            assert!(TENANT_ID.record("globex"));
            assert_eq!(
                (tenant().as_deref(), USER_ID.get().as_deref()),
                (Some("globex"), Some("u-1")),
                "{}",
                stack.name
            );
            drop(guard);
            assert_eq!(tenant().as_deref(), Some("globex"), "{}", stack.name);
            drop(request);
            assert_eq!(tenant(), None, "{}", stack.name);
        });
    }
}

#[test]
fn record_returns_false_without_a_current_span_or_the_layer() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        assert!(!TENANT_ID.record("acme"));
        assert_eq!(tenant(), None);
    });
    assert!(stack.recorder.records().is_empty());

    tracing::subscriber::with_default(tracing_subscriber::registry(), || {
        info_span!("request").in_scope(|| {
            assert!(!TENANT_ID.record("acme"));
            assert_eq!(tenant(), None);
        });
    });
    assert!(!TENANT_ID.record("no subscriber at all"));
}

#[test]
fn a_field_that_is_not_shown_on_spans_can_be_recorded() {
    let schema = Schema::builder().field_with(&TENANT_ID, |policy| policy.spans(false)).build().unwrap();
    let stack = Stack::with_schema(schema);
    stack.in_scope(|| {
        let _request = info_span!("request").entered();
        assert!(TENANT_ID.record("acme"));
        assert!(ATTEMPT.record(1), "not in the schema");
        assert_eq!((tenant().as_deref(), ATTEMPT.get()), (Some("acme"), Some(1)));
        info!("after");
    });
    assert!(stack.recorder.records().iter().all(|record| record.values.is_empty()));
    assert_eq!(stack.recorder.event("after").text("tenant_id"), Some("acme"));
}

#[test]
fn a_value_in_baggage_stays_when_another_is_recorded() {
    use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _baggage = Context::current_with_baggage([KeyValue::new("user_id", "u-1")]).attach();
            let request = info_span!("request");
            request.in_scope(|| {
                assert!(TENANT_ID.record("acme"));
                info!("inside");
            });
        });
        let event = stack.recorder.event("inside");
        assert_eq!((event.text("tenant_id"), event.text("user_id")), (Some("acme"), Some("u-1")), "{}", stack.name);
    }
}
