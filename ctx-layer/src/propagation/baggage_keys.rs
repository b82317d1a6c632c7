//! Registered fields by their baggage keys.

use std::{cell::Cell, sync::Arc};

use crate::{
    context::{generation, registered},
    field::{Declaration, Schema},
};

/// Registered fields, indexed by their baggage keys.
#[derive(Clone, Debug)]
pub(super) struct BaggageKeys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Sorted by key length.
    fields: Vec<&'static Declaration>,
    /// The keys of the fields, contiguous, so that a search does not touch the fields.
    keys: Vec<&'static str>,
    /// For each key length, the index of the first key that is not shorter. Few keys have the same length.
    starts: Vec<usize>,
}

impl BaggageKeys {
    pub(super) fn new(fields: impl IntoIterator<Item = &'static Declaration>) -> Self {
        let mut fields: Vec<_> = fields.into_iter().collect();
        // A stable sort: of two fields with the same key in two schemas, the one registered first stays first.
        fields.sort_by_key(|field| (field.baggage_key().len(), field.baggage_key()));
        let keys: Vec<_> = fields.iter().map(|field| field.baggage_key()).collect();
        let longest = keys.last().map_or(0, |key| key.len());
        let starts = (0..=longest + 1).map(|len| keys.partition_point(|key| key.len() < len)).collect();
        BaggageKeys(Arc::new(Inner { fields, keys, starts }))
    }

    pub(super) fn of(schema: &Schema) -> Self {
        BaggageKeys::new(schema.fields().map(|(declaration, _)| declaration))
    }

    /// Returns the fields with this key: none, one, or several of several schemas.
    #[inline]
    pub(super) fn find(&self, key: &str) -> &[&'static Declaration] {
        let Inner { fields, keys, starts } = &*self.0;
        let (Some(start), Some(end)) = (starts.get(key.len()), starts.get(key.len() + 1)) else {
            return &[];
        };
        let of_length = &keys[*start..*end];
        let Some(first) = of_length.iter().position(|known| *known == key) else {
            return &[];
        };
        // Fields with the same key are adjacent.
        let count = 1 + of_length[first + 1..].iter().take_while(|known| **known == key).count();
        &fields[start + first..][..count]
    }

    /// Calls `f` with the fields of all schemas in use.
    pub(super) fn with_registered<R>(f: impl FnOnce(&BaggageKeys) -> R) -> R {
        thread_local! {
            /// A thread-local copy: reading it takes no lock.
            static OWN: Cell<Option<(usize, BaggageKeys)>> = const { Cell::new(None) };
        }
        let now = generation();
        let own = OWN.try_with(Cell::take).ok().flatten();
        let table = match own {
            Some((then, table)) if then == now => table,
            _ => BaggageKeys::new(registered()),
        };
        let result = f(&table);
        let _ = OWN.try_with(|own| own.set(Some((now, table))));
        result
    }
}
