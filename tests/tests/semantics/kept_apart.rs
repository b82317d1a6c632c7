//! Two requests, two scopes, two tenants must never be mixed. Each case was possible once, or nearly.

use std::{
    cell::RefCell,
    sync::{Arc, Barrier},
    thread,
};

use ctx_layer::{
    ContextFieldsExt, ContextLayer, Fields, FieldsGuard, FutureFieldsExt, Schema, SubscriberFieldsExt,
    field::well_known::*, task::Snapshot,
};
use ctx_tests::{Captured, Yield, each_poll_on_a_new_thread};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
use tracing::{Instrument, Subscriber, info, info_span, span::Id, subscriber::with_default};
use tracing_subscriber::{Layer, fmt::layer, prelude::*};

use crate::stacks::{self, Stack};

#[test]
fn a_scopes_value_ends_with_it_though_another_is_recorded_within() {
    for stack in stacks::all() {
        let name = stack.name;
        stack.in_scope(|| {
            let _tenant = TENANT_ID.attach("acme");
            let span = info_span!("request").entered();
            {
                let _impersonated = TENANT_ID.attach("globex");
                assert!(REQUEST_ID.record("r-1"));
                assert_eq!((TENANT_ID.get(), REQUEST_ID.get()), (Some("globex".into()), Some("r-1".into())), "{name}");
            }
            assert_eq!((TENANT_ID.get(), REQUEST_ID.get()), (Some("acme".into()), Some("r-1".into())), "{name}");
            span.exit().in_scope(|| {
                assert_eq!((TENANT_ID.get(), REQUEST_ID.get()), (Some("acme".into()), Some("r-1".into())), "{name}");
            });
        });
    }
}

#[test]
fn a_worker_can_record_every_job_on_one_span_without_end() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        let _worker = info_span!("worker").entered();
        for job in 0..70_000 {
            assert!(TENANT_ID.record(format!("tenant-{job}")));
            assert_eq!(TENANT_ID.get().unwrap(), format!("tenant-{job}"));
        }
    });
}

#[test]
fn two_threads_that_record_on_one_span_lose_neither_value() {
    for _ in 0..200 {
        let stack = Stack::plain();
        let span = stack.in_scope(|| info_span!("shared"));
        let both = Arc::new(Barrier::new(2));
        thread::scope(|scope| {
            for field in [&TENANT_ID, &USER_ID] {
                let (span, both, dispatch) = (span.clone(), both.clone(), stack.dispatch.clone());
                scope.spawn(move || {
                    let _default = tracing::dispatcher::set_default(&dispatch);
                    let _entered = span.entered();
                    both.wait();
                    assert!(field.record("value"));
                });
            }
        });
        stack.in_scope(|| {
            span.in_scope(|| {
                assert_eq!((TENANT_ID.get(), USER_ID.get()), (Some("value".into()), Some("value".into())))
            });
        });
    }
}

#[test]
fn two_requests_of_one_tenant_are_two_requests() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let second = Fields::new().with(&TENANT_ID, "acme").in_scope(|| info_span!("second request"));
            let _first = Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "user of the first").attach();
            second.in_scope(|| {
                assert_eq!((TENANT_ID.get(), USER_ID.get()), (Some("acme".into()), None), "{}", stack.name);
            });
            info!(parent: &second, "of the second");
        });
        assert_eq!(stack.recorder.event("of the second").text("user_id"), None, "{}", stack.name);
    }
}

#[test]
fn a_span_created_without_a_value_does_not_get_it_when_entered() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _tenant = TENANT_ID.attach("acme");
            let system = {
                let _nobody = TENANT_ID.unset();
                info_span!("system")
            };
            system.in_scope(|| assert_eq!(TENANT_ID.get(), None, "{}", stack.name));
            assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
        });
    }
}

#[test]
fn a_span_of_a_tenant_in_baggage_keeps_values_set_in_its_request() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _baggage = Context::current_with_baggage(vec![KeyValue::new("tenant_id", "acme")]).attach();
            let span = info_span!("of acme");
            let _other = TENANT_ID.attach("globex");
            span.in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("globex"), "{}", stack.name));
            info!(parent: &span, "inside");
            let _initech = Context::new().with_baggage(vec![KeyValue::new("tenant_id", "initech")]).attach();
            span.in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("acme"), "{}", stack.name));
            info!(parent: &span, "elsewhere");
        });
        assert_eq!(stack.recorder.event("inside").text("tenant_id"), Some("globex"), "{}", stack.name);
        assert_eq!(stack.recorder.event("elsewhere").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}

ctx_layer::context_fields! {
    /// A field that is in one output's schema only.
    static EMAIL: String = "email";
}

#[test]
fn an_optional_output_adds_the_parents_values_and_not_the_current_ones() {
    let email = || Schema::builder().field(&EMAIL).build().unwrap();
    type Outputs = fn(Schema, Captured) -> Box<dyn Layer<tracing_subscriber::Registry> + Send + Sync>;
    let kinds: [(&str, Outputs); 4] = [
        ("plain", |schema, out| ContextLayer::new(layer().json().with_writer(out), schema).boxed()),
        ("option", |schema, out| Some(ContextLayer::new(layer().json().with_writer(out), schema)).boxed()),
        ("vec", |schema, out| vec![ContextLayer::new(layer().json().with_writer(out), schema)].boxed()),
        ("reload", |schema, out| {
            let output = ContextLayer::new(layer().json().with_writer(out), schema);
            tracing_subscriber::reload::Layer::new(output).0.boxed()
        }),
    ];
    for (kind, output) in kinds {
        let out = Captured::default();
        let subscriber = tracing_subscriber::registry().with(output(email(), out.clone()));
        with_default(subscriber.with_context_fields(Schema::well_known()), || {
            let of = |who: &str| Fields::new().with(&TENANT_ID, who).with(&EMAIL, format!("mail@{who}"));
            let span = of("b").in_scope(|| info_span!("of b"));
            let _a = of("a").attach();
            info!(parent: &span, "hello");
            info_span!(parent: &span, "child of b").in_scope(|| info!("in child"));
        });
        for line in out.json() {
            assert_eq!(line["fields"]["tenant_id"], "b", "{kind}: {line}");
            assert_eq!(line["fields"]["email"], "mail@b", "{kind}: {line}");
        }
    }
}

#[test]
fn a_guard_may_be_kept_in_a_thread_local() {
    thread_local! {
        static OLDER: RefCell<Option<FieldsGuard>> = const { RefCell::new(None) };
    }
    thread::spawn(|| {
        OLDER.with(|guard| *guard.borrow_mut() = None);
        OLDER.with(|guard| *guard.borrow_mut() = Some(TENANT_ID.attach("acme")));
        assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
    })
    .join()
    .unwrap();
}

/// Returns the current tenant, user and request.
fn tenant_user_and_request() -> [Option<String>; 3] {
    [TENANT_ID.get(), USER_ID.get(), REQUEST_ID.get()].map(|value| value.map(String::from))
}

fn are(expected: [&str; 3]) -> [Option<String>; 3] {
    expected.map(|value| (!value.is_empty()).then(|| value.to_owned()))
}

#[test]
fn recording_a_second_value_keeps_what_a_scope_set_since_the_first() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _request = info_span!("request").entered();
            assert!(TENANT_ID.record("acme"));
            {
                let _impersonated = TENANT_ID.attach("globex");
                assert!(USER_ID.record("ada"));
                assert_eq!(tenant_user_and_request(), are(["globex", "ada", ""]), "{}", stack.name);
            }
            {
                let _nobody = TENANT_ID.unset();
                assert!(REQUEST_ID.record("r-1"));
                assert_eq!(tenant_user_and_request(), are(["", "ada", "r-1"]), "{}", stack.name);
            }
            assert_eq!(tenant_user_and_request(), are(["acme", "ada", "r-1"]), "{}", stack.name);
        });
    }
}

#[test]
fn a_futures_value_ends_with_its_poll_though_another_is_recorded() {
    for stack in stacks::all() {
        let handler = stack.in_scope(|| {
            async {
                async { USER_ID.record("ada") }.with_field(&TENANT_ID, "globex").await;
                assert_eq!(tenant_user_and_request(), are(["", "ada", ""]), "{}", stack.name);
            }
            .instrument(info_span!("request"))
        });
        each_poll_on_a_new_thread(&stack.dispatch, handler);
    }
}

#[test]
fn nothing_is_recorded_where_opentelemetry_code_attached_a_context() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let request = info_span!("request").entered();
            {
                let _baggage = Context::current_with_baggage(vec![KeyValue::new("tenant_id", "globex")]).attach();
                assert!(!USER_ID.record("ada"));
                assert_eq!(tenant_user_and_request(), are(["globex", "", ""]), "{}", stack.name);
            }
            assert_eq!(tenant_user_and_request(), are(["", "", ""]), "{}", stack.name);
            request.exit().in_scope(|| assert_eq!(tenant_user_and_request(), are(["", "", ""]), "{}", stack.name));
        });
    }
}

#[test]
fn a_recorded_value_survives_reentering_the_span_inside_another() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let (connection, request) = (info_span!("connection"), info_span!("request"));
            connection.in_scope(|| {
                assert!(TENANT_ID.record("acme"));
                request.in_scope(|| {
                    connection.in_scope(|| {});
                    assert_eq!(tenant_user_and_request(), are(["acme", "", ""]), "{}", stack.name);
                });
                assert_eq!(tenant_user_and_request(), are(["acme", "", ""]), "{}", stack.name);
            });
            assert_eq!(tenant_user_and_request(), are(["", "", ""]), "{}", stack.name);
        });
    }
}

#[test]
fn scopes_that_end_out_of_order_leave_nothing_after_a_record() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _request = info_span!("request").entered();
            let first = TENANT_ID.attach("acme");
            assert!(USER_ID.record("ada"));
            let second = TENANT_ID.attach("globex");
            drop(first);
            assert_eq!(tenant_user_and_request(), are(["globex", "ada", ""]), "{}", stack.name);
            drop(second);
            assert_eq!(tenant_user_and_request(), are(["", "ada", ""]), "{}", stack.name);
        });
    }
}

#[test]
fn a_scope_that_ends_in_another_requests_span_brings_no_recorded_value() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let globex = Fields::new().with(&TENANT_ID, "globex").with(&USER_ID, "grace");
            let other = globex.in_scope(|| info_span!("other request"));
            let _request = info_span!("request").entered();
            let scope = ROLE.attach("admin");
            assert!(TENANT_ID.record("acme"));
            other.in_scope(|| {
                drop(scope);
                assert_eq!(tenant_user_and_request(), are(["globex", "grace", ""]), "{}", stack.name);
            });
            assert_eq!(tenant_user_and_request(), are(["acme", "", ""]), "{}", stack.name);
        });
    }
}

#[test]
fn a_recorded_tenant_is_not_mixed_with_the_user_of_another_request() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let second = info_span!("second request");
            second.in_scope(|| TENANT_ID.record("globex"));
            let _first = Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "user of acme").attach();
            second.in_scope(|| assert_eq!(tenant_user_and_request(), are(["globex", "", ""]), "{}", stack.name));
            info!(parent: &second, "of the second");
        });
        assert_eq!(stack.recorder.event("of the second").text("user_id"), None, "{}", stack.name);
    }
}

#[test]
fn a_value_recorded_between_polls_is_current_in_a_future_with_fields() {
    for stack in stacks::all() {
        let handler = stack.in_scope(|| {
            async {
                assert!(REQUEST_ID.record("r-1"));
                let inner =
                    async { assert_eq!(tenant_user_and_request(), are(["acme", "ada", "r-1"]), "{}", stack.name) };
                let inner = inner.with_field(&USER_ID, "ada");
                Yield::default().await;
                assert!(TENANT_ID.record("acme"));
                inner.await;
            }
            .instrument(info_span!("request"))
        });
        each_poll_on_a_new_thread(&stack.dispatch, handler);
    }
}

#[test]
fn a_child_of_a_span_with_recorded_values_keeps_other_set_values() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let request = info_span!("request");
            let child = request.in_scope(|| {
                assert!(TENANT_ID.record("acme"));
                info_span!("child")
            });
            request.in_scope(|| {
                let _user = USER_ID.attach("ada");
                child.in_scope(|| assert_eq!(tenant_user_and_request(), are(["acme", "ada", ""]), "{}", stack.name));
            });
        });
    }
}

#[test]
fn a_span_created_in_a_future_without_a_value_does_not_get_it() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _tenant = TENANT_ID.attach("acme");
            let make = async { info_span!("system") }.with_fields(Fields::current().without(&TENANT_ID));
            let _user = USER_ID.attach("ada");
            let system = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(make);
            system.in_scope(|| assert_eq!(tenant_user_and_request(), are(["", "ada", ""]), "{}", stack.name));
        });
    }
}

#[test]
fn a_span_created_after_replacing_with_nothing_gets_nothing_when_entered() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _tenant = TENANT_ID.attach("acme");
            let system = Fields::new().replace_in_scope(|| info_span!("system"));
            system.in_scope(|| assert_eq!(tenant_user_and_request(), are(["", "", ""]), "{}", stack.name));
        });
    }
}

#[test]
fn an_output_that_masks_a_field_masks_recorded_values() {
    let out = Captured::default();
    let masking = Schema::builder().field_with(&TENANT_ID, |policy| policy.masked()).build().unwrap();
    let output = ContextLayer::new(layer().json().with_writer(out.clone()), masking);
    with_default(tracing_subscriber::registry().with(output).with_context_fields(Schema::well_known()), || {
        let _request = info_span!("request").entered();
        assert!(TENANT_ID.record("acme"));
        info!("hello");
    });
    assert_eq!(out.json()[0]["fields"]["tenant_id"], "[redacted]");
    assert_eq!(out.json()[0]["span"]["tenant_id"], "[redacted]");
}

#[test]
fn nothing_stays_current_after_a_layer_panics_on_exit() {
    struct PanicsOnExit;
    impl<S: Subscriber> Layer<S> for PanicsOnExit {
        fn on_exit(&self, _: &Id, _: tracing_subscriber::layer::Context<'_, S>) {
            panic!("on purpose");
        }
    }
    with_default(tracing_subscriber::registry().with(PanicsOnExit).with_context_fields(Schema::well_known()), || {
        let result = std::panic::catch_unwind(|| {
            info_span!("request").in_scope(|| TENANT_ID.record("acme"));
        });
        assert!(result.is_err());
        assert_eq!(TENANT_ID.get(), None);
    });
}

#[test]
fn a_recorded_value_stays_in_an_inner_span_that_outlives_its_parents() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let tenant = TENANT_ID.attach("acme");
            let request = info_span!("request").entered();
            assert!(USER_ID.record("ada"));
            let _child = info_span!("child").entered();
            drop(tenant);
            drop(request);
            assert_eq!(USER_ID.get().as_deref(), Some("ada"), "{}", stack.name);
        });
    }
}

#[test]
fn replaced_fields_over_a_foreign_context_do_not_belong_to_the_span() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _tenant = TENANT_ID.attach("acme");
            let context = Context::current();
            let request = info_span!("request");
            let _entered = request.enter();
            let _user = USER_ID.attach("ada");
            // The job is not of the same request as what is below.
            let _context = context.attach();
            let _job = Fields::new().with(&ROLE, "admin").replace();
            assert!(!TENANT_ID.record("globex"), "{}", stack.name);
            assert_eq!(TENANT_ID.get().as_deref(), Some("globex"), "{}", stack.name);
            let again = || request.in_scope(|| TENANT_ID.get());
            assert_eq!(std::thread::scope(|scope| scope.spawn(again).join().unwrap()).as_deref(), Some("acme"));
        });
    }
}

#[test]
fn a_span_holds_the_foreign_context_in_which_it_was_entered() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let foreign = Context::new().with_fields(Fields::new().with(&TENANT_ID, "acme")).attach();
            let request = info_span!("request").entered();
            drop(foreign);
            assert_eq!(TENANT_ID.get().as_deref(), Some("acme"), "{}", stack.name);
            drop(request);
            assert_eq!(TENANT_ID.get(), None, "{}", stack.name);
        });
    }
}

#[test]
fn a_context_does_not_have_what_was_recorded_inside_where_it_was_taken() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let (authenticate, other) = (info_span!("authenticate"), info_span!("other"));
            let _tenant = TENANT_ID.attach("acme");
            let context = Context::current();
            let _other = authenticate.in_scope(|| {
                assert!(USER_ID.record("ada"));
                other.entered()
            });
            assert_eq!(USER_ID.get().as_deref(), Some("ada"), "{}", stack.name);
            let _context = context.attach();
            assert_eq!((TENANT_ID.get().as_deref(), USER_ID.get()), (Some("acme"), None), "{}", stack.name);
        });
    }
}

#[test]
fn baggage_does_not_replace_a_value_whose_scope_has_ended() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let scope = Fields::new().with(&USER_ID, "ada").replace();
            let _baggage = Context::current_with_baggage([KeyValue::new("user_id", "grace")]).attach();
            let _request = info_span!("request").entered();
            drop(scope);
            assert!(TENANT_ID.record("acme"));
            let current = (TENANT_ID.get(), USER_ID.get());
            assert_eq!(current, (Some("acme".into()), Some("ada".into())), "{}", stack.name);
        });
    }
}

#[test]
fn what_is_recorded_on_a_span_is_not_added_to_the_baggage_of_another() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let (request, other) = (info_span!("request"), info_span!("other"));
            let baggage = Context::current_with_baggage([KeyValue::new("tenant_id", "globex")]);
            assert!(USER_ID.record_on(&request, "ada"));
            let _baggage = baggage.attach();
            let seen = || (TENANT_ID.get(), USER_ID.get());
            let of_baggage = (Some("globex".into()), None);
            assert_eq!(Snapshot::capture().with_span(request).in_scope(seen), of_baggage, "{}", stack.name);
            let _entered = other.enter();
            thread::scope(|scope| scope.spawn(|| stack.in_scope(|| ROLE.record_on(&other, "admin"))).join().unwrap());
            assert!(USER_ID.record("grace"));
            assert_eq!(seen(), of_baggage, "{}", stack.name);
        });
    }
}

#[test]
fn a_span_that_ends_below_a_scope_does_not_give_it_the_span_around() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let (pool, nothing) = (info_span!("pool"), Context::new());
            let _user = USER_ID.attach("ada");
            let request = info_span!("request");
            let _entered = request.enter();
            let _foreign = nothing.attach();
            let _tenant = pool.in_scope(|| TENANT_ID.attach("globex"));
            assert!(!ROLE.record("admin"), "{}", stack.name);
            assert_eq!(ROLE.get().as_deref(), Some("admin"), "{}", stack.name);
            let elsewhere = thread::scope(|scope| scope.spawn(|| request.in_scope(|| ROLE.get())).join().unwrap());
            assert_eq!(elsewhere, None, "{}", stack.name);
        });
    }
}
