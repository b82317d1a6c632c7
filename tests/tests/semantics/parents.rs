//! Contextual, root and explicit parents: each kind is kept, and has its fields.

use ctx_layer::{Fields, field::well_known::*};
use ctx_tests::Parent;
use tracing::{Span, info, info_span};

use crate::stacks;

#[test]
fn spans_and_events_keep_their_kind_of_parent() {
    for stack in stacks::all() {
        // With and without a field to add.
        for fields in [Fields::new(), Fields::new().with(&TENANT_ID, "acme")] {
            let stack_name = stack.name;
            let before = stack.recorder.items().len();
            let named = stack.in_scope(|| {
                fields.in_scope(|| {
                    let named = info_span!("named");
                    let _current = info_span!("current").entered();
                    info!("contextual");
                    info!(parent: None, "root");
                    info!(parent: &named, "explicit");
                    info_span!("contextual");
                    info_span!(parent: None, "root");
                    info_span!(parent: &named, "explicit");
                    named.id().unwrap()
                })
            });
            let items = &stack.recorder.items()[before..];
            let kinds: Vec<_> = items[2..].iter().map(|item| (item.name.as_str(), item.parent.clone())).collect();
            let expected =
                [("contextual", Parent::Contextual), ("root", Parent::Root), ("explicit", Parent::Explicit(named))];
            assert_eq!(kinds, [expected.clone(), expected].concat(), "{stack_name}");
        }
    }
}

#[test]
fn a_root_gets_the_fields_that_are_current_at_its_creation() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let request = TENANT_ID.in_scope("acme", || info_span!("request"));
            let _entered = request.enter();
            info!(parent: None, "root");
            info_span!(parent: None, "root span");
        });
        assert_eq!(stack.recorder.event("root").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(stack.recorder.span("root span").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}

#[test]
fn a_child_of_an_explicit_parent_gets_the_fields_that_it_remembers() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let acme = Fields::new().with(&TENANT_ID, "acme").in_scope(|| info_span!("acme"));
            Fields::new().with(&TENANT_ID, "globex").with(&USER_ID, "u-1").in_scope(|| {
                let _current = info_span!("globex").entered();
                info!(parent: &acme, "of acme");
                let child = info_span!(parent: &acme, "child of acme");
                child.in_scope(|| info!("in child"));
                info!("of globex");
            });
        });
        let name = stack.name;
        for item in
            [stack.recorder.event("of acme"), stack.recorder.span("child of acme"), stack.recorder.event("in child")]
        {
            assert_eq!((item.text("tenant_id"), item.text("user_id")), (Some("acme"), None), "{name}: {item:?}");
        }
        let other = stack.recorder.event("of globex");
        assert_eq!((other.text("tenant_id"), other.text("user_id")), (Some("globex"), Some("u-1")), "{name}");
    }
}

#[test]
fn a_child_of_an_explicit_parent_gets_more_in_the_same_request() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            TENANT_ID.in_scope("acme", || {
                let request = info_span!("request");
                USER_ID.in_scope("u-1", || info!(parent: &request, "more"));
            });
        });
        let event = stack.recorder.event("more");
        assert_eq!((event.text("tenant_id"), event.text("user_id")), (Some("acme"), Some("u-1")), "{}", stack.name);
    }
}

#[test]
fn a_child_of_an_explicit_parent_gets_values_recorded_on_it() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            let request = info_span!("request");
            request.in_scope(|| assert!(TENANT_ID.record("acme")));
            assert_eq!(TENANT_ID.get(), None);
            info!(parent: &request, "after");
        });
        assert_eq!(stack.recorder.event("after").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}

#[test]
fn an_explicit_parent_that_is_not_a_span_changes_nothing() {
    for stack in stacks::all() {
        stack.in_scope(|| {
            TENANT_ID.in_scope("acme", || {
                info!(parent: &Span::none(), "none");
                let disabled = Span::none();
                info_span!(parent: &disabled, "child of none").in_scope(|| info!("inside"));
            });
        });
        assert_eq!(stack.recorder.event("none").text("tenant_id"), Some("acme"), "{}", stack.name);
        assert_eq!(stack.recorder.event("inside").text("tenant_id"), Some("acme"), "{}", stack.name);
    }
}
