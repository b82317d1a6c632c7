//! Rewriting a source of at most one value: nearly always an event with only its message.

use std::{error::Error, fmt};

use tracing_core::{
    Field,
    field::{FieldSet, Value, ValueSet, Visit, debug},
};

use super::{
    additions::{AddedStrings, Additions, add_strings},
    room::room,
    source::Source,
};

/// Rewrites a source of at most one value, nearly always the message. It is passed on from inside the visit that shows it, and
/// so need not be copied.
#[inline]
pub(super) fn rewrite<const ALL: usize>(
    source: &dyn Source,
    own: usize,
    fields: &FieldSet,
    additions: &impl Additions,
    then: &mut impl FnMut(&ValueSet<'_>),
) {
    let mut one = One::<_, _, ALL> { fields, additions, then, is_done: false };
    // Many spans have no values.
    if own > 0 {
        source.record(&mut one);
    }
    if !one.is_done {
        one.finish(None);
    }
}

struct One<'a, A, F, const ALL: usize> {
    fields: &'a FieldSet,
    additions: &'a A,
    then: &'a mut F,
    is_done: bool,
}

impl<A: Additions, F: FnMut(&ValueSet<'_>), const ALL: usize> One<'_, A, F, ALL> {
    fn finish(&mut self, own: Option<&dyn Value>) {
        self.is_done = true;
        let mut strings = AddedStrings::new();
        room!(all: [Option<&dyn Value>; ALL] = self.fields.len(), |_| None);
        if let Some(first) = all.first_mut() {
            *first = own;
        }
        self.additions.add(all, &mut strings);
        add_strings(all, &strings);
        (self.then)(&self.fields.value_set_all(all));
    }

    #[inline]
    fn take(&mut self, field: &Field, value: &dyn Value) {
        if field.index() == 0 && !self.is_done {
            self.finish(Some(value));
        }
    }
}

impl<A: Additions, F: FnMut(&ValueSet<'_>), const ALL: usize> Visit for One<'_, A, F, ALL> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, &value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.take(field, &value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.take(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, &value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.take(field, &value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.take(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, &debug(value));
    }
}
