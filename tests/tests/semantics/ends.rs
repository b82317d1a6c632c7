//! Scopes, spans and other libraries' contexts that end in any order.

use ctx_layer::{ContextFieldsExt, Fields, field::well_known::*};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
use tracing::info_span;

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
