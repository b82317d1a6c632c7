//! Spans carry fields.

use ctx_layer::{Fields, FutureFieldsExt, field::well_known::*};
use ctx_tests::{Yield, each_poll_on_a_new_thread, on_a_new_thread};
use tracing::{Instrument, Span, field::Empty, info, info_span};

use crate::stacks;

fn tenant() -> Option<String> {
    TENANT_ID.get().map(String::from)
}

fn is(expected: &str) -> bool {
    tenant().as_deref() == Some(expected)
}

fn span_of(tenant: &str) -> Span {
    Fields::new().with(&TENANT_ID, tenant).in_scope(|| info_span!("request", tenant_is = tenant))
}

#[test]
fn a_span_has_the_fields_of_its_creation_wherever_it_is_entered() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = span_of("acme");
            assert_eq!(tenant(), None, "{}", stack.name);
            span.in_scope(|| {
                assert!(is("acme"), "{}: {:?}", stack.name, tenant());
                info!("inside");
            });
            assert_eq!(tenant(), None, "{}", stack.name);
            info!("outside");
        });
        assert_eq!(stack.recorder.event("inside").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(stack.recorder.event("outside").text("tenant_id"), None, "{}", stack.name);
    }
}

#[test]
fn a_span_entered_on_another_thread_brings_its_fields_there() {
    for stack in stacks::all() {
        let span = stack.in_scope(|| span_of("acme"));
        on_a_new_thread(&stack.dispatch, || {
            assert_eq!(tenant(), None);
            span.in_scope(|| {
                assert!(is("acme"), "{}", stack.name);
                info!("elsewhere");
            });
            assert_eq!(tenant(), None);
        });
        assert_eq!(stack.recorder.event("elsewhere").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}

#[test]
fn one_span_can_be_entered_on_two_threads_at_once() {
    for stack in stacks::all() {
        let span = stack.in_scope(|| span_of("acme"));
        stack.in_scope(|| {
            let entered = span.enter();
            on_a_new_thread(&stack.dispatch, || span.in_scope(|| assert!(is("acme"), "{}", stack.name)));
            assert!(is("acme"), "{}", stack.name);
            drop(entered);
            assert_eq!(tenant(), None, "{}", stack.name);
        });
    }
}

#[test]
fn a_span_that_is_not_entered_has_the_field_and_sets_nothing() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = TENANT_ID.in_scope("acme", || info_span!("never"));
            span.record("nothing", 1);
            info!("outside");
            drop(span);
        });
        assert_eq!(stack.recorder.span("never").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(stack.recorder.event("outside").text("tenant_id"), None, "{}", stack.name);
    }
}

#[test]
fn children_remember_the_fields_of_the_span_around_them() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let child = span_of("acme").in_scope(|| info_span!("child"));
            let grandchild = child.in_scope(|| info_span!("grandchild"));
            drop(child);
            on_a_new_thread(&stack.dispatch, || grandchild.in_scope(|| info!("deep")));
        });
        assert_eq!(stack.recorder.span("grandchild").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(stack.recorder.event("deep").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}

#[test]
fn a_span_entered_twice_has_its_fields_until_it_is_left_twice() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = span_of("acme");
            let first = span.enter();
            let second = span.enter();
            drop(first);
            assert!(is("acme"), "{}", stack.name);
            drop(second);
            assert_eq!(tenant(), None, "{}", stack.name);
            // Again, in the other order.
            let first = span.enter();
            let second = span.enter();
            drop(second);
            assert!(is("acme"), "{}", stack.name);
            drop(first);
            assert_eq!(tenant(), None, "{}", stack.name);
        });
    }
}

#[test]
fn spans_left_out_of_order_keep_the_fields_of_those_still_entered() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let (a, b, c) = (span_of("a"), span_of("b"), span_of("c"));
            let (in_a, in_b, in_c) = (a.enter(), b.enter(), c.enter());
            assert!(is("c"), "{}", stack.name);
            drop(in_b);
            assert!(is("c"), "{}", stack.name);
            drop(in_c);
            assert!(is("a"), "{}: {:?}", stack.name, tenant());
            drop(in_a);
            assert_eq!(tenant(), None, "{}", stack.name);

            let (in_a, in_b) = (a.enter(), b.enter());
            drop(in_a);
            assert!(is("b"), "{}", stack.name);
            drop(in_b);
            assert_eq!(tenant(), None, "{}", stack.name);
        });
    }
}

#[test]
fn a_span_reentered_inside_another_has_its_fields_again() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let (a, b) = (span_of("a"), span_of("b"));
            a.in_scope(|| {
                b.in_scope(|| {
                    a.in_scope(|| assert!(is("a"), "{}", stack.name));
                    assert!(is("b"), "{}: {:?}", stack.name, tenant());
                });
                assert!(is("a"), "{}", stack.name);
            });
            assert_eq!(tenant(), None, "{}", stack.name);
        });
    }
}

#[test]
fn the_fields_are_those_of_the_last_entered_span() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let spans = ["0", "1", "2"].map(span_of);
            let mut random = 12345u64;
            let mut entered: Vec<usize> = Vec::new();
            for step in 0..2000 {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let choice = (random >> 33) as usize;
                if entered.len() < 6 && choice.is_multiple_of(2) {
                    let which = choice / 2 % 3;
                    entered.push(which);
                    spans[which].with_subscriber(|(id, dispatch)| dispatch.enter(id));
                } else if !entered.is_empty() {
                    let which = entered[choice / 2 % entered.len()];
                    // Leaving a span undoes its innermost entry, as in the registry.
                    let innermost = entered.iter().rposition(|entered| *entered == which).unwrap();
                    entered.remove(innermost);
                    spans[which].with_subscriber(|(id, dispatch)| dispatch.exit(id));
                }
                let expected = entered.last().map(ToString::to_string);
                assert_eq!(tenant(), expected, "{}, step {step}: entered {entered:?}", stack.name);
            }
            for which in entered {
                spans[which].with_subscriber(|(id, dispatch)| dispatch.exit(id));
            }
            assert_eq!(tenant(), None);
        });
    }
}

#[test]
fn entering_a_span_in_its_request_keeps_the_fields_set_outside() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            TENANT_ID.in_scope("acme", || {
                let span = info_span!("request");
                USER_ID.in_scope("u-1", || {
                    span.in_scope(|| {
                        assert!(is("acme"), "{}", stack.name);
                        assert_eq!(USER_ID.get().as_deref(), Some("u-1"), "{}", stack.name);
                        info!("inside");
                    });
                });
            });
        });
        let event = stack.recorder.event("inside");
        assert_eq!((event.text("tenant_id"), event.text("user_id")), (Some("acme"), Some("u-1")), "{}", stack.name);
    }
}

#[test]
fn fields_set_for_a_future_over_its_span_remain_in_the_span() {
    for stack in stacks::all() {
        let seen = stack.in_scope(|| {
            let future = TENANT_ID.in_scope("acme", || {
                let work = async {
                    Yield::default().await;
                    Fields::current()
                };
                work.instrument(info_span!("request")).with_field(&USER_ID, "u-1")
            });
            each_poll_on_a_new_thread(&stack.dispatch, future)
        });
        assert_eq!(format!("{seen:?}"), r#"{"tenant_id": acme, "user_id": u-1}"#, "{}", stack.name);
    }
}

#[test]
fn a_span_without_fields_keeps_the_current_ones() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = info_span!("of nobody");
            TENANT_ID.in_scope("acme", || {
                span.in_scope(|| {
                    assert!(is("acme"), "{}", stack.name);
                    info!("inside");
                });
                assert!(is("acme"), "{}", stack.name);
            });
        });
        assert_eq!(stack.recorder.event("inside").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}

#[test]
fn conflicting_sets_are_never_mixed() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "ada").in_scope(|| info_span!("request"));
            Fields::new().with(&TENANT_ID, "globex").with(&ROLE, "admin").in_scope(|| {
                span.in_scope(|| {
                    assert_eq!(
                        format!("{:?}", Fields::current()),
                        r#"{"tenant_id": acme, "user_id": ada}"#,
                        "{}",
                        stack.name
                    );
                    info!("inside");
                    info_span!("child");
                });
                assert_eq!(
                    format!("{:?}", Fields::current()),
                    r#"{"tenant_id": globex, "role": admin}"#,
                    "{}",
                    stack.name
                );
            });
        });
        for item in [stack.recorder.event("inside"), stack.recorder.span("child")] {
            let values = (item.text("tenant_id"), item.text("user_id"), item.text("role"));
            assert_eq!(values, (Some("acme"), Some("ada"), None), "{}", stack.name);
        }
    }
}

#[test]
fn fields_set_inside_a_span_end_with_their_guard_and_not_with_the_span() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = span_of("acme");
            let entered = span.enter();
            let guard = USER_ID.attach("u-1");
            assert!(is("acme"), "{}", stack.name);
            drop(guard);
            assert_eq!((tenant().as_deref(), USER_ID.get()), (Some("acme"), None), "{}", stack.name);
            let guard = TENANT_ID.attach("globex");
            drop(entered);
            assert!(is("globex"), "the guard is alive, the span is left; {}", stack.name);
            drop(guard);
            assert_eq!(tenant(), None, "{}", stack.name);
        });
    }
}

#[test]
fn values_recorded_on_declared_fields_arrive_before_and_after_entering() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            TENANT_ID.in_scope("acme", || {
                let span = info_span!("request", status = Empty, bytes = Empty, tenant_id = Empty);
                span.record("status", 200);
                span.in_scope(|| span.record("bytes", 5u64).record("undeclared", 1));
                span.record("tenant_id", "own");
            });
        });
        let records: Vec<_> =
            stack.recorder.records().into_iter().map(|record| record.values).filter(|v| !v.is_empty()).collect();
        use ctx_tests::Value;
        assert_eq!(
            records,
            [vec![("status", Value::I64(200))], vec![("bytes", Value::U64(5))], vec![("tenant_id", "own".into())]],
            "{}",
            stack.name
        );
    }
}

#[test]
fn follows_from_reaches_layers() {
    use std::sync::{Arc, Mutex};

    use ctx_layer::SubscriberFieldsExt;
    use tracing_subscriber::prelude::*;

    #[derive(Clone, Default)]
    struct Follows(Arc<Mutex<Vec<(tracing::Id, tracing::Id)>>>);
    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Follows {
        fn on_follows_from(
            &self,
            span: &tracing::Id,
            follows: &tracing::Id,
            _: tracing_subscriber::layer::Context<'_, S>,
        ) {
            self.0.lock().unwrap().push((span.clone(), follows.clone()));
        }
    }
    let follows = Follows::default();
    let layer = ctx_layer::fields_once_per_line(follows.clone());
    let subscriber =
        tracing_subscriber::registry().with(follows.clone()).with(layer).with_context_fields(ctx_tests::schema());
    let expected = tracing::subscriber::with_default(subscriber, || {
        TENANT_ID.in_scope("acme", || {
            let (a, b) = (info_span!("a"), info_span!("b"));
            b.follows_from(&a);
            (b.id().unwrap(), a.id().unwrap())
        })
    });
    assert_eq!(*follows.0.lock().unwrap(), [expected.clone(), expected]);
}

#[test]
fn a_reused_span_id_remembers_nothing_of_the_closed_span() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            for round in 0..100 {
                drop(span_of("acme"));
                // The registry gives the freed slot, and in time the whole id, to the next span.
                info_span!("of nobody").in_scope(|| assert_eq!(tenant(), None, "{}, round {round}", stack.name));
            }
        });
    }
}

#[test]
fn a_clone_of_a_span_has_the_same_fields_and_keeps_them_alive() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = span_of("acme");
            let clone = span.clone();
            drop(span);
            clone.in_scope(|| assert!(is("acme"), "{}", stack.name));
            let current = clone.in_scope(Span::current);
            drop(clone);
            current.in_scope(|| assert!(is("acme"), "{}", stack.name));
        });
    }
}

#[test]
fn suppressed_telemetry_stays_suppressed_in_spans_and_futures() {
    use opentelemetry::Context;
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = span_of("acme");
            let mut future = std::pin::pin!(
                async { assert!(Context::is_current_telemetry_suppressed()) }.with_field(&TENANT_ID, "acme")
            );
            let _suppressed = Context::enter_telemetry_suppressed_scope();
            span.in_scope(|| {
                assert!(is("acme"), "{}", stack.name);
                // An OpenTelemetry layer attaches the context in which the span was created. This crate does not change
                // that.
                assert!(Context::is_current_telemetry_suppressed() || stack.name == "with OpenTelemetry");
            });
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(std::future::Future::poll(future.as_mut(), &mut cx).is_ready());
        });
    }
}

#[test]
fn other_values_of_the_opentelemetry_context_remain_in_a_span() {
    use opentelemetry::Context;
    #[derive(Debug, PartialEq)]
    struct Other(u8);
    for stack in stacks::all() {
        if stack.name == "with OpenTelemetry" {
            // That layer attaches the context in which the span was created, as it does without this crate.
            continue;
        }
        stack.in_scope(|| {
            let span = span_of("acme");
            let _other = Context::current_with_value(Other(1)).attach();
            span.in_scope(|| {
                assert!(is("acme"), "{}", stack.name);
                assert_eq!(Context::current().get::<Other>(), Some(&Other(1)), "{}", stack.name);
            });
        });
    }
}
