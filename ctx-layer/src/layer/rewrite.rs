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

use std::{error::Error, fmt, ops::Range};

use smallvec::SmallVec;
use tracing_core::{
    Event, Field,
    field::{DebugValue, FieldSet, Value, ValueSet, Visit, debug},
    span::{Attributes, Record},
};

use super::scratch::Scratch;

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
pub(super) type Values<'a> = [Option<&'a (dyn Value + 'a)>];

/// What is put among a source's own values.
pub(super) trait Additions {
    fn add<'a>(&'a self, values: &mut Values<'a>);
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
        rewrite_one::<12>(source, own, fields, additions, then);
    } else if own <= 3 && fields.len() <= 12 {
        rewrite_within::<3, 12>(source, own, fields, additions, then);
    } else {
        rewrite_many(source, own, fields, additions, then);
    }
}

/// The same for a source of one value at most, nearly always the message: it is passed on from inside the visit that shows it,
/// and so need not be taken down.
#[inline]
fn rewrite_one<const ALL: usize>(
    source: &dyn Source,
    own: usize,
    fields: &FieldSet,
    additions: &impl Additions,
    then: &mut impl FnMut(&ValueSet<'_>),
) {
    let mut one = One::<_, _, ALL> { fields, additions, then, is_done: false };
    // Many spans have none.
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
        room!(all: [Option<&dyn Value>; ALL] = self.fields.len(), |_| None);
        if let Some(first) = all.first_mut() {
            *first = own;
        }
        self.additions.add(all);
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

/// In a function of its own: frames of this size cost time by their mere size.
#[inline(never)]
fn rewrite_many(
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

/// The same; `OWN` and `ALL` values can be held without allocating.
#[inline(always)]
fn rewrite_within<const OWN: usize, const ALL: usize>(
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

/// Puts own and added values together.
#[inline(always)]
fn assemble<const ALL: usize>(
    own: &[Own<'_>],
    errors: Option<&Held<'_>>,
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

/// One of the source's own values, as far as it can be kept outside the visit.
enum Own<'a> {
    Unset,
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    I128(i128),
    U128(u128),
    /// In the scratch buffers, while they may still move.
    StrAt(Range<usize>),
    BytesAt(Range<usize>),
    Str(&'a str),
    Bytes(&'a [u8]),
    Debug(DebugValue<Revisit<'a>>),
    /// To be held.
    Error,
}

/// Takes down what each of the source's own values is.
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

/// Formats a value by visiting its source again, so that the value itself does, with the formatter's flags.
struct Revisit<'a> {
    source: &'a dyn Source,
    index: usize,
}

impl fmt::Debug for Revisit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut visitor = FormatOne { index: self.index, f, result: Ok(()) };
        self.source.record(&mut visitor);
        visitor.result
    }
}

struct FormatOne<'a, 'f> {
    index: usize,
    f: &'a mut fmt::Formatter<'f>,
    result: fmt::Result,
}

impl Visit for FormatOne<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.index() == self.index {
            self.result = value.fmt(self.f);
        }
    }

    // Other kinds of value are not formatted here; without these, each would be wrapped only to be ignored.
    fn record_f64(&mut self, _: &Field, _: f64) {}
    fn record_i64(&mut self, _: &Field, _: i64) {}
    fn record_u64(&mut self, _: &Field, _: u64) {}
    fn record_i128(&mut self, _: &Field, _: i128) {}
    fn record_u128(&mut self, _: &Field, _: u128) {}
    fn record_bool(&mut self, _: &Field, _: bool) {}
    fn record_str(&mut self, _: &Field, _: &str) {}
    fn record_bytes(&mut self, _: &Field, _: &[u8]) {}
}

/// The errors whose visits are under way, innermost first.
struct Held<'a> {
    index: usize,
    error: &'a (dyn Error + 'static),
    outer: Option<&'a Held<'a>>,
}

impl<'a> Held<'a> {
    fn find(&self, index: usize) -> Option<&&'a (dyn Error + 'static)> {
        if self.index == index { Some(&self.error) } else { self.outer?.find(index) }
    }
}

/// What is done once all errors are held.
type Finish<'a> = dyn FnMut(Option<&Held<'_>>) + 'a;

/// Calls `finish` from inside the visits that show the errors at `indices`: one visit within the other.
#[cold]
fn hold(source: &dyn Source, indices: &[usize], held: Option<&Held<'_>>, finish: &mut Finish<'_>) {
    let Some((&index, rest)) = indices.split_first() else { return finish(held) };
    let mut visitor = HoldOne { source, index, rest, outer: held, finish: Some(finish) };
    source.record(&mut visitor);
    // A source that shows the error only the first time: the item still goes out.
    if let Some(finish) = visitor.finish.take() {
        hold(source, rest, held, finish);
    }
}

struct HoldOne<'a> {
    source: &'a dyn Source,
    index: usize,
    rest: &'a [usize],
    outer: Option<&'a Held<'a>>,
    finish: Option<&'a mut Finish<'a>>,
}

impl Visit for HoldOne<'_> {
    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        if field.index() == self.index
            && let Some(finish) = self.finish.take()
        {
            let held = Held { index: self.index, error, outer: self.outer };
            hold(self.source, self.rest, Some(&held), finish);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
