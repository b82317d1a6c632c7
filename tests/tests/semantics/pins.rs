//! Undocumented behaviour of `tracing-core` that this crate relies on. A test that fails after an upgrade names the
//! file to look at; without it the change would appear as missing or wrong fields.

use std::{fmt, sync::Mutex};

use ctx_tests::{Captured, schema};
use tracing::{
    Callsite, Dispatch, Event, Metadata, Subscriber,
    callsite::Identifier,
    field::{Field, FieldSet, Value, Visit},
    metadata::Kind,
    span,
    subscriber::Interest,
};

const RELIES_ON_VALUE_SET_ALL: &str = "ctx-layer/src/layer/rewrite rebuilds values with `FieldSet::value_set_all`";
const RELIES_ON_IDENTIFIER: &str =
    "ctx-layer/src/layer/metadata.rs (`call_site_of`) finds a call site by `Identifier`'s hidden field";
const RELIES_ON_FIELD_EQUALITY: &str = "ctx-layer/src/layer/metadata.rs gives augmented metadata the same call site, so that its fields equal the original ones";
const RELIES_ON_DEBUG_OF_HINTS: &str =
    "ctx-layer/src/layer/metadata.rs (`kind_of`) tells a hint by the end of its `Debug` text";

struct Site;

static SITE: Site = Site;
static FEW: Metadata<'static> = metadata(&["a", "b"], Kind::EVENT);

const fn metadata(names: &'static [&'static str], kind: Kind) -> Metadata<'static> {
    let fields = FieldSet::new(names, Identifier(&SITE));
    Metadata::new("site", "pins", tracing::Level::INFO, None, None, None, fields, kind)
}

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &FEW
    }
}

/// Returns the visited indices and names with the values.
#[derive(Default)]
struct Order(Vec<(usize, &'static str, String)>);

impl Visit for Order {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.index(), field.name(), format!("{value:?}")));
    }
}

#[test]
fn value_set_all_takes_more_than_32_values_and_visits_them_in_order() {
    let names: &'static [&'static str] = (0..200).map(|i| &*format!("f{i}").leak()).collect::<Vec<_>>().leak();
    let metadata: &'static Metadata<'static> = Box::leak(Box::new(metadata(names, Kind::EVENT)));
    let numbers: Vec<u64> = (0..200).collect();
    // Every seventh has no value.
    let values: Vec<Option<&dyn Value>> =
        numbers.iter().map(|number| (number % 7 != 0).then_some(number as &dyn Value)).collect();
    let set = metadata.fields().value_set_all(&values);
    let mut order = Order::default();
    Event::new(metadata, &set).record(&mut order);
    let expected: Vec<_> = (0..200usize).filter(|i| i % 7 != 0).map(|i| (i, names[i], i.to_string())).collect();
    assert_eq!(order.0, expected, "{RELIES_ON_VALUE_SET_ALL}");
}

#[test]
fn an_identifier_returns_its_call_site() {
    let Identifier(site) = FEW.callsite();
    assert!(std::ptr::eq(site.metadata(), &FEW), "{RELIES_ON_IDENTIFIER}");
    let names: Vec<_> = site.metadata().fields().iter().map(|field| field.name()).collect();
    assert_eq!(names, ["a", "b"], "{RELIES_ON_IDENTIFIER}");
}

#[test]
fn a_field_equals_one_of_the_same_call_site_and_index() {
    static MORE: Metadata<'static> = metadata(&["a", "b", "tenant_id"], Kind::EVENT);
    static RENAMED: Metadata<'static> = metadata(&["x", "y"], Kind::EVENT);
    let field = |metadata: &'static Metadata<'static>, index| metadata.fields().iter().nth(index).unwrap();
    assert_eq!(field(&FEW, 0), field(&MORE, 0), "{RELIES_ON_FIELD_EQUALITY}");
    assert_eq!(field(&FEW, 1), field(&MORE, 1), "{RELIES_ON_FIELD_EQUALITY}");
    assert_ne!(field(&FEW, 0), field(&MORE, 1), "{RELIES_ON_FIELD_EQUALITY}");
    assert_eq!(field(&FEW, 1), field(&RENAMED, 1), "{RELIES_ON_FIELD_EQUALITY}");
    assert!(MORE.fields().contains(&field(&FEW, 1)), "{RELIES_ON_FIELD_EQUALITY}");
    assert!(FEW.fields().contains(&field(&MORE, 1)), "{RELIES_ON_FIELD_EQUALITY}");

    // A value set with fields of one is visited in an event of the other.
    let own = field(&FEW, 0);
    let values = [(&own, Some(&1u64 as &dyn Value))];
    let mut order = Order::default();
    Event::new(&MORE, &MORE.fields().value_set(&values)).record(&mut order);
    Event::new(&FEW, &FEW.fields().value_set(&values)).record(&mut order);
    assert_eq!(order.0, vec![(0, "a", "1".to_owned()); 2], "{RELIES_ON_FIELD_EQUALITY}");
}

#[test]
fn the_debug_output_of_a_hint_has_a_distinct_ending() {
    for (kind, is_hint) in [
        (Kind::EVENT, false),
        (Kind::SPAN, false),
        (Kind::HINT, true),
        (Kind::EVENT.hint(), true),
        (Kind::SPAN.hint(), true),
    ] {
        let text = format!("{:?}", metadata(&["a"], kind));
        assert_eq!(text.ends_with("HINT) }"), is_hint, "{text}: {RELIES_ON_DEBUG_OF_HINTS}");
    }
}

/// A layer that notes what it is asked.
#[derive(Default)]
struct Asked(Mutex<Vec<String>>);

struct Asks(std::sync::Arc<Asked>);

impl Subscriber for Asks {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.target() == "pins_asked" {
            self.0.0.lock().unwrap().push(format!("{metadata:?}"));
        }
        false
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn the_enabled_macros_pass_a_hint_of_the_same_kind_under_the_layer() {
    use ctx_layer::SubscriberFieldsExt;
    let asked = std::sync::Arc::new(Asked::default());
    let ask = || {
        tracing::enabled!(target: "pins_asked", tracing::Level::INFO);
        tracing::event_enabled!(target: "pins_asked", tracing::Level::INFO);
        tracing::span_enabled!(target: "pins_asked", tracing::Level::INFO);
        tracing::info!(target: "pins_asked", a = 1, "an event");
        tracing::info_span!(target: "pins_asked", "a span");
    };
    let of_each = |dispatch: Dispatch| {
        tracing::dispatcher::with_default(&dispatch, ask);
        std::mem::take(&mut *asked.0.lock().unwrap())
    };
    let kind = |text: &String| text.rsplit("kind: ").next().unwrap().to_owned();
    let without = of_each(Dispatch::new(Asks(asked.clone())));
    let with = of_each(Dispatch::new(Asks(asked.clone()).with_context_fields(schema())));
    assert_eq!(without.len(), 5, "{without:?}");
    assert_eq!(
        with.iter().map(kind).collect::<Vec<_>>(),
        without.iter().map(kind).collect::<Vec<_>>(),
        "{RELIES_ON_DEBUG_OF_HINTS}"
    );
    // Spans are identified by the metadata with the added names; events by the call site's own.
    assert!(with.iter().all(|text| text.contains("tenant_id") == kind(text).contains("SPAN")), "{with:?}");
}

#[test]
fn an_event_recorded_through_a_dispatcher_by_hand_carries_the_field() {
    // A call site without a macro, as bridges from other logging crates create them.
    use ctx_layer::{SubscriberFieldsExt, field::well_known::TENANT_ID};
    use tracing_subscriber::prelude::*;
    let out = Captured::default();
    let layer = tracing_subscriber::fmt::layer().json().with_writer(out.clone());
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer).with_context_fields(schema()));
    TENANT_ID.in_scope("acme", || {
        let values: [Option<&dyn Value>; 2] = [Some(&1u64), None];
        dispatch.event(&Event::new(&FEW, &FEW.fields().value_set_all(&values)));
    });
    assert_eq!(out.json()[0]["fields"], serde_json::json!({"a": 1, "tenant_id": "acme"}));
}
