//! Rebuilding the values of a span or event with others added.
//!
//! `tracing`'s `Value` is sealed, and the values of an event can only be seen inside a `Visit`, one at a time. So a visit
//! takes down what each is, and the values are put together again:
//!
//! - numbers and booleans by value;
//! - texts and bytes copied once, to a buffer that is used again;
//! - `Debug` values (also `%display` and the message) not at all: whoever formats one visits the source again, and so
//!   gets the value itself, with the formatter's own flags. What nobody formats costs nothing;
//! - errors by staying inside the visit that shows them, since only there can they be had as `dyn Error`.
//!
//! A single value, which is nearly always the message, is passed on from inside the visit, whatever it is.

mod held_values;
mod many;
mod one;
mod revisit;
mod scratch;

use tracing_core::{
    Event,
    field::{FieldSet, Value, ValueSet, Visit},
    span::{Attributes, Record},
};

/// What has values to visit.
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

/// What is put among a source's own values.
pub(super) trait Additions {
    fn add<'a>(&'a self, values: &mut RewriteValues<'a>);
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

/// Calls `then` with the first `own` values of `source`, and with what `additions` put among them.
///
/// `fields` are the fields of the result; they start with the source's own. What is passed stays where it is: moving
/// what was just written costs more than all else here.
#[inline]
pub(super) fn rewrite(
    source: &dyn Source,
    own: usize,
    fields: &FieldSet,
    additions: &impl Additions,
    then: &mut impl FnMut(&ValueSet<'_>),
) {
    // Room on the stack, so that nothing is allocated: as little as most need, or as much as nearly all do.
    if own <= 1 && fields.len() <= 12 {
        one::rewrite::<12>(source, own, fields, additions, then);
    } else if own <= 3 && fields.len() <= 12 {
        many::rewrite_within::<3, 12>(source, own, fields, additions, then);
    } else {
        many::rewrite(source, own, fields, additions, then);
    }
}
