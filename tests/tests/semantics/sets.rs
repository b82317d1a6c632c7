//! Sets of values are derived from one another, and share their values.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};

use ctx_layer::{
    Fields, Schema,
    context::ContextFieldsExt,
    field::{ContextField, FieldString, well_known::*},
    propagation::{ContextPropagator, Trust},
};
use opentelemetry::{Context, propagation::TextMapPropagator};
use proptest::{collection::vec, prelude::*};

static FIELDS: [&ContextField<FieldString>; 8] =
    [&TENANT_ID, &USER_ID, &REQUEST_ID, &OPERATION, &CORRELATION_ID, &LOCALE, &RANK, &SHOWN];

ctx_layer::context_fields! {
    static OPERATION: FieldString = "sets.operation";
    static RANK: FieldString = "sets.rank";
    static SHOWN: FieldString = "sets.hashed" => hashed;
    static COUNTED: Counted = "sets.counted";
    static OTHER: Counted = "sets.other";
}

/// A step on a set of the pool, whose result is added to the pool.
#[derive(Clone, Debug)]
enum Step {
    With(usize, usize, String),
    Without(usize, usize),
    /// Overlays values from outside on it.
    Extract(usize, String),
    /// Changes it while nothing else shares it.
    Take(usize, usize, String),
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (set, field) = (0..8usize, 0..FIELDS.len());
    prop_oneof![
        4 => (set.clone(), field.clone(), "[a-c]{1,2}").prop_map(|(set, field, text)| Step::With(set, field, text)),
        2 => (set.clone(), field.clone(), "[a-c]{1,2}").prop_map(|(set, field, text)| Step::Take(set, field, text)),
        1 => (set.clone(), field).prop_map(|(set, field)| Step::Without(set, field)),
        2 => (set.clone(), "[a-c]{1,2}").prop_map(|(set, text)| Step::Extract(set, text)),
        1 => set.prop_map(Step::Drop),
    ]
}

proptest! {
    #[test]
    fn a_set_is_unchanged_by_sets_derived_from_it(steps in vec(step(), 0..60)) {
        let mut pool: Vec<(Fields, BTreeMap<&str, String>)> = vec![Default::default()];
        for step in steps {
            match step {
                Step::With(set, field, text) => {
                    let (fields, mut model) = pool[set % pool.len()].clone();
                    model.insert(FIELDS[field].name(), text.clone());
                    pool.push((fields.with(FIELDS[field], text), model));
                }
                Step::Without(set, field) => {
                    let (fields, mut model) = pool[set % pool.len()].clone();
                    model.remove(FIELDS[field].name());
                    pool.push((fields.without(FIELDS[field]), model));
                }
                Step::Extract(set, text) => {
                    let (fields, mut model) = pool[set % pool.len()].clone();
                    let message = [("baggage".to_owned(), format!("user_id={text},tenant_id={text};of=user_id"))];
                    let propagator = ContextPropagator::new().schema(Schema::well_known()).trust(Trust::internal());
                    let before = Context::new().with_fields(fields);
                    let cx = propagator.extract_with_context(&before, &HashMap::from(message));
                    for field in [&TENANT_ID, &USER_ID] {
                        model.insert(field.name(), text.clone());
                    }
                    pool.push((cx.fields().clone(), model));
                }
                Step::Take(set, field, text) => {
                    let at = set % pool.len();
                    let (fields, mut model) = pool.swap_remove(at);
                    model.insert(FIELDS[field].name(), text.clone());
                    pool.push((fields.with(FIELDS[field], text), model));
                }
                Step::Drop(set) if pool.len() > 1 => drop(pool.swap_remove(set % pool.len())),
                Step::Drop(_) => {}
            }
            for (fields, model) in &pool {
                prop_assert_eq!(fields.len(), model.len());
                prop_assert_eq!(fields.iter().count(), model.len());
                for field in FIELDS {
                    prop_assert_eq!(fields.get(field).map(|value| value.as_str()), model.get(field.name()).map(|value| value.as_str()));
                }
            }
        }
    }
}

static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// A value that counts its live instances.
struct Counted(u32);

impl Counted {
    fn new(number: u32) -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Counted(number)
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Counted::new(self.0)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Two parts of a program that pass the context back and forth without end, each setting its own field.
#[test]
fn a_long_chain_of_derived_sets_keeps_only_the_first_and_the_last() {
    let mut fields = Fields::new().with(&COUNTED, Counted::new(0)).with(&TENANT_ID, "acme");
    for turn in 1..=100_000 {
        let before = fields.clone();
        let field = if turn % 2 == 0 { &COUNTED } else { &OTHER };
        fields = fields.with(field, Counted::new(turn));
        // Now and then through the current fields, not by hand.
        if turn % 1000 == 0 {
            fields = fields.in_scope(Fields::current);
        }
        assert_eq!(before.get(&TENANT_ID).map(|text| text.as_str()), Some("acme"));
    }
    assert_eq!(fields.get(&COUNTED).map(|counted| counted.0), Some(100_000));
    assert_eq!(fields.get(&OTHER).map(|counted| counted.0), Some(99_999));
    assert_eq!(ALIVE.load(Ordering::Relaxed), 3);
    let fields = fields.without(&OTHER);
    assert_eq!(ALIVE.load(Ordering::Relaxed), 2);
    drop(fields);
    assert_eq!(ALIVE.load(Ordering::Relaxed), 0);
}
