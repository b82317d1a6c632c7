//! Which of a call site's own fields have a value from us.
//!
//! A call site may declare a registered field itself and leave it empty (`email = tracing::field::Empty`). The ambient
//! value goes there; and to an output further down it looks as if the code had set it, which would leave it as it is,
//! however the output is told to show it. So whoever puts a value there says so on this thread, while the span, event or
//! record is passed on.
//!
//! With an event goes the metadata that has the names of all its fields: what the event itself shows is the call site's own
//! (see `metadata`), and another layer of this crate that adds fields has to know which are there already.

use std::{
    cell::Cell,
    fmt::Debug,
    sync::atomic::{AtomicBool, Ordering},
};

use tracing_core::{Event, Field, Metadata, field::Visit};

use super::rewrite::Source;

/// Some of a call site's own fields, by index: those where what stands, or is to be put, is not the code's.
#[derive(Clone, Copy, Default)]
pub(crate) struct Filled(u64);

#[derive(Clone, Copy)]
struct PassedOn {
    /// The address of what is passed on. As long as that lives, nothing else stands there.
    item: usize,
    filled: Filled,
    /// Of an event with added fields: the metadata that has all of them.
    all: Option<&'static Metadata<'static>>,
}

thread_local! {
    /// What is passed on now, if there is something to know of it. Has no destructor, and so can always be read.
    static PASSED_ON: Cell<PassedOn> = const { Cell::new(PassedOn { item: 0, filled: Filled(0), all: None }) };
}

/// Whether several layers of this crate may add fields to one event. Where one does, nothing need be said to the next.
static ARE_SEVERAL: AtomicBool = AtomicBool::new(false);

/// Notes that a layer adds fields to events that another one may have added fields to.
pub(super) fn adds_to_others() {
    ARE_SEVERAL.store(true, Ordering::Relaxed);
}

/// Returns the metadata that has the names of all of an event's fields, those added by other layers included.
#[inline]
pub(super) fn all_fields_of(event: &Event<'_>) -> &'static Metadata<'static> {
    let passed_on = PASSED_ON.get();
    match passed_on.all {
        Some(all) if passed_on.item == address(event) => all,
        _ => event.metadata(),
    }
}

impl Filled {
    /// How many of its own fields a call site can have among these. A registered field that it declares beyond them gets
    /// no value from us: nobody could tell whose it is.
    pub(super) const MAX: usize = u64::BITS as usize;

    /// Those that were filled before this got here.
    #[inline]
    pub(crate) fn before<T>(item: &T) -> Self {
        let passed_on = PASSED_ON.get();
        if passed_on.item == address(item) { passed_on.filled } else { Filled(0) }
    }

    /// The same, and those of `declared`, the registered fields that the call site declares, that are empty still.
    #[inline]
    pub(super) fn in_all<T: Source>(item: &T, declared: Filled) -> Self {
        let before = Filled::before(item);
        if declared.is_empty() { before } else { Filled(before.0 | empty_of(item, declared).0) }
    }

    /// Those of either.
    #[inline]
    pub(super) fn and(self, other: Filled) -> Self {
        Filled(self.0 | other.0)
    }

    /// Those that `other` has not.
    #[inline]
    pub(super) fn but(self, other: Filled) -> Self {
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

    /// Calls `f`, which passes `item` on; meanwhile it is known that these fields of it are filled.
    #[inline]
    pub(super) fn passing_on<T, R>(self, item: &T, f: impl FnOnce(&T) -> R) -> R {
        if self.is_empty() { f(item) } else { self.passing_on_marked(item, None, f) }
    }

    /// Does the same for an event that `all` has the fields of.
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
        let _restore = RestorePassedOn(PASSED_ON.replace(PassedOn { item: address(item), filled: self, all }));
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

/// Leaves the fields that have no value.
struct Empty(Filled);

impl Visit for Empty {
    fn record_debug(&mut self, field: &Field, _: &dyn Debug) {
        if field.index() < Filled::MAX {
            self.0.0 &= !(1 << field.index());
        }
    }
}

/// What is passed on again, once what was made of it, or was logged meanwhile, has been.
struct RestorePassedOn(PassedOn);

impl Drop for RestorePassedOn {
    fn drop(&mut self) {
        PASSED_ON.set(self.0);
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
    fn what_is_passed_on_meanwhile_has_marks_of_its_own() {
        let [outer, unmarked, inner] = [1u8, 2, 3];
        filled(0).passing_on(&outer, |outer| {
            Filled::default().passing_on(&unmarked, |unmarked| assert!(Filled::before(unmarked).is_empty()));
            assert!(Filled::before(outer).contains(0));
            let panicked = std::panic::catch_unwind(|| {
                filled(Filled::MAX - 1).passing_on(&inner, |inner| {
                    assert!(Filled::before(inner).contains(Filled::MAX - 1) && !Filled::before(inner).contains(0));
                    panic!("meant");
                });
            });
            assert!(panicked.is_err());
            assert!(Filled::before(outer).contains(0) && !Filled::before(outer).contains(Filled::MAX));
        });
        assert!(Filled::before(&outer).is_empty());
    }
}
