//! OpenTelemetry baggage under a registered field's key counts as that field's value.

use ctx_layer::{Fields, FutureFieldsExt, field::well_known::*};
use ctx_tests::{PLAN, Plan, SHARD, Value, Yield, each_poll_on_a_new_thread, on_a_new_thread};
use opentelemetry::{Context, ContextGuard, KeyValue, baggage::BaggageExt};
use tracing::{Instrument, info, info_span};

use crate::stacks::{self, Stack};

fn baggage<const N: usize>(entries: [(&'static str, &str); N]) -> ContextGuard {
    let entries = entries.map(|(key, value)| KeyValue::new(key, value.to_owned()));
    Context::current().with_baggage(entries).attach()
}

fn other_baggage() -> Option<String> {
    Context::map_current(|cx| cx.baggage().get("other").map(|value| value.as_str().to_owned()))
}

#[test]
fn baggage_counts_as_the_fields_value_wherever_it_is_read() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _baggage = baggage([("tenant_id", "acme"), ("x-shard", "7"), ("plan", "plan-3"), ("other", "o")]);
            assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
            assert_eq!(SHARD.get(), Some(7));
            assert_eq!(PLAN.get(), Some(Plan(3)));
            let current = Fields::current();
            assert_eq!(current.get(&TENANT_ID).map(|text| text.as_str()), Some("acme"));
            assert_eq!((current.get(&SHARD), current.len()), (Some(&7), 3));
            info_span!("request").in_scope(|| info!("received"));
        });
        for item in [stack.recorder.span("request"), stack.recorder.event("received")] {
            assert_eq!(item.text("tenant_id"), Some("acme"), "{}", stack.name);
            assert_eq!(item.get("shard"), Some(&Value::I64(7)), "{}", stack.name);
            assert_eq!(item.text("plan"), Some("plan-3"), "{}", stack.name);
            assert!(item.get("other").is_none() && item.get("x-shard").is_none(), "{}", stack.name);
        }
    }
}

#[test]
fn the_programs_own_value_wins_over_baggage() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            {
                let _own = TENANT_ID.attach("own");
                let _baggage = baggage([("tenant_id", "from outside"), ("user_id", "u-1")]);
                assert_eq!(TENANT_ID.get().as_deref(), Some("own"));
                info!("baggage inside");
            }
            let _baggage = baggage([("tenant_id", "from outside")]);
            let _own = TENANT_ID.attach("own");
            info!("baggage outside");
        });
        let event = stack.recorder.event("baggage inside");
        assert_eq!((event.text("tenant_id"), event.text("user_id")), (Some("own"), Some("u-1")), "{}", stack.name);
        assert_eq!(stack.recorder.event("baggage outside").text("tenant_id"), Some("own"), "{}", stack.name);
    }
}

#[test]
fn baggage_that_is_not_a_value_of_the_field_is_ignored() {
    let stack = Stack::plain();
    let long = "x".repeat(129);
    let longest = "x".repeat(128);
    stack.in_scope(|| {
        for (key, bad) in [
            ("x-shard", "seven"),
            ("x-shard", "-1"),
            ("x-shard", "99999999999999999999"),
            ("x-shard", ""),
            ("plan", "plan-gold"),
            ("plan", "plan-000000000000003"),
            ("tenant_id", long.as_str()),
            ("tenant_id", "a\nlevel=error"),
            ("tenant_id", "a\u{1b}[31m"),
            ("tenant_id", "a\0"),
            ("tenant_id", "a\u{202e}b"),
        ] {
            let _baggage = baggage([(key, bad)]);
            assert_eq!((TENANT_ID.get(), SHARD.get(), PLAN.get()), (None, None, None), "{key}={bad:?}");
            assert!(Fields::current().is_empty(), "{key}={bad:?}");
            info!("{key}={bad:?}");
            let event = stack.recorder.event(&format!("{key}={bad:?}"));
            assert_eq!(event.values.len(), 1, "{event:?}");
        }
        let _baggage = baggage([("tenant_id", longest.as_str())]);
        assert_eq!(TENANT_ID.get().as_deref(), Some(longest.as_str()));
    });
}

#[test]
fn a_field_with_a_baggage_key_is_not_read_under_its_name() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        let _baggage = baggage([("shard", "7")]);
        assert_eq!(SHARD.get(), None);
        info!("by name");
    });
    assert_eq!(stack.recorder.event("by name").get("shard"), None);
}

#[test]
fn unregistered_baggage_passes_through_unchanged() {
    for stack in stacks::all() {
        let name = stack.name;
        stack.in_scope(|| {
            let _baggage = baggage([("other", "kept"), ("tenant_id", "acme")]);
            let metadata = || Context::map_current(|cx| cx.baggage().len());
            let _user = USER_ID.attach("u-1");
            assert_eq!((other_baggage().as_deref(), metadata()), (Some("kept"), 2), "{name}");
            let span = info_span!("request");
            span.in_scope(|| {
                assert_eq!((other_baggage().as_deref(), metadata()), (Some("kept"), 2), "{name}");
                assert!(ROLE.record("admin"));
                assert_eq!((other_baggage().as_deref(), metadata()), (Some("kept"), 2), "{name}");
                Fields::new().in_scope(|| assert_eq!(other_baggage().as_deref(), Some("kept"), "{name}"));
            });
            on_a_new_thread(&stack.dispatch, || {
                assert_eq!(other_baggage(), None);
                span.in_scope(|| {
                    assert_eq!(other_baggage().as_deref(), Some("kept"), "{name}");
                    assert_eq!(TENANT_ID.get().as_deref(), Some("acme"), "{name}");
                });
                assert_eq!(other_baggage(), None);
            });
        });
    }
}

#[test]
fn a_span_has_the_baggage_of_its_creation() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = {
                let _baggage = baggage([("tenant_id", "acme")]);
                info_span!("request")
            };
            assert_eq!(TENANT_ID.get(), None);
            span.in_scope(|| info!("inside"));
            let _other = baggage([("tenant_id", "globex")]);
            span.in_scope(|| info!("inside another's"));
            info!("outside");
        });
        assert_eq!(stack.recorder.event("inside").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(stack.recorder.event("inside another's").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(stack.recorder.event("outside").text("tenant_id"), Some("globex"), "{}", stack.name);
    }
}

#[test]
fn baggage_added_in_the_same_request_remains_in_the_span() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            TENANT_ID.in_scope("acme", || {
                let span = info_span!("request");
                let _baggage = baggage([("user_id", "u-1")]);
                span.in_scope(|| info!("inside"));
            });
        });
        let event = stack.recorder.event("inside");
        assert_eq!((event.text("tenant_id"), event.text("user_id")), (Some("acme"), Some("u-1")), "{}", stack.name);
    }
}

#[test]
fn a_span_without_fields_keeps_the_current_baggage() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = info_span!("of nobody");
            let _baggage = baggage([("tenant_id", "acme")]);
            span.in_scope(|| info!("inside"));
        });
        assert_eq!(stack.recorder.event("inside").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}

#[test]
fn baggage_and_fields_of_different_requests_are_never_mixed() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = TENANT_ID.in_scope("acme", || info_span!("request"));
            let _other = TENANT_ID.attach("globex");
            let _baggage = baggage([("user_id", "globex's user")]);
            span.in_scope(|| {
                assert_eq!((TENANT_ID.get().as_deref(), USER_ID.get()), (Some("acme"), None), "{}", stack.name);
                info!("inside");
            });
        });
        let event = stack.recorder.event("inside");
        assert_eq!((event.text("tenant_id"), event.text("user_id")), (Some("acme"), None), "{}", stack.name);
    }
}

#[test]
fn attached_fields_that_were_read_from_baggage_win_over_baggage() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        let _first = baggage([("tenant_id", "first")]);
        let _fields = Fields::current().with(&USER_ID, "u-1").attach();
        let _second = baggage([("tenant_id", "second"), ("locale", "de-CH"), ("role", "root")]);
        assert_eq!((TENANT_ID.get().as_deref(), LOCALE.get().as_deref()), (Some("first"), Some("de-CH")));
        assert_eq!(ROLE.get(), None, "a role from outside would be a privilege");
        info!("second");
    });
    let event = stack.recorder.event("second");
    assert_eq!((event.text("tenant_id"), event.text("user_id")), (Some("first"), Some("u-1")));
}

#[test]
fn spans_and_futures_carry_baggage_across_threads() {
    for stack in stacks::all() {
        let name = stack.name;
        let (with_field, instrumented) = stack.in_scope(|| {
            let _baggage = baggage([("tenant_id", "acme"), ("other", "kept")]);
            let check = move |what: &'static str| async move {
                for _ in 0..2 {
                    Yield::default().await;
                    assert_eq!(TENANT_ID.get().as_deref(), Some("acme"), "{name}, {what}");
                    if what == "instrument" {
                        assert_eq!(other_baggage().as_deref(), Some("kept"), "{name}, {what}");
                    }
                }
            };
            (check("with_field").with_field(&USER_ID, "u-1"), check("instrument").instrument(info_span!("request")))
        });
        each_poll_on_a_new_thread(&stack.dispatch, with_field);
        each_poll_on_a_new_thread(&stack.dispatch, instrumented);
    }
}

#[test]
fn a_future_that_sets_has_the_baggage_where_its_request_polls_it() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _tenant = TENANT_ID.attach("acme");
            let created_in = baggage([("other", "blue")]);
            let future = async { (other_baggage(), TENANT_ID.get()) }.with_field(&USER_ID, "ada");
            drop(created_in);
            let _polled_in = baggage([("other", "green")]);
            let (other, tenant) = ctx_tests::block_on(future);
            assert_eq!((other.as_deref(), tenant.as_deref()), (Some("green"), Some("acme")), "{}", stack.name);
        });
    }
}
