//! Setting values until a guard is dropped.

use ctx_layer::{ContextField, ContextFieldsExt, Fields, FieldsGuard, Policy, Schema, field::well_known::*};
use ctx_tests::{ATTEMPT, BETA, EMAIL, HASHED_EMAIL, PLAN, Plan, SHARD, Value, on_a_new_thread};
use opentelemetry::Context;
use tracing::info;

use crate::stacks::Stack;

fn tenant() -> Option<String> {
    TENANT_ID.get().map(String::from)
}

#[test]
fn nested_guards_restore_the_previous_fields() {
    let outer = TENANT_ID.attach("outer");
    let inner = TENANT_ID.attach("inner");
    assert_eq!(tenant().as_deref(), Some("inner"));
    drop(inner);
    assert_eq!(tenant().as_deref(), Some("outer"));
    drop(outer);
    assert_eq!(tenant(), None);
}

#[test]
fn an_outer_guard_dropped_first_changes_nothing_before_the_inner_one() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        let first = TENANT_ID.attach("first");
        let second = TENANT_ID.attach("second");
        let third = TENANT_ID.attach("third");
        drop(second);
        assert_eq!(tenant().as_deref(), Some("third"));
        drop(first);
        assert_eq!(tenant().as_deref(), Some("third"));
        info!("third");
        drop(third);
        assert_eq!(tenant(), None);
        info!("none");
    });
    assert_eq!(stack.recorder.event("third").text("tenant_id"), Some("third"));
    assert_eq!(stack.recorder.event("none").text("tenant_id"), None);
}

#[test]
fn a_guard_is_not_send() {
    // Ambiguous, and so a compile error, if the guard were `Send`: then both implementations would apply.
    trait AmbiguousIfSend<Which> {
        fn proven() -> bool {
            true
        }
    }
    impl<T: ?Sized> AmbiguousIfSend<()> for T {}
    #[allow(dead_code)]
    struct Send_;
    impl<T: ?Sized + Send> AmbiguousIfSend<Send_> for T {}
    assert!(<FieldsGuard as AmbiguousIfSend<_>>::proven());

    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Fields>();
    is_send_and_sync::<Schema>();
    is_send_and_sync::<ContextField<String>>();
}

#[test]
fn unset_hides_one_value_until_the_guard_is_dropped() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "u-1").in_scope(|| {
            let unset = TENANT_ID.unset();
            assert_eq!((tenant(), USER_ID.get().as_deref()), (None, Some("u-1")));
            info!("unset");
            drop(unset);
            assert_eq!(tenant().as_deref(), Some("acme"));
            let _all = Fields::new().replace();
            assert!(Fields::current().is_empty());
            info!("nothing");
        });
    });
    let event = stack.recorder.event("unset");
    assert_eq!((event.text("tenant_id"), event.text("user_id")), (None, Some("u-1")));
    assert_eq!(stack.recorder.event("nothing").text("user_id"), None);
}

#[test]
fn several_values_can_be_set_at_once_and_keep_their_types() {
    let fields = Fields::new()
        .with(&TENANT_ID, "acme")
        .with(&ATTEMPT, -1)
        .with(&SHARD, 7u64)
        .with(&BETA, true)
        .with(&PLAN, Plan(9));
    assert_eq!(fields.len(), 5);
    let _guard = fields.attach();
    assert_eq!((tenant().as_deref(), ATTEMPT.get(), SHARD.get()), (Some("acme"), Some(-1), Some(7)));
    assert_eq!((BETA.get(), PLAN.get()), (Some(true), Some(Plan(9))));
    let current = Fields::current();
    let all: Vec<_> = current.iter().map(|(field, value)| format!("{}={value}", field.name())).collect();
    assert_eq!(all.len(), 5);
    for expected in ["tenant_id=acme", "attempt=-1", "shard=7", "beta=true", "plan=plan-9"] {
        assert!(all.iter().any(|known| known == expected), "{expected} in {all:?}");
    }
}

#[test]
fn attaching_keeps_the_other_fields_and_replacing_hides_them() {
    let _tenant = TENANT_ID.attach("acme");
    {
        let _user = USER_ID.attach("u-1");
        assert_eq!(tenant().as_deref(), Some("acme"));
    }
    let set = Fields::new().with(&USER_ID, "u-2");
    let attached = set.clone().attach();
    assert_eq!((tenant().as_deref(), USER_ID.get().as_deref()), (Some("acme"), Some("u-2")));
    drop(attached);
    let _replaced = set.replace();
    assert_eq!((tenant(), USER_ID.get().as_deref()), (None, Some("u-2")));
}

#[test]
fn attaching_a_set_unsets_the_fields_that_it_unsets() {
    let _tenant = TENANT_ID.attach("acme");
    let _both = Fields::current().without(&TENANT_ID).with(&USER_ID, "u-1").attach();
    assert_eq!((tenant(), USER_ID.get().as_deref()), (None, Some("u-1")));
}

#[test]
fn a_scope_that_panics_restores_the_previous_fields() {
    let result = std::panic::catch_unwind(|| TENANT_ID.in_scope("acme", || panic!("on purpose")));
    assert!(result.is_err());
    assert_eq!(tenant(), None);
}

#[test]
fn a_value_is_current_on_its_own_thread_only() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        TENANT_ID.in_scope("acme", || {
            on_a_new_thread(&stack.dispatch, || {
                assert_eq!(tenant(), None);
                info!("elsewhere");
            });
        });
    });
    assert_eq!(stack.recorder.event("elsewhere").text("tenant_id"), None);
}

#[test]
fn fields_are_read_from_and_set_in_an_opentelemetry_context() {
    let stack = Stack::plain();
    let cx = Context::new().with_fields(Fields::new().with(&TENANT_ID, "acme"));
    assert_eq!(cx.fields().get(&TENANT_ID).map(|text| text.as_str()), Some("acme"));
    stack.in_scope(|| {
        let _guard = cx.attach();
        assert_eq!(tenant().as_deref(), Some("acme"));
        info!("inside");
    });
    assert_eq!(stack.recorder.event("inside").text("tenant_id"), Some("acme"));
}

#[test]
fn an_opentelemetry_context_carries_the_fields() {
    use opentelemetry::context::FutureExt;
    let stack = Stack::plain();
    let future = TENANT_ID.in_scope("acme", || async { info!("inside") }.with_current_context());
    ctx_tests::each_poll_on_a_new_thread(&stack.dispatch, future);
    assert_eq!(stack.recorder.event("inside").text("tenant_id"), Some("acme"));
}

#[test]
fn a_field_declared_at_run_time_is_on_spans_and_events() {
    let region = ContextField::<String>::declare("semantics.region", Policy::new().max_len(8)).unwrap();
    let weight = ContextField::<i64>::declare("semantics.weight", Policy::new()).unwrap();
    let schema = Schema::builder().field(&TENANT_ID).field(region).field(weight).build().unwrap();
    let stack = Stack::with_schema(schema);
    stack.in_scope(|| {
        Fields::new().with(region, "eu-west-1").with(weight, 5).in_scope(|| {
            info!("inside");
            tracing::info_span!("span");
            assert_eq!(region.get().as_deref(), Some("eu-west-1"), "whole for the code that reads it");
        });
    });
    for item in [stack.recorder.event("inside"), stack.recorder.span("span")] {
        assert_eq!(item.text("semantics.region"), Some("eu-we…"));
        assert_eq!(item.get("semantics.weight"), Some(&Value::I64(5)));
    }
    let again = ContextField::<String>::declare("semantics.region", Policy::new().max_len(8)).unwrap();
    assert!(std::ptr::eq(region, again));
    assert!(ContextField::<i64>::declare("semantics.region", Policy::new().max_len(8)).is_err());
    assert!(ContextField::<String>::declare("semantics.region", Policy::new()).is_err());
}

#[test]
fn a_users_type_is_shown_as_a_string_and_read_back_as_itself() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        PLAN.in_scope(Plan(3), || {
            assert_eq!(PLAN.get(), Some(Plan(3)));
            info!("inside");
        });
    });
    assert_eq!(stack.recorder.event("inside").text("plan"), Some("plan-3"));
}

#[test]
fn the_debug_output_of_fields_masks_sensitive_ones() {
    let fields =
        Fields::new().with(&TENANT_ID, "acme").with(&EMAIL, "ada@example.com").with(&HASHED_EMAIL, "ada@example.com");
    for text in [format!("{fields:?}"), format!("{fields:#?}"), format!("{:?}", fields.clone().attach())] {
        assert!(!text.contains("ada"), "{text}");
    }
    assert!(format!("{fields:?}").contains(r#""email": [redacted]"#), "{fields:?}");
    assert!(fields.iter().all(|(_, value)| !value.to_string().contains("ada")));
    assert_eq!(fields.get(&EMAIL).map(|text| text.as_str()), Some("ada@example.com"), "the key reads it");
}

#[test]
fn a_set_is_immutable_and_clones_share_it() {
    let first = Fields::new().with(&TENANT_ID, "acme");
    let second = first.clone().with(&USER_ID, "u-1").without(&TENANT_ID);
    assert_eq!((first.get(&TENANT_ID).map(|text| text.as_str()), first.len()), (Some("acme"), 1));
    assert_eq!((second.get(&TENANT_ID), second.len()), (None, 1));
    assert!(second.without(&USER_ID).is_empty());
}
