//! Rewriting a source of several values: they are collected, and assembled again.

use std::{error::Error, fmt, ops::Range};

use smallvec::SmallVec;
use tracing_core::{
    Field,
    field::{DebugValue, FieldSet, Value, ValueSet, Visit, debug},
};

use super::{
    additions::Additions,
    held_values::{HeldValues, hold},
    revisit::Revisit,
    room::room,
    scratch::Scratch,
    source::Source,
};

/// Rewrites a source of any size. Not inlined, because frames of this size cost time by their mere size.
#[inline(never)]
pub(super) fn rewrite(
    source: &dyn Source,
    own: usize,
    fields: &FieldSet,
    additions: &impl Additions,
    then: &mut impl FnMut(&ValueSet<'_>),
) {
    match (own, fields.len()) {
        (..=8, ..=24) => rewrite_within::<8, 24>(source, own, fields, additions, then),
        (..=32, ..=64) => rewrite_within::<32, 64>(source, own, fields, additions, then),
        _ => rewrite_within::<128, 256>(source, own, fields, additions, then),
    }
}

/// Rewrites a source; up to `OWN` and `ALL` values need no allocation.
#[inline(always)]
pub(super) fn rewrite_within<const OWN: usize, const ALL: usize>(
    source: &dyn Source,
    own: usize,
    fields: &FieldSet,
    additions: &impl Additions,
    then: &mut impl FnMut(&ValueSet<'_>),
) {
    let mut scratch = Scratch::default();
    let mut errors = SmallVec::new();
    room!(values: [Own<'_>; OWN] = own, |_| Own::Unset);
    if own > 0 {
        source.record(&mut Take { source, values, scratch: &mut scratch, errors: &mut errors });
    }
    if scratch.is_used() {
        for value in values.iter_mut() {
            match value {
                Own::StrAt(at) => *value = Own::Str(scratch.text(at)),
                Own::BytesAt(at) => *value = Own::Bytes(scratch.bytes(at)),
                _ => {}
            }
        }
    }
    let values = &*values;
    if errors.is_empty() {
        assemble::<ALL>(values, None, fields, additions, then);
    } else {
        hold(source, &errors, None, &mut |held| assemble::<ALL>(values, held, fields, additions, then));
    }
}

/// Assembles own and added values, and calls `then` with them.
#[inline(always)]
fn assemble<const ALL: usize>(
    own: &[Own<'_>],
    errors: Option<&HeldValues<'_>>,
    fields: &FieldSet,
    additions: &impl Additions,
    then: &mut impl FnMut(&ValueSet<'_>),
) {
    room!(all: [Option<&(dyn Value + '_)>; ALL] = fields.len(), |_| None);
    for (index, (value, own)) in all.iter_mut().zip(own).enumerate() {
        *value = Some(match own {
            Own::Debug(v) => v,
            Own::Str(v) => v,
            Own::Bool(v) => v,
            Own::I64(v) => v,
            Own::U64(v) => v,
            Own::F64(v) => v,
            Own::I128(v) => v,
            Own::U128(v) => v,
            Own::Bytes(v) => v,
            Own::Error => match errors.and_then(|errors| errors.find(index)) {
                Some(error) => error,
                None => continue,
            },
            Own::Unset | Own::StrAt(_) | Own::BytesAt(_) => continue,
        });
    }
    additions.add(all);
    then(&fields.value_set_all(all));
}

/// One of the source's own values, in the form in which it can be kept outside the visit.
enum Own<'a> {
    Unset,
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    I128(i128),
    U128(u128),
    /// A position in the scratch buffers, while they may still move.
    StrAt(Range<usize>),
    BytesAt(Range<usize>),
    Str(&'a str),
    Bytes(&'a [u8]),
    Debug(DebugValue<Revisit<'a>>),
    /// An error, which has to be held.
    Error,
}

/// A visitor that collects the source's own values.
struct Take<'a, 'v> {
    source: &'v dyn Source,
    values: &'a mut [Own<'v>],
    scratch: &'a mut Scratch,
    /// The indices of the errors.
    errors: &'a mut SmallVec<[usize; 4]>,
}

impl<'v> Take<'_, 'v> {
    #[inline]
    fn take(&mut self, field: &Field, value: Own<'v>) {
        if let Some(taken) = self.values.get_mut(field.index()) {
            *taken = value;
        }
    }
}

impl Visit for Take<'_, '_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, Own::F64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, Own::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, Own::U64(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.take(field, Own::I128(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.take(field, Own::U128(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, Own::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let at = self.scratch.push_text(value);
        self.take(field, Own::StrAt(at));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let at = self.scratch.push_bytes(value);
        self.take(field, Own::BytesAt(at));
    }

    fn record_error(&mut self, field: &Field, _: &(dyn Error + 'static)) {
        self.errors.push(field.index());
        self.take(field, Own::Error);
    }

    fn record_debug(&mut self, field: &Field, _: &dyn fmt::Debug) {
        self.take(field, Own::Debug(debug(Revisit { source: self.source, index: field.index() })));
    }
}
