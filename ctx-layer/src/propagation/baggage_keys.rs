//! The registered fields by their keys in baggage.

use std::{cell::Cell, sync::Arc};

use crate::{
    context::{generation, registered},
    field::{Declaration, Schema},
};

/// Registered fields, found by their keys in baggage.
#[derive(Clone, Debug)]
pub(super) struct BaggageKeys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Sorted by the length of their keys.
    fields: Vec<&'static Declaration>,
    /// Their keys, beside one another: looking for one does not look at each field.
    keys: Vec<&'static str>,
    /// For each length of a key, where those that are not shorter start. Few keys are of one length.
    starts: Vec<usize>,
}

impl BaggageKeys {
    pub(super) fn new(fields: impl IntoIterator<Item = &'static Declaration>) -> Self {
        let mut fields: Vec<_> = fields.into_iter().collect();
        // Of two fields of one key in two schemas the one registered first stays first.
        fields.sort_by_key(|field| (field.baggage_key().len(), field.baggage_key()));
        let keys: Vec<_> = fields.iter().map(|field| field.baggage_key()).collect();
        let longest = keys.last().map_or(0, |key| key.len());
        let starts = (0..=longest + 1).map(|len| keys.partition_point(|key| key.len() < len)).collect();
        BaggageKeys(Arc::new(Inner { fields, keys, starts }))
    }

    pub(super) fn of(schema: &Schema) -> Self {
        BaggageKeys::new(schema.fields().map(|(declaration, _)| declaration))
    }

    /// The fields under this key: none, one, or several of several schemas.
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
        // Fields of one key stand together.
        let count = 1 + of_length[first + 1..].iter().take_while(|known| **known == key).count();
        &fields[start + first..][..count]
    }

    /// Calls `f` with the fields of all schemas in use.
    pub(super) fn with_registered<R>(f: impl FnOnce(&BaggageKeys) -> R) -> R {
        thread_local! {
            /// A copy of the thread's own: looking takes no lock.
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
