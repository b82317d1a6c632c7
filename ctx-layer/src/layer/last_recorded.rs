//! The recorded values that a span shows already.
//!
//! OpenTelemetry attributes have unique keys, but its SDK keeps both values if one is set twice. So a value that a span shows
//! already is not recorded again. (A different value has to be; see `UniqueAttributes`.)

use std::{error::Error, fmt};

use smallvec::SmallVec;
use tracing_core::{
    Field, Subscriber,
    field::Visit,
    span::{Id, Record},
};
use tracing_subscriber::{Registry, registry::LookupSpan};

use super::{
    filled::Filled,
    metadata::{Augmentation, Augmented, call_site_of},
};
use crate::field::Fields;

/// The last recorded values, by the index of their field. Stored with the span in the registry.
#[derive(Default)]
struct LastRecorded(Vec<(usize, Visited)>);

/// A value as layers see it.
#[derive(Debug, PartialEq)]
enum Visited {
    Bool(bool),
    I64(i64),
    U64(u64),
    /// The bits, so that a NaN is equal to itself.
    F64(u64),
    Text(Box<str>),
    /// A value of a type that registered fields do not have. It differs from every other.
    Other,
}

/// Returns `true` if the span shows all recorded values already, and stores those it shows from now on.
///
/// `at_creation` returns the fields that the span was created with.
pub(super) fn is_shown(
    subscriber: &dyn Subscriber,
    span: &Id,
    values: &Record<'_>,
    augmentation: &Augmentation,
    at_creation: impl FnOnce() -> Option<Fields>,
) -> bool {
    let mut registered =
        RegisteredValues { augmentation, filled: Filled::before(values), call_site: None, found: SmallVec::new() };
    values.record(&mut registered);
    let RegisteredValues { call_site: Some((augmented, own)), mut found, .. } = registered else { return false };
    if found.is_empty() {
        return false;
    }
    let Some(span) = subscriber.downcast_ref::<Registry>().and_then(|registry| registry.span(span)) else {
        return false;
    };
    // No other library's code runs while the span's extensions are locked.
    let created = at_creation();
    let mut extensions = span.extensions_mut();
    if extensions.get_mut::<LastRecorded>().is_none() {
        extensions.insert(LastRecorded::default());
    }
    let Some(shown) = extensions.get_mut::<LastRecorded>() else { return false };
    let is_whole = found.len() == values.len();
    let mut is_new = false;
    for (index, value) in found.drain(..) {
        let is_same = match shown.0.iter_mut().find(|(known, _)| *known == index) {
            Some((_, known)) if *known == value && value != Visited::Other => true,
            Some((_, known)) => {
                *known = value;
                false
            }
            None => {
                let is_same = index >= own && created_with(created.as_ref(), augmented, index).as_ref() == Some(&value);
                shown.0.push((index, value));
                is_same
            }
        };
        is_new |= !is_same;
    }
    is_whole && !is_new
}

/// Returns the value that a field had when the span was created.
fn created_with(created: Option<&Fields>, augmented: &Augmented, index: usize) -> Option<Visited> {
    let mut one = OneValue(None);
    for (id, entry) in created?.entries() {
        if let Some(target) = augmented.target(id).filter(|target| target.index() == index)
            && let Some(field) = augmented.metadata.fields().iter().nth(index)
        {
            entry.as_value(target.sensitivity).record(&field, &mut one);
        }
    }
    one.0
}

/// A visitor that collects the values of registered fields.
struct RegisteredValues<'a> {
    augmentation: &'a Augmentation,
    filled: Filled,
    /// The augmented metadata of the call site, and the number of fields it declares.
    call_site: Option<(&'static Augmented, usize)>,
    found: SmallVec<[(usize, Visited); 1]>,
}

impl RegisteredValues<'_> {
    #[inline]
    fn take(&mut self, field: &Field, value: impl FnOnce() -> Visited) {
        let (augmented, own) = *self.call_site.get_or_insert_with(|| {
            let metadata = call_site_of(field.callsite());
            (self.augmentation.of(metadata), metadata.fields().len())
        });
        let index = field.index();
        if index >= own || self.filled.contains(index) {
            self.found.push((index, value()));
        } else if augmented.declared.contains(index) {
            // The code's own value, which replaces an ambient one.
            self.found.push((index, Visited::Other));
        }
    }
}

/// A visitor that keeps the value of one field.
struct OneValue(Option<Visited>);

impl OneValue {
    fn take(&mut self, _: &Field, value: impl FnOnce() -> Visited) {
        self.0 = Some(value());
    }
}

macro_rules! visit {
    ($($visitor:ty),*) => {
        $(impl Visit for $visitor {
            fn record_bool(&mut self, field: &Field, value: bool) {
                self.take(field, || Visited::Bool(value));
            }

            fn record_i64(&mut self, field: &Field, value: i64) {
                self.take(field, || Visited::I64(value));
            }

            fn record_u64(&mut self, field: &Field, value: u64) {
                self.take(field, || Visited::U64(value));
            }

            fn record_f64(&mut self, field: &Field, value: f64) {
                self.take(field, || Visited::F64(value.to_bits()));
            }

            fn record_str(&mut self, field: &Field, value: &str) {
                self.take(field, || Visited::Text(value.into()));
            }

            fn record_i128(&mut self, field: &Field, _: i128) {
                self.take(field, || Visited::Other);
            }

            fn record_u128(&mut self, field: &Field, _: u128) {
                self.take(field, || Visited::Other);
            }

            fn record_bytes(&mut self, field: &Field, _: &[u8]) {
                self.take(field, || Visited::Other);
            }

            fn record_error(&mut self, field: &Field, _: &(dyn Error + 'static)) {
                self.take(field, || Visited::Other);
            }

            fn record_debug(&mut self, field: &Field, _: &dyn fmt::Debug) {
                self.take(field, || Visited::Other);
            }
        })*
    };
}
visit!(RegisteredValues<'_>, OneValue);
