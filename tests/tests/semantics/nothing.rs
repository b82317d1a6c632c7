//! An empty string and a number that is not finite are no values.

use ctx_layer::{
    Fields, Policy, Schema, SubscriberFieldsExt,
    field::{ContextField, DeclareError, NameError, well_known::*},
};
use ctx_tests::{Captured, Recorder, Value};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
use tracing::{info, info_span, subscriber::with_default};
use tracing_subscriber::prelude::*;

ctx_layer::context_fields! {
    /// A ratio.
    static RATIO: f64 = "nothing.ratio" => propagated;
    /// A ratio in single precision.
    static SMALL: f32 = "nothing.small" => propagated;
    /// A hashed field.
    static HASHED: String = "nothing.hashed" => hashed;
    /// A masked field.
    static MASKED: String = "nothing.masked" => masked;
}

fn schema() -> Schema {
    let builder = Schema::builder().well_known().field(&RATIO).field(&SMALL).field(&HASHED).field(&MASKED);
    builder.build().expect("no name is in it twice")
}

#[test]
fn an_empty_id_is_not_shown_and_hides_the_one_around_it() {
    let (recorder, json) = (Recorder::default(), Captured::default());
    let stack = tracing_subscriber::registry()
        .with(recorder.clone())
        .with(tracing_subscriber::fmt::layer().json().with_writer(json.clone()));
    with_default(stack.with_context_fields(schema()), || {
        let _outer = TENANT_ID.attach("acme");
        let fields = Fields::current().with(&TENANT_ID, "").with(&HASHED, "").with(&MASKED, "").with(&USER_ID, "ada");
        let _inner = fields.attach();
        assert_eq!((TENANT_ID.get(), HASHED.get(), USER_ID.get().as_deref()), (None, None, Some("ada")));
        let _span = info_span!("span").entered();
        info!("event");
    });
    for item in [recorder.span("span"), recorder.event("event")] {
        let names: Vec<_> = item.values.iter().map(|(name, _)| *name).filter(|name| *name != "message").collect();
        assert_eq!(names, ["user_id"], "{item:?}");
    }
    assert!(!json.text().contains("tenant_id") && !json.text().contains("nothing."), "{}", json.text());
}

#[test]
fn numbers_that_are_not_finite_are_not_shown_and_reported_once() {
    let recorder = Recorder::default();
    with_default(tracing_subscriber::registry().with(recorder.clone()).with_context_fields(schema()), || {
        for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let _ratio = RATIO.attach(float);
            assert_eq!(RATIO.get(), None);
            info!("none");
        }
        let _small = SMALL.attach(f32::NAN);
        let _ratio = RATIO.attach(1e300);
        info!("one");
    });
    let warned: Vec<_> = recorder.items().iter().filter_map(|item| Some(item.text("field")?.to_owned())).collect();
    assert_eq!(warned, ["nothing.ratio", "nothing.small"]);
    assert!(recorder.items().iter().filter(|item| item.name == "none").all(|item| item.get("nothing.ratio").is_none()));
    assert_eq!(recorder.event("one").get("nothing.ratio"), Some(&Value::F64(1e300)));
}

#[test]
fn values_in_baggage_are_refused_by_the_same_rules() {
    let _stack = tracing_subscriber::registry().with_context_fields(schema());
    for (key, value) in [
        ("tenant_id", ""),
        ("tenant_id", "ac\u{200b}me"),
        ("tenant_id", "\u{feff}acme"),
        ("tenant_id", "ac\u{ad}me"),
        ("nothing.ratio", "NaN"),
        ("nothing.ratio", "-inf"),
        ("nothing.ratio", "infinity"),
        ("nothing.ratio", "1e999"),
        ("nothing.small", "1e39"),
    ] {
        let _baggage = Context::current_with_baggage([KeyValue::new(key, value)]).attach();
        assert!(Fields::current().is_empty(), "{key}={value:?}");
    }
    let _baggage = Context::current_with_baggage([KeyValue::new("nothing.ratio", "1e300")]).attach();
    assert_eq!(RATIO.get(), Some(1e300));
}

#[test]
fn invisible_characters_are_shown_as_replaced() {
    let recorder = Recorder::default();
    with_default(tracing_subscriber::registry().with(recorder.clone()).with_context_fields(schema()), || {
        let _tenant = TENANT_ID.attach("ac\u{200b}me\u{feff}");
        info!("event");
    });
    assert_eq!(recorder.event("event").text("tenant_id"), Some("ac\u{fffd}me\u{fffd}"));
}

#[test]
fn a_baggage_key_that_is_not_a_token_cannot_be_declared() {
    for key in ["", "tenant id", "tenant=id", "ténant", "a,b", "\"a\""] {
        let declared = ContextField::<String>::declare("nothing.key", Policy::new().propagated().baggage_key(key));
        assert!(matches!(declared, Err(DeclareError::Name { reason: NameError::BaggageKey, .. })), "{key:?}");
    }
    assert!(ContextField::<String>::declare("nothing.key", Policy::new().baggage_key("x-tenant.id")).is_ok());
}
