//! Contexts that other libraries attach: with a span, with baggage, with fields.

use ctx_layer::{ContextFieldsExt, Fields, SubscriberFieldsExt, field::well_known::*, task::Snapshot};
use ctx_tests::{Exported, schema};
use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId,
    baggage::BaggageExt,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use tracing::{info_span, subscriber::with_default};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{prelude::*, registry};

use crate::stacks::{self, Stack};

fn in_span(id: u64) -> Context {
    let (trace, span) = (TraceId::from(7_u128), SpanId::from(id));
    let span = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default());
    Context::new().with_remote_span_context(span)
}

fn with_baggage(value: &'static str) -> Context {
    Context::new().with_baggage([KeyValue::new("session", value)])
}

#[test]
fn a_snapshot_has_its_span_inside_another_span_of_the_trace() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let snapshot = {
                let _context = in_span(1).attach();
                Snapshot::capture()
            };
            let _context = in_span(2).attach();
            let span = snapshot.in_scope(|| Context::current().span().span_context().span_id());
            assert_eq!(span, SpanId::from(1_u64), "{}", stack.name);
        });
    }
}

#[test]
fn a_recorded_value_is_not_current_in_a_foreign_span() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _request = info_span!("request").entered();
            assert!(TENANT_ID.record("acme"));
            let foreign = in_span(1).attach();
            assert_eq!(TENANT_ID.get(), None, "{}", stack.name);
            drop(foreign);
            assert_eq!(TENANT_ID.get().as_deref(), Some("acme"), "{}", stack.name);
        });
    }
}

#[test]
fn a_span_is_of_the_request_with_equal_baggage_and_keeps_its_user() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let step = {
                let _baggage = with_baggage("7").attach();
                info_span!("step")
            };
            for (value, user) in [("7", Some("ada")), ("8", None)] {
                let _baggage = with_baggage(value).attach();
                let _user = USER_ID.attach("ada");
                assert_eq!(step.in_scope(|| USER_ID.get()).as_deref(), user, "{}", stack.name);
            }
        });
    }
}

#[test]
fn what_is_recorded_on_a_span_stays_out_of_one_with_other_baggage() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _first = with_baggage("7").attach();
            let first = info_span!("first").entered();
            let _second = with_baggage("8").attach();
            let _inner = info_span!("second").entered();
            assert!(USER_ID.record_on(&first, "ada"), "{}", stack.name);
            assert_eq!(USER_ID.get(), None, "{}", stack.name);
            drop(first);
            assert_eq!(USER_ID.get(), None, "{}", stack.name);
        });
    }
}

/// Records a value in a snapshot, on another thread. Returns `true` if it was recorded on a span.
fn is_recorded_on_its_span(stack: &Stack, snapshot: &Snapshot) -> bool {
    let record = || stack.in_scope(|| snapshot.in_scope(|| ROLE.record("admin")));
    std::thread::scope(|scope| scope.spawn(record).join().unwrap())
}

#[test]
fn a_snapshot_belongs_to_its_span_only_if_the_context_does() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _tenant = TENANT_ID.attach("acme");
            let _request = info_span!("request").entered();
            let captured_in = |cx: Context| {
                let _context = cx.attach();
                Snapshot::capture()
            };
            let user = Context::current().with_fields(Fields::new().with(&USER_ID, "ada"));
            assert!(is_recorded_on_its_span(&stack, &captured_in(user)), "{}", stack.name);
            let other = Context::new().with_fields(Fields::new().with(&TENANT_ID, "globex"));
            assert!(!is_recorded_on_its_span(&stack, &captured_in(other)), "{}", stack.name);
        });
    }
}

#[test]
fn a_span_has_its_fields_in_a_snapshot_of_another_subscribers_span() {
    let other = with_default(registry(), || info_span!("of another subscriber").in_scope(Snapshot::capture));
    for stack in stacks::all() {
        stack.in_scope(|| {
            let span = TENANT_ID.in_scope("acme", || info_span!("of acme"));
            other.in_scope(|| {
                span.in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("acme"), "{}", stack.name));
            });
        });
    }
}

fn with_opentelemetry(f: impl FnOnce()) {
    let layer = tracing_opentelemetry::layer().with_tracer(Exported::new().tracer());
    with_default(registry().with(layer).with_context_fields(schema()), f);
}

fn session() -> Option<String> {
    Context::map_current(|cx| cx.baggage().get("session").map(ToString::to_string))
}

#[test]
fn a_span_has_the_baggage_of_the_opentelemetry_parent_that_it_was_given() {
    with_opentelemetry(|| {
        let _tenant = TENANT_ID.attach("acme");
        let outer = info_span!("outer").entered();
        assert!(USER_ID.record("ada"));
        let span = info_span!("span");
        span.set_parent(Context::current().with_baggage([KeyValue::new("session", "7")])).unwrap();
        span.in_scope(|| {
            assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
            assert_eq!(session().as_deref(), Some("7"));
        });
        drop(outer);
        assert_eq!(session(), None);
    });
}

#[test]
fn a_span_without_fields_has_those_of_its_given_opentelemetry_parent() {
    with_opentelemetry(|| {
        let parent = TENANT_ID.in_scope("acme", Context::current);
        let span = info_span!("span");
        span.set_parent(parent).unwrap();
        span.in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("acme")));
    });
}

#[test]
fn a_span_has_no_baggage_where_its_request_has_none_any_more() {
    with_opentelemetry(|| {
        let _tenant = TENANT_ID.attach("acme");
        let span = {
            let _baggage = Context::current().with_baggage([KeyValue::new("session", "7")]).attach();
            info_span!("span")
        };
        span.in_scope(|| assert_eq!(session(), None));
        let _user = USER_ID.attach("ada");
        span.in_scope(|| {
            assert_eq!(USER_ID.get().as_deref(), Some("ada"));
            assert_eq!(session(), None);
        });
    });
}
