//! What must never be mixed: two requests, two scopes, two tenants. Each was once possible, or nearly.

use std::{
    cell::RefCell,
    sync::{Arc, Barrier},
    thread,
};

use ctx_layer::{ContextLayer, Fields, FieldsGuard, Schema, WithContextExt, field::well_known::*};
use ctx_tests::Captured;
use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
use tracing::{info, info_span, subscriber::with_default};
use tracing_subscriber::{Layer, fmt::layer, prelude::*};

use crate::stacks::{self, Stack};

#[test]
fn what_a_scope_sets_is_not_kept_by_what_is_recorded_within_it() {
    for stack in stacks::all() {
        let name = stack.name;
        stack.in_scope(|| {
            let _tenant = TENANT_ID.attach("acme");
            let span = info_span!("request").entered();
            {
                let _impersonated = TENANT_ID.attach("globex");
                REQUEST_ID.record("r-1");
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
fn a_worker_that_records_each_job_on_one_span_never_stops_doing_so() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        let _worker = info_span!("worker").entered();
        for job in 0..70_000 {
            TENANT_ID.record(format!("tenant-{job}"));
            assert_eq!(TENANT_ID.get(), Some(format!("tenant-{job}")));
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
                    field.record("value");
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
fn a_span_made_without_a_value_does_not_get_it_back_from_where_it_is_entered() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _tenant = TENANT_ID.attach("acme");
            let system = {
                let _nobody = TENANT_ID.detach();
                info_span!("system")
            };
            system.in_scope(|| assert_eq!(TENANT_ID.get(), None, "{}", stack.name));
            assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
        });
    }
}

#[test]
fn a_tenant_that_came_as_baggage_is_not_hidden_by_another_that_is_set() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _baggage = Context::current_with_baggage(vec![KeyValue::new("tenant_id", "acme")]).attach();
            let span = info_span!("of acme");
            let _other = TENANT_ID.attach("globex");
            span.in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("acme"), "{}", stack.name));
            info!(parent: &span, "of acme too");
            assert_eq!(TENANT_ID.get().as_deref(), Some("globex"));
        });
        assert_eq!(stack.recorder.event("of acme too").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}

ctx_layer::context_fields! {
    /// Known to one output only.
    static EMAIL: String = "email";
}

#[test]
fn an_optional_output_puts_the_parents_values_on_an_event_and_not_the_current_ones() {
    let email = || Schema::builder().field(&EMAIL).build().unwrap();
    type Outputs = fn(Schema, Captured) -> Box<dyn Layer<tracing_subscriber::Registry> + Send + Sync>;
    let kinds: [(&str, Outputs); 4] = [
        ("plain", |schema, out| ContextLayer::new(schema).around(layer().json().with_writer(out)).boxed()),
        ("option", |schema, out| Some(ContextLayer::new(schema).around(layer().json().with_writer(out))).boxed()),
        ("vec", |schema, out| vec![ContextLayer::new(schema).around(layer().json().with_writer(out))].boxed()),
        ("reload", |schema, out| {
            let output = ContextLayer::new(schema).around(layer().json().with_writer(out));
            tracing_subscriber::reload::Layer::new(output).0.boxed()
        }),
    ];
    for (kind, output) in kinds {
        let out = Captured::default();
        let subscriber = tracing_subscriber::registry().with(output(email(), out.clone()));
        with_default(subscriber.with_context(Schema::well_known()), || {
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
fn a_guard_kept_in_a_thread_local_does_no_harm() {
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
