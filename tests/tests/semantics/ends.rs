//! Scopes, spans and other libraries' contexts that end in any order.

use ctx_layer::{
    ContextFieldsExt, Fields,
    field::well_known::*,
    task::{self, Snapshot},
};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
use tracing::{Metadata, Span, info_span};

use crate::stacks;

fn tenant_and_user() -> [Option<String>; 2] {
    [TENANT_ID.get().map(String::from), USER_ID.get().map(String::from)]
}

fn are(expected: [&str; 2]) -> [Option<String>; 2] {
    expected.map(|value| (!value.is_empty()).then(|| value.to_owned()))
}

fn foreign() -> Context {
    Context::new().with_baggage([KeyValue::new("other", "library")])
}

#[test]
fn a_recorded_value_stays_when_a_scope_ends_below_a_foreign_context() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _request = info_span!("request").entered();
            let user = USER_ID.attach("ada");
            assert!(TENANT_ID.record("acme"));
            let foreign = foreign().attach();
            drop(user);
            assert_eq!(tenant_and_user(), are(["", ""]), "{}", stack.name);
            drop(foreign);
            assert_eq!(tenant_and_user(), are(["acme", ""]), "{}", stack.name);
        });
    }
}

#[test]
fn a_replaced_set_leaves_nothing_when_it_ends_below_a_foreign_context() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _request = info_span!("request").entered();
            let message = Fields::new().with(&USER_ID, "ada").replace();
            assert!(!TENANT_ID.record("acme"), "{}", stack.name);
            assert_eq!(tenant_and_user(), are(["acme", "ada"]), "{}", stack.name);
            let foreign = foreign().attach();
            drop(message);
            drop(foreign);
            assert_eq!(tenant_and_user(), are(["", ""]), "{}", stack.name);
        });
    }
}

#[test]
fn a_context_has_what_was_recorded_once_the_scope_inside_has_ended() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _request = info_span!("request").entered();
            let user = USER_ID.attach("ada");
            assert!(TENANT_ID.record("acme"));
            drop(user);
            let context = Context::current();
            assert_eq!(context.fields().get(&TENANT_ID).map(|it| &**it), Some("acme"), "{}", stack.name);
            assert_eq!(context.fields().get(&USER_ID), None, "{}", stack.name);
        });
    }
}

#[test]
fn a_scope_belongs_to_the_request_once_what_replaced_it_has_ended() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _tenant = TENANT_ID.attach("acme");
            let _request = info_span!("request").entered();
            let step = info_span!("step");
            let message = Fields::new().with(&TENANT_ID, "globex").replace();
            let step = step.entered();
            drop(message);
            let role = ROLE.attach("admin");
            drop(step);
            assert!(USER_ID.record("ada"), "{}", stack.name);
            drop(role);
            assert_eq!(tenant_and_user(), are(["acme", "ada"]), "{}", stack.name);
        });
    }
}

fn current_span() -> Option<&'static str> {
    Span::current().metadata().map(Metadata::name)
}

#[test]
fn a_span_entered_again_stays_current_when_a_snapshot_of_it_ends() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            // So that the ids of the others are not the first ones.
            let _first = info_span!("first");
            let job = TENANT_ID.in_scope("acme", || info_span!("job"));
            let snapshot = job.in_scope(Snapshot::capture);
            let entered = snapshot.enter();
            let step = info_span!("step").entered();
            let again = job.enter();
            drop(entered);
            assert_eq!(current_span(), Some("job"), "{}", stack.name);
            assert_eq!(tenant_and_user(), are(["acme", ""]), "{}", stack.name);
            drop(again);
            assert_eq!(current_span(), Some("step"), "{}", stack.name);
            drop(step);
            assert_eq!(current_span(), None, "{}", stack.name);
        });
    }
}

#[test]
fn spans_hidden_twice_come_back_in_order_if_the_outer_guard_ends_first() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let nothing = Snapshot::capture();
            let outer = info_span!("outer").entered();
            let first = nothing.enter();
            let inner = info_span!("inner").entered();
            let second = nothing.enter();
            drop(first);
            assert_eq!(current_span(), None, "{}", stack.name);
            drop(second);
            assert_eq!(current_span(), Some("inner"), "{}", stack.name);
            drop(inner);
            assert_eq!(current_span(), Some("outer"), "{}", stack.name);
            drop(outer);
            assert_eq!(current_span(), None, "{}", stack.name);
        });
    }
}

#[test]
fn a_value_recorded_where_all_was_replaced_takes_nothing_away_outside() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let _user = USER_ID.attach("ada");
            let _request = info_span!("request").entered();
            let job = Fields::new().replace();
            assert!(!TENANT_ID.record("acme"), "{}", stack.name);
            assert_eq!(tenant_and_user(), are(["acme", ""]), "{}", stack.name);
            drop(job);
            assert_eq!(tenant_and_user(), are(["", "ada"]), "{}", stack.name);
        });
    }
}

#[test]
fn a_value_recorded_in_isolated_work_takes_nothing_away_outside() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let nothing = Snapshot::capture();
            let _user = USER_ID.attach("ada");
            let job = nothing.enter();
            info_span!("job").in_scope(|| {
                assert!(TENANT_ID.record("acme"), "{}", stack.name);
                assert_eq!(tenant_and_user(), are(["acme", ""]), "{}", stack.name);
            });
            drop(job);
            assert_eq!(tenant_and_user(), are(["", "ada"]), "{}", stack.name);
        });
    }
}

#[test]
fn a_snapshot_of_nothing_hides_spans_when_the_one_around_it_has_ended() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let nothing = Snapshot::capture();
            let request = info_span!("request").entered();
            let inner = nothing.in_scope(|| nothing.enter());
            assert_eq!(current_span(), None, "{}", stack.name);
            drop(inner);
            assert_eq!(current_span(), Some("request"), "{}", stack.name);
            drop(request);
        });
    }
}

#[test]
fn a_guard_that_outlives_a_messages_snapshot_is_apart_from_the_receiver() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let receiver = info_span!("receiver").entered();
            let message = Fields::new().with(&USER_ID, "eve").replace();
            let outliving = task::in_current_context(|| TENANT_ID.attach("acme"))();
            assert!(!USER_ID.record("ada"), "{}", stack.name);
            assert_eq!(tenant_and_user(), are(["acme", "ada"]), "{}", stack.name);
            drop(outliving);
            assert_eq!(tenant_and_user(), are(["", "eve"]), "{}", stack.name);
            drop(message);
            assert_eq!(tenant_and_user(), are(["", ""]), "{}", stack.name);
            drop(receiver);
        });
    }
}

#[test]
fn a_guard_that_outlives_another_spans_snapshot_is_apart_from_this_one() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let job = info_span!("job");
            let snapshot = job.in_scope(Snapshot::capture);
            assert!(USER_ID.record_on(&job, "ada"), "{}", stack.name);
            let other = info_span!("other");
            let entered = other.enter();
            let outliving = snapshot.in_scope(|| ROLE.attach("admin"));
            assert!(!TENANT_ID.record("acme"), "{}", stack.name);
            drop(outliving);
            drop(entered);
            other.in_scope(|| assert_eq!(tenant_and_user(), are(["", ""]), "{}", stack.name));
        });
    }
}
