//! Context fields, once each.

use ctx_layer::{
    Fields, Schema, SubscriberFieldsExt,
    field::{Policy, well_known::*},
    output::text,
};
use ctx_tests::{Captured, EMAIL, HASHED_EMAIL};
use tracing::{field::Empty, info, info_span, subscriber::with_default};
use tracing_subscriber::prelude::*;

use super::{text_of, text_under};

fn two() -> Fields {
    Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "ada")
}

#[test]
fn an_events_own_value_wins_over_the_contexts() {
    let run = || {
        let _guard = two().attach();
        // Twice: the second time, the set is encoded already.
        info!(tenant_id = "globex", "placed");
        info!("stored");
        info!(tenant_id = 7, "placed");
        info!(tenant_id = Empty, note = None::<&str>, "placed");
    };
    assert_eq!(
        text_of(|layer| layer, run),
        "INFO  placed tenant_id=\"globex\" user_id=\"ada\"\nINFO  stored tenant_id=\"acme\" user_id=\"ada\"\nINFO  placed tenant_id=7 \
         user_id=\"ada\"\nINFO  placed tenant_id=\"acme\" user_id=\"ada\"\n"
    );
}

#[test]
fn the_last_of_two_own_fields_with_one_name_counts() {
    assert_eq!(text_of(|layer| layer, || info!(count = 1, count = 2, "counted")), "INFO  counted count=2\n");
    assert_eq!(text_of(|layer| layer, || info!(count = 1, count = None::<u8>)), "INFO  count=1\n");
}

#[test]
fn recorded_values_are_on_the_lines_that_follow() {
    let run = || {
        let _request = info_span!("request").entered();
        info!("before");
        assert!(USER_ID.record("ada"));
        info!("after");
    };
    let text = text_under(|layer| layer, run);
    assert_eq!(text, "INFO  request: before\nINFO  request: after user_id=\"ada\"\n");
}

#[test]
fn an_event_with_an_explicit_parent_has_that_parents_fields() {
    let run = || {
        let request = two().in_scope(|| info_span!("request"));
        let _other = TENANT_ID.attach("globex");
        info!(parent: &request, "of the request");
        info!(parent: None, "of none");
        info!("here");
    };
    assert_eq!(
        text_under(|layer| layer, run),
        "INFO  request: of the request tenant_id=\"acme\" user_id=\"ada\"\nINFO  of none tenant_id=\"globex\"\nINFO  here \
         tenant_id=\"globex\"\n"
    );
}

#[test]
fn baggage_counts_as_for_other_outputs() {
    use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
    let run = || {
        let _baggage = Context::current_with_baggage([KeyValue::new("tenant_id", "acme")]).attach();
        USER_ID.in_scope("ada", || info!("placed"));
    };
    assert_eq!(text_under(|layer| layer, run), "INFO  placed tenant_id=\"acme\" user_id=\"ada\"\n");
}

#[test]
fn a_value_is_shown_as_its_field_limits_it_and_never_ends_its_line() {
    let run = || {
        TENANT_ID.in_scope("acme\n2026-01-01 ERROR forged\x1b[31m\" user_id=\"root", || info!("placed"));
        TENANT_ID.in_scope("x".repeat(300), || info!("placed"));
    };
    let text = text_of(|layer| layer, run);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(
        lines[0],
        "INFO  placed tenant_id=\"acme\u{fffd}2026-01-01 ERROR forged\u{fffd}[31m\\\" user_id=\\\"root\""
    );
    assert!(lines[1].ends_with("x…\""), "{}", lines[1]);
}

#[test]
fn outputs_side_by_side_show_a_sensitive_field_each_by_its_own_schema() {
    let [plain, own] = [(); 2].map(|()| Captured::default());
    let layer = |lines: &Captured| text::layer().without_time().with_target(false).with_writer(lines.clone());
    let revealed = Schema::builder().field_with(&EMAIL, Policy::reveal).build().unwrap();
    let schema = Schema::builder().field(&TENANT_ID).field(&EMAIL).field(&HASHED_EMAIL);
    let schema = schema.field_with(&USER_ID, |policy| policy.masked()).build().unwrap();
    let stack = tracing_subscriber::registry().with(layer(&plain)).with(layer(&own).with_schema(revealed));
    with_default(stack.with_context_fields(schema), || {
        let fields = two().with(&EMAIL, "ada@example.com").with(&HASHED_EMAIL, "ada@example.com");
        fields.in_scope(|| info!("placed"));
    });
    let text = plain.text();
    assert!(text.starts_with("INFO  placed tenant_id=\"acme\" user_id=\"[redacted]\" "), "{text}");
    assert!(text.contains(" email=\"[redacted]\"") && !text.contains("ada@"), "{text}");
    assert_eq!(own.text(), "INFO  placed email=\"ada@example.com\"\n");
}
