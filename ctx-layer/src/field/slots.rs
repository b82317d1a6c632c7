//! How the values of a set are held.

use std::sync::Arc;

use smallvec::SmallVec;

#[cfg(feature = "json")]
use super::encoded::Encodings;
use super::{calls::Calls, value::Entry};

/// What [`Fields`](super::Fields) share: values, sorted by field.
///
/// The values with which a set begins are in it, in one allocation. One that is made from a set that others have, too, has
/// none in itself: those that it got from there stay there. So a set keeps others alive, and these none.
pub(super) struct Set {
    /// Room for six without a second allocation.
    slots: SmallVec<[Slot; 6]>,
    /// The set that it began as, where it has none in itself.
    begun: Option<Arc<Set>>,
    /// It has the slots of the set that it began as, all of them: nothing but the calls differs.
    is_as_begun: bool,
    pub(super) calls: Calls,
    /// Of all values that it keeps alive, dropping does nothing but free memory.
    is_plain: bool,
    #[cfg(feature = "json")]
    pub(super) encodings: Encodings,
}

/// The value of a field.
struct Slot {
    id: usize,
    held: SlotValue,
}

impl Slot {
    /// The slot of a set that began as one with this slot, at this index.
    fn begun((at, slot): (usize, &Slot)) -> Self {
        let held = match &slot.held {
            SlotValue::Here(_) => SlotValue::Begun(at),
            SlotValue::Begun(at) => SlotValue::Begun(*at),
            SlotValue::Elsewhere(shared) => SlotValue::Elsewhere(shared.clone()),
            SlotValue::Unset => SlotValue::Unset,
        };
        Slot { id: slot.id, held }
    }
}

/// Where a value is.
enum SlotValue {
    /// In this set.
    Here(Entry),
    /// In the set that it began as, at this index.
    Begun(usize),
    /// In another one, or in none.
    Elsewhere(Shared),
    /// The program unset the field: baggage does not count as its value.
    Unset,
}

/// A value that several sets have.
#[derive(Clone)]
pub(crate) struct Shared(SharedIn);

#[derive(Clone)]
enum SharedIn {
    /// In a set that began with it, at this index.
    Within(Arc<Set>, usize),
    /// It was set on top of others' values.
    Alone(Arc<Entry>),
}

impl Default for Set {
    #[inline]
    fn default() -> Self {
        Set::new()
    }
}

impl Set {
    /// A set of nothing.
    pub(super) const fn new() -> Self {
        Set {
            slots: SmallVec::new_const(),
            begun: None,
            is_as_begun: false,
            calls: Calls::NONE,
            is_plain: true,
            #[cfg(feature = "json")]
            encodings: Encodings::new(),
        }
    }

    /// A set with the values of another.
    pub(super) fn on(other: &Arc<Set>) -> Arc<Set> {
        // Filled where it is: it is large, and moving it would take longer than all else here.
        let mut set: Arc<Set> = Arc::default();
        if let Some(set) = Arc::get_mut(&mut set) {
            set.is_as_begun = other.is_as_begun || other.begun.is_none();
            if !set.is_as_begun {
                set.slots.extend(other.slots.iter().enumerate().map(Slot::begun));
            }
            set.begun = Some(other.begun.as_ref().unwrap_or(other).clone());
            set.calls.be_like(&other.calls);
            set.is_plain = other.is_plain;
        }
        set
    }

    /// The fields, each with its value, or unset.
    #[inline]
    fn slots(&self) -> &[Slot] {
        match &self.begun {
            Some(begun) if self.is_as_begun => &begun.slots,
            _ => &self.slots,
        }
    }

    /// Gives it slots of its own.
    #[inline]
    fn separate(&mut self) {
        if let Some(begun) = self.begun.as_ref().filter(|_| self.is_as_begun) {
            self.slots = begun.slots.iter().enumerate().map(Slot::begun).collect();
            self.is_as_begun = false;
        }
    }

    /// The values, each with the number of its field.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.slots().iter().filter_map(|slot| Some((slot.id, self.entry_of(slot)?)))
    }

    /// The changes that it consists of: each field with its value, or with `None` where it is unset.
    pub(super) fn changes(self: &Arc<Self>) -> impl Iterator<Item = (usize, Option<Shared>)> {
        self.slots().iter().enumerate().map(|(at, slot)| (slot.id, Shared::of(self, at)))
    }

    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether values would stand in it.
    pub(super) fn is_beginning(&self) -> bool {
        self.begun.is_none()
    }

    pub(super) fn position(&self, id: usize) -> Result<usize, usize> {
        self.slots().binary_search_by_key(&id, |slot| slot.id)
    }

    pub(super) fn entry(&self, id: usize) -> Option<&Entry> {
        self.entry_of(&self.slots()[self.position(id).ok()?])
    }

    /// `None` where the field is unset.
    #[inline]
    fn entry_of<'a>(&'a self, slot: &'a Slot) -> Option<&'a Entry> {
        match &slot.held {
            SlotValue::Here(entry) => Some(entry),
            other => self.entry_elsewhere(other),
        }
    }

    // Apart, so that loops over values, most of which are where they began, stay small.
    #[inline(never)]
    fn entry_elsewhere<'a>(&'a self, held: &'a SlotValue) -> Option<&'a Entry> {
        match held {
            SlotValue::Here(entry) => Some(entry),
            SlotValue::Elsewhere(shared) => Some(shared.entry()),
            // Only a set that has begun as another has such values.
            SlotValue::Begun(at) => self.begun.as_ref().and_then(|begun| begun.entry_of(&begun.slots[*at])),
            SlotValue::Unset => None,
        }
    }

    /// Sets a value.
    #[inline(always)]
    pub(super) fn set(&mut self, id: usize, entry: Entry) {
        // They are nearly always set in the order in which they were registered.
        if self.begun.is_none() && self.slots.last().is_none_or(|last| last.id < id) {
            self.is_plain &= entry.is_plain();
            self.slots.push(Slot { id, held: SlotValue::Here(entry) });
        } else {
            self.set_anywhere(id, entry);
        }
    }

    #[inline(never)]
    fn set_anywhere(&mut self, id: usize, entry: Entry) {
        let is_here = self.is_beginning();
        self.put(id, if is_here { SlotValue::Here(entry) } else { SlotValue::Elsewhere(Shared::new(entry)) });
    }

    /// Sets a value that other sets have. This one must not be a [beginning](Self::is_beginning): it would keep one alive that
    /// keeps others.
    pub(super) fn set_shared(&mut self, shared: Shared) {
        debug_assert!(!self.is_beginning());
        self.put(shared.entry().declaration().id(), SlotValue::Elsewhere(shared));
    }

    pub(super) fn unset(&mut self, id: usize) {
        self.put(id, SlotValue::Unset);
    }

    fn put(&mut self, id: usize, held: SlotValue) {
        self.separate();
        let slot = Slot { id, held };
        match self.position(id) {
            Ok(at) => self.slots[at] = slot,
            Err(at) => self.slots.insert(at, slot),
        }
        self.look_whether_plain();
    }

    fn look_whether_plain(&mut self) {
        let is_plain = |slot: &Slot| match &slot.held {
            SlotValue::Here(entry) => entry.is_plain(),
            SlotValue::Begun(_) | SlotValue::Unset => true,
            SlotValue::Elsewhere(Shared(SharedIn::Within(set, _))) => set.is_plain,
            SlotValue::Elsewhere(Shared(SharedIn::Alone(entry))) => entry.is_plain(),
        };
        self.is_plain = self.begun.as_ref().is_none_or(|begun| begun.is_plain) && self.slots.iter().all(is_plain);
    }
}

impl Shared {
    /// A value that no set has yet.
    pub(crate) fn new(entry: Entry) -> Self {
        entry.prepare();
        Shared(SharedIn::Alone(Arc::new(entry)))
    }

    /// The value at an index of a set; `None` where the field is unset.
    pub(super) fn of(set: &Arc<Set>, at: usize) -> Option<Self> {
        let set = set.begun.as_ref().filter(|_| set.is_as_begun).unwrap_or(set);
        match (&set.slots[at].held, &set.begun) {
            (SlotValue::Elsewhere(shared), _) => Some(shared.clone()),
            (SlotValue::Begun(at), Some(begun)) => Some(Shared(SharedIn::Within(begun.clone(), *at))),
            (SlotValue::Here(_), _) => Some(Shared(SharedIn::Within(set.clone(), at))),
            (SlotValue::Unset | SlotValue::Begun(_), _) => None,
        }
    }

    pub(crate) fn entry(&self) -> &Entry {
        match &self.0 {
            // A set that others have, too, is not changed.
            SharedIn::Within(set, at) => match &set.slots[*at].held {
                SlotValue::Here(entry) => entry,
                _ => unreachable!("a value is shared within the set that began with it"),
            },
            SharedIn::Alone(entry) => entry,
        }
    }
}
