//! Values arrive unchanged.

use std::{
    num::{NonZeroI64, Wrapping},
    sync::Arc,
};

use ctx_layer::{Fields, Schema, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::{ATTEMPT, BETA, Item, Kind, PLAN, Plan, RATIO, Recorder, SHARD, Value, schema};
use tracing::{field::Empty, info, info_span, subscriber::with_default};
use tracing_subscriber::prelude::*;

use crate::stacks::Stack;

fn typed() -> Fields {
    Fields::new()
        .with(&TENANT_ID, "acme")
        .with(&ATTEMPT, -3)
        .with(&SHARD, u64::MAX)
        .with(&RATIO, 0.25)
        .with(&BETA, true)
        .with(&PLAN, Plan(2))
}

#[test]
fn context_values_arrive_with_their_types() {
    let stack = Stack::plain();
    stack.in_scope(|| {
        typed().in_scope(|| {
            info!("event");
            info_span!("span");
        });
        SHARD.in_scope(7u64, || info!("small"));
    });
    for item in [stack.recorder.event("event"), stack.recorder.span("span")] {
        assert_eq!(item.text("tenant_id"), Some("acme"));
        assert_eq!(item.get("attempt"), Some(&Value::I64(-3)));
        assert_eq!(item.get("shard"), Some(&Value::U64(u64::MAX)));
        assert_eq!(item.get("ratio"), Some(&Value::F64(0.25)));
        assert_eq!(item.get("beta"), Some(&Value::Bool(true)));
        assert_eq!(item.text("plan"), Some("plan-2"));
    }
    // OpenTelemetry has no unsigned integers: what fits is sent as a signed one.
    assert_eq!(stack.recorder.event("small").get("shard"), Some(&Value::I64(7)));
}

/// Returns what layers get of what `run` does: without the layer, with a current field under it, and inside an output
/// that rewrites by itself. Except for the context field all must be the same.
fn items_of(run: impl Fn()) -> Vec<Item> {
    let (without, with, around) = (Recorder::default(), Recorder::default(), Recorder::default());
    with_default(tracing_subscriber::registry().with(without.clone()), &run);
    with_default(tracing_subscriber::registry().with(with.clone()).with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", &run);
    });
    with_default(
        tracing_subscriber::registry().with(fields_once_per_line(around.clone())).with_context_fields(schema()),
        || TENANT_ID.in_scope("acme", &run),
    );
    let items = without.items();
    for (other, hidden_on_spans) in [(with, false), (around, true)] {
        let other = other.items();
        assert_eq!(items.len(), other.len());
        for (without, with) in items.iter().zip(other) {
            let mut expected = without.values.clone();
            let has_field = match with.kind {
                Kind::Event => true,
                Kind::Span => !hidden_on_spans,
                Kind::Record => false,
            };
            if has_field {
                expected.push(("tenant_id", "acme".into()));
            }
            assert_eq!(with.values, expected);
            assert_eq!((with.kind, &with.name, &with.parent), (without.kind, &without.name, &without.parent));
        }
    }
    items
}

#[test]
fn every_type_of_value_arrives_by_the_same_method() {
    let items = items_of(|| {
        info!(
            i64 = -1i64,
            u64 = 2u64,
            i128 = i128::MIN,
            u128 = u128::MAX,
            f64 = 0.5f64,
            bool = true,
            str = "text",
            bytes = b"by\0tes".as_slice(),
            debug = ?Some(1),
            display = %"shown",
            empty = Empty,
            "every type"
        );
    });
    let expected: Vec<(&str, Value)> = vec![
        ("message", Value::Debug("every type".into())),
        ("i64", Value::I64(-1)),
        ("u64", Value::U64(2)),
        ("i128", Value::I128(i128::MIN)),
        ("u128", Value::U128(u128::MAX)),
        ("f64", Value::F64(0.5)),
        ("bool", Value::Bool(true)),
        ("str", "text".into()),
        ("bytes", Value::Bytes(b"by\0tes".to_vec())),
        ("debug", Value::Debug("Some(1)".into())),
        ("display", Value::Debug("shown".into())),
    ];
    assert_eq!(items[0].values, expected);
}

#[test]
fn references_options_boxes_and_wrappers_arrive_as_without_the_layer() {
    items_of(|| {
        let owned = String::from("owned");
        let number = 5u8;
        info!(
            owned,
            by_reference = &owned.as_str(),
            boxed = Box::new(7i16),
            some = Some(3u32),
            none = None::<u32>,
            wrapping = Wrapping(4i64),
            non_zero = NonZeroI64::new(9).unwrap(),
            f32 = 0.5f32,
            usize = number as usize,
            nan = f64::NAN.to_bits(),
            arguments = format_args!("{owned}-{number}"),
            empty_text = "",
            empty_bytes = b"".as_slice(),
            "{owned} and {number}"
        );
    });
}

#[test]
fn spans_and_values_recorded_on_them_arrive_as_without_the_layer() {
    items_of(|| {
        let span = info_span!("span", number = 1, text = "a", debug = ?vec![1, 2], later = Empty, more = Empty);
        span.record("later", 0.5).record("more", b"bytes".as_slice()).record("number", tracing::field::display("x"));
        let _entered = span.enter();
        span.record("later", "after entering");
        info!(parent: &info_span!("inner", number = i128::MAX), last = true, "event");
    });
}

#[test]
fn many_long_strings_arrive_whole() {
    let long = Arc::new("äß🚲".repeat(20_000));
    let items = items_of({
        let long = long.clone();
        move || {
            info!(first = "1", long = long.as_str(), last = "3", bytes = long.as_bytes(), "long");
            info!(short = "again", "short");
        }
    });
    assert_eq!(items[0].get("long"), Some(&Value::Str(long.to_string())));
}

macro_rules! event_of_100 {
    ($($name:ident)*) => {
        tracing::info!($($name = stringify!($name),)* "a hundred")
    };
}

macro_rules! span_of_100 {
    ($($name:ident)*) => {
        tracing::info_span!("a hundred", $($name = stringify!($name)),*)
    };
}

macro_rules! with_100_names {
    ($macro:ident) => {
        $macro!(
            f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20 f21 f22 f23 f24
            f25 f26 f27 f28 f29 f30 f31 f32 f33 f34 f35 f36 f37 f38 f39 f40 f41 f42 f43 f44 f45 f46 f47 f48 f49
            f50 f51 f52 f53 f54 f55 f56 f57 f58 f59 f60 f61 f62 f63 f64 f65 f66 f67 f68 f69 f70 f71 f72 f73 f74
            f75 f76 f77 f78 f79 f80 f81 f82 f83 f84 f85 f86 f87 f88 f89 f90 f91 f92 f93 f94 f95 f96 f97 f98 f99
        )
    };
}

#[test]
fn a_hundred_own_fields_arrive_with_the_context_fields() {
    let items = items_of(|| {
        with_100_names!(event_of_100);
        with_100_names!(span_of_100);
    });
    for item in &items {
        for number in 0..100 {
            let name = format!("f{number:02}");
            assert_eq!(item.text(&name), Some(name.as_str()));
        }
    }
}

#[test]
fn a_hundred_context_fields_are_on_one_event_beside_its_own() {
    use ctx_layer::{ContextField, Policy};
    let keys: Vec<_> = (0..100)
        .map(|i| ContextField::<u64>::declare(&format!("semantics.values.{i}"), Policy::new()).unwrap())
        .collect();
    let schema = keys.iter().fold(Schema::builder(), |builder, key| builder.field(*key)).build().unwrap();
    let stack = Stack::with_schema(schema);
    let fields = keys.iter().zip(0u64..).fold(Fields::new(), |fields, (key, i)| fields.with(key, i));
    stack.in_scope(|| fields.in_scope(|| info!(own = "value", "many")));
    let event = stack.recorder.event("many");
    assert_eq!(event.text("own"), Some("value"));
    for i in 0..100 {
        assert_eq!(event.get(&format!("semantics.values.{i}")), Some(&Value::I64(i)));
    }
    assert_eq!(event.values.len(), 102);
}

#[test]
fn the_only_value_of_a_span_or_event_keeps_its_type() {
    let error = std::io::Error::other("broken");
    let each = || {
        macro_rules! each {
            ($($value:expr),* $(,)?) => {$(
                info!(value = $value);
                drop(info_span!("alone", value = $value));
            )*};
        }
        each![
            true,
            -1_i64,
            u64::MAX,
            i128::MIN,
            u128::MAX,
            0.5_f64,
            "text",
            &b"bytes"[..],
            &error as &(dyn std::error::Error + 'static),
        ];
    };
    // Few fields take a separate path.
    let few = Recorder::default();
    let stack = tracing_subscriber::registry().with(few.clone()).with_context_fields(Schema::well_known());
    with_default(stack, || TENANT_ID.in_scope("acme", each));
    assert!(few.items().iter().all(|item| item.text("tenant_id") == Some("acme")));
    let expected = [
        Value::Bool(true),
        Value::I64(-1),
        Value::U64(u64::MAX),
        Value::I128(i128::MIN),
        Value::U128(u128::MAX),
        Value::F64(0.5),
        Value::from("text"),
        Value::Bytes(b"bytes".to_vec()),
        Value::Error("broken".to_owned()),
    ];
    let expected: Vec<_> = expected.into_iter().flat_map(|value| [value.clone(), value]).collect();
    for items in [items_of(each), few.items()] {
        let values: Vec<_> = items.iter().map(|item| item.get("value").cloned().unwrap()).collect();
        assert_eq!(values, expected);
    }
}

macro_rules! declaring_beside_100 {
    ($($name:ident)*) => {{
        tracing::info!(tenant_id = Empty, $($name = stringify!($name),)* "declares the first");
        tracing::info_span!("declares the first", tenant_id = Empty, $($name = stringify!($name)),*);
        tracing::info_span!("declares the last", $($name = stringify!($name),)* tenant_id = "own");
    }};
}

macro_rules! declaring_behind_64 {
    ($($name:ident)*) => {
        tracing::info_span!("declares the 65th", $($name = stringify!($name),)* tenant_id = "own").in_scope(|| {
            tracing::info!($($name = stringify!($name),)* tenant_id = "own", "declares the 65th, too");
        })
    };
}

#[test]
fn registered_fields_arrive_among_more_fields_than_the_bitmap_holds() {
    let recorders = [Recorder::default(), Recorder::default()];
    let [with, once] = recorders.each_ref();
    let stack = tracing_subscriber::registry().with(with.clone()).with(fields_once_per_line(once.clone()));
    with_default(stack.with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", || {
            with_100_names!(declaring_beside_100);
            declaring_behind_64!(
                f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20 f21 f22 f23 f24
                f25 f26 f27 f28 f29 f30 f31 f32 f33 f34 f35 f36 f37 f38 f39 f40 f41 f42 f43 f44 f45 f46 f47 f48 f49
                f50 f51 f52 f53 f54 f55 f56 f57 f58 f59 f60 f61 f62 f63
            );
        });
    });
    for recorder in &recorders {
        assert_eq!(recorder.event("declares the first").text("tenant_id"), Some("acme"));
        assert_eq!(recorder.event("declares the 65th, too").text("tenant_id"), Some("own"));
    }
    assert_eq!(with.span("declares the first").text("tenant_id"), Some("acme"));
    for span in ["declares the last", "declares the 65th"] {
        assert_eq!(with.span(span).text("tenant_id"), Some("own"));
    }
}
