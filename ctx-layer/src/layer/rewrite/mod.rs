//! Rebuilding the values of a span or event with others added.
//!
//! `tracing`'s `Value` is sealed, and the values of an event are visible only inside a `Visit`, one at a time. So a visit
//! collects them, and they are assembled again:
//!
//! - numbers and booleans are copied;
//! - strings and bytes are copied once, to a reused buffer;
//! - `Debug` values (also `%display` and the message) are not copied: formatting one visits the source again, and so formats
//!   the value itself, with the formatter's own flags. A value that is not formatted costs nothing;
//! - errors are held by staying inside the visit that shows them, because only there they are available as `dyn Error`.
//!
//! A single value, which is nearly always the message, is passed on from inside the visit, whatever its type.

mod held_values;
mod many;
mod one;
mod revisit;
mod scratch;

use smallvec::SmallVec;
use tracing_core::{
    Event,
    field::{FieldSet, Value, ValueSet, Visit},
    span::{Attributes, Record},
};

/// A span, event or record with values to visit.
pub(super) trait Source {
    fn record(&self, visitor: &mut dyn Visit);
}

impl Source for Event<'_> {
    fn record(&self, visitor: &mut dyn Visit) {
        Event::record(self, visitor);
    }
}

impl Source for Attributes<'_> {
    fn record(&self, visitor: &mut dyn Visit) {
        Attributes::record(self, visitor);
    }
}

impl Source for Record<'_> {
    fn record(&self, visitor: &mut dyn Visit) {
        Record::record(self, visitor);
    }
}

/// The values of a span or event, each at its field's index.
pub(super) type RewriteValues<'a> = [Option<&'a (dyn Value + 'a)>];

/// Strings to add, each with the index of its field. What `tracing` is given points to a `&str`, which has to be stored.
pub(super) type AddedStrings<'a> = SmallVec<[(usize, &'a str); 8]>;

/// Values to add to a source's own.
pub(super) trait Additions {
    /// Adds values, and stores the strings to add.
    fn add<'a: 'v, 'v>(&'a self, values: &mut RewriteValues<'v>, strings: &mut AddedStrings<'a>);
}

/// Puts strings at the indices of their fields.
#[inline(always)]
fn add_strings<'v>(values: &mut RewriteValues<'v>, strings: &'v [(usize, &'v str)]) {
    for (index, string) in strings {
        if let Some(value) = values.get_mut(*index) {
            *value = Some(string);
        }
    }
}

/// Binds `$name` to a slice of `$len` values: on the stack up to `$max`, beyond that on the heap.
///
/// A macro, because a function would have to return the array, and copying what was just written is slow.
macro_rules! room {
    ($name:ident: [$type:ty; $max:ident] = $len:expr, $make:expr) => {
        let len = $len;
        let mut on_stack: [$type; $max];
        let mut on_heap: Vec<$type>;
        let $name: &mut [$type] = if len <= $max {
            on_stack = std::array::from_fn($make);
            &mut on_stack[..len]
        } else {
            on_heap = (0..len).map($make).collect();
            &mut on_heap
        };
    };
}
use room;

/// Calls `then` with the first `own` values of `source`, and with the values that `additions` adds.
///
/// `fields` are the fields of the result; they start with the source's own. Values are passed in place, because moving them
/// costs more than everything else here.
#[inline]
pub(super) fn rewrite(
    source: &dyn Source,
    own: usize,
    fields: &FieldSet,
    additions: &impl Additions,
    then: &mut impl FnMut(&ValueSet<'_>),
) {
    // Stack space, so that nothing is allocated: as little as most need, or as much as nearly all do.
    if own <= 1 && fields.len() <= 12 {
        one::rewrite::<12>(source, own, fields, additions, then);
    } else if own <= 3 && fields.len() <= 12 {
        many::rewrite_within::<3, 12>(source, own, fields, additions, then);
    } else {
        many::rewrite(source, own, fields, additions, then);
    }
}
