//! The fields of a call site that this crate has filled.
//!
//! A call site may declare a registered field and leave it empty (`email = tracing::field::Empty`). The ambient value goes
//! there. To an output further down it looks as if the code had set it, and such values are left as they are, however the
//! output is configured. So the fields that were filled are noted for this thread, while the span, event or record is passed
//! on.
//!
//! An event is passed on with the metadata that has the names of all its fields. The event itself shows the call site's own
//! metadata (see `metadata`), and another layer of this crate that adds fields has to know which are there already.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicBool, Ordering},
};

use tracing_core::{Event, Field, Metadata, field::Visit};

use super::{
    rewrite::Source,
    side_channel::{self, Marks},
};

/// Some of a call site's own fields, by index: those whose value was not, or will not be, set by the code.
#[derive(Clone, Copy, Default)]
pub(crate) struct Filled(u64);

/// `true` if several layers of this crate may add fields to one event. A single layer need not pass anything to the next.
static ARE_SEVERAL: AtomicBool = AtomicBool::new(false);

/// Notes that a layer adds fields to events that another one may have added fields to.
pub(super) fn adds_to_others() {
    ARE_SEVERAL.store(true, Ordering::Relaxed);
}

/// Returns the metadata that has the names of all of an event's fields, those added by other layers included.
#[inline]
pub(super) fn all_fields_of(event: &Event<'_>) -> &'static Metadata<'static> {
    let marks = side_channel::marks();
    match marks.all {
        Some(all) if marks.item == address(event) => all,
        _ => event.metadata(),
    }
}

impl Filled {
    /// The number of fields that this can hold. A registered field that a call site declares beyond them gets no ambient
    /// value, because it could not be marked as filled.
    pub(super) const MAX: usize = u64::BITS as usize;

    /// Returns the fields that an outer layer has filled.
    #[inline]
    pub(crate) fn before<T>(item: &T) -> Self {
        let marks = side_channel::marks();
        if marks.item == address(item) { Filled(marks.filled) } else { Filled(0) }
    }

    /// Returns the fields that an outer layer has filled, and those of `declared`, the registered fields that the call site
    /// declares, that are still empty.
    #[inline]
    pub(super) fn in_all<T: Source>(item: &T, declared: Filled) -> Self {
        let before = Filled::before(item);
        if declared.is_empty() { before } else { Filled(before.0 | empty_of(item, declared).0) }
    }

    /// Returns the fields in either set.
    #[inline]
    pub(super) fn union(self, other: Filled) -> Self {
        Filled(self.0 | other.0)
    }

    /// Returns the fields that are not in `other`.
    #[inline]
    pub(super) fn difference(self, other: Filled) -> Self {
        Filled(self.0 & !other.0)
    }

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub(crate) fn contains(self, index: usize) -> bool {
        index < Self::MAX && self.0 & (1 << index) != 0
    }

    /// Adds the field at an index below [`MAX`](Self::MAX).
    pub(super) fn insert(&mut self, index: usize) {
        self.0 |= 1 << index;
    }

    /// Calls `f`, which passes `item` on, with these fields of it marked as filled.
    #[inline]
    pub(super) fn passing_on<T, R>(self, item: &T, f: impl FnOnce(&T) -> R) -> R {
        if self.is_empty() { f(item) } else { self.passing_on_marked(item, None, f) }
    }

    /// Calls `f`, which passes `event` on, with these fields of it marked as filled. `all` has all fields of the event.
    #[inline]
    pub(super) fn passing_on_event<'a, R>(
        self,
        event: &Event<'a>,
        all: &'static Metadata<'static>,
        f: impl FnOnce(&Event<'a>) -> R,
    ) -> R {
        if self.is_empty() && !ARE_SEVERAL.load(Ordering::Relaxed) {
            f(event)
        } else {
            self.passing_on_marked(event, Some(all), f)
        }
    }

    #[cold]
    #[inline(never)]
    fn passing_on_marked<T, R>(self, item: &T, all: Option<&'static Metadata<'static>>, f: impl FnOnce(&T) -> R) -> R {
        let _restore = side_channel::mark(Marks { item: address(item), filled: self.0, all });
        f(item)
    }
}

#[cold]
#[inline(never)]
fn empty_of(item: &dyn Source, declared: Filled) -> Filled {
    let mut empty = Empty(declared);
    item.record(&mut empty);
    empty.0
}

/// Collects the fields that have no value.
struct Empty(Filled);

impl Visit for Empty {
    fn record_debug(&mut self, field: &Field, _: &dyn Debug) {
        if field.index() < Filled::MAX {
            self.0.0 &= !(1 << field.index());
        }
    }
}

#[inline]
fn address<T>(item: &T) -> usize {
    std::ptr::from_ref(item).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(index: usize) -> Filled {
        let mut filled = Filled::default();
        filled.insert(index);
        filled
    }

    #[test]
    fn nested_items_have_their_own_marks() {
        let [outer, unmarked, inner] = [1u8, 2, 3];
        filled(0).passing_on(&outer, |outer| {
            Filled::default().passing_on(&unmarked, |unmarked| assert!(Filled::before(unmarked).is_empty()));
            assert!(Filled::before(outer).contains(0));
            let panicked = std::panic::catch_unwind(|| {
                filled(Filled::MAX - 1).passing_on(&inner, |inner| {
                    assert!(Filled::before(inner).contains(Filled::MAX - 1) && !Filled::before(inner).contains(0));
                    panic!("expected");
                });
            });
            assert!(panicked.is_err());
            assert!(Filled::before(outer).contains(0) && !Filled::before(outer).contains(Filled::MAX));
        });
        assert!(Filled::before(&outer).is_empty());
    }
}
