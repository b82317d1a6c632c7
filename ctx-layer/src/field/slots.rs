//! How sets hold and share values.

use std::sync::Arc;

use smallvec::SmallVec;

#[cfg(feature = "_output")]
use super::encoded::Encodings;
use super::{calls::Calls, entry::Entry};

/// The values that [`Fields`](super::Fields) share, sorted by field.
///
/// A base set holds its values itself, in one allocation. A set that is derived from a shared one holds none itself: it
/// refers to the values of its base. So derived sets keep base sets alive, and base sets keep no other set alive.
pub(super) struct Set {
    /// Inline room for six.
    slots: SmallVec<[Slot; 6]>,
    /// The base set, if this set is derived.
    base: Option<Arc<Set>>,
    /// The set has exactly the slots of its base: only the calls differ.
    has_base_slots: bool,
    pub(super) calls: Calls,
    /// Dropping any value that the set keeps alive only frees memory.
    is_plain: bool,
    #[cfg(feature = "_output")]
    pub(super) encodings: Encodings,
}

/// A field's value.
struct Slot {
    id: usize,
    held: SlotValue,
}

impl Slot {
    /// Creates the slot of a derived set for this slot of its base, at this index.
    fn derived((at, slot): (usize, &Slot)) -> Self {
        let held = match &slot.held {
            SlotValue::Here(_) => SlotValue::Base(at),
            SlotValue::Base(at) => SlotValue::Base(*at),
            SlotValue::Elsewhere(shared) => SlotValue::Elsewhere(shared.clone()),
            SlotValue::Unset => SlotValue::Unset,
        };
        Slot { id: slot.id, held }
    }
}

/// The place of a value.
enum SlotValue {
    /// In this set.
    Here(Entry),
    /// In the base set, at this index.
    Base(usize),
    /// In another set, or on its own.
    Elsewhere(Shared),
    /// The program unset the field: baggage is ignored.
    Unset,
}

/// A value that several sets share.
#[derive(Clone)]
pub(crate) struct Shared(SharedIn);

#[derive(Clone)]
enum SharedIn {
    /// In a base set, at this index.
    Within(Arc<Set>, usize),
    /// On its own: it was set in a derived set.
    Alone(Arc<Entry>),
}

impl Default for Set {
    #[inline]
    fn default() -> Self {
        Set::new()
    }
}

impl Set {
    /// Creates an empty set.
    pub(super) const fn new() -> Self {
        Set {
            slots: SmallVec::new_const(),
            base: None,
            has_base_slots: false,
            calls: Calls::NONE,
            is_plain: true,
            #[cfg(feature = "_output")]
            encodings: Encodings::new(),
        }
    }

    /// Creates a set derived from another.
    pub(super) fn derived_from(other: &Arc<Set>) -> Arc<Set> {
        // Filled in place: the set is large, and moving it would take longer than the rest.
        let mut set: Arc<Set> = Arc::default();
        if let Some(set) = Arc::get_mut(&mut set) {
            set.has_base_slots = other.has_base_slots || other.base.is_none();
            if !set.has_base_slots {
                set.slots.extend(other.slots.iter().enumerate().map(Slot::derived));
            }
            set.base = Some(other.base.as_ref().unwrap_or(other).clone());
            set.calls.copy_from(&other.calls);
            set.is_plain = other.is_plain;
        }
        set
    }

    /// Returns the fields, each with its value, or unset.
    #[inline]
    fn slots(&self) -> &[Slot] {
        match &self.base {
            Some(base) if self.has_base_slots => &base.slots,
            _ => &self.slots,
        }
    }

    /// Copies the slots of the base set into this one.
    #[inline]
    fn copy_base_slots(&mut self) {
        if let Some(base) = self.base.as_ref().filter(|_| self.has_base_slots) {
            self.slots = base.slots.iter().enumerate().map(Slot::derived).collect();
            self.has_base_slots = false;
        }
    }

    /// Returns the values, each with the number of its field.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.slots().iter().filter_map(|slot| Some((slot.id, self.entry_of(slot)?)))
    }

    /// Returns the changes of the set: each field with its value, or with `None` if it is unset.
    pub(super) fn changes(self: &Arc<Self>) -> impl Iterator<Item = (usize, Option<Shared>)> {
        self.slots().iter().enumerate().map(|(at, slot)| (slot.id, Shared::of(self, at)))
    }

    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Returns `true` if this is a base set, which holds its values itself.
    pub(super) fn is_base(&self) -> bool {
        self.base.is_none()
    }

    pub(super) fn position(&self, id: usize) -> Result<usize, usize> {
        self.slots().binary_search_by_key(&id, |slot| slot.id)
    }

    pub(super) fn entry(&self, id: usize) -> Option<&Entry> {
        self.entry_of(&self.slots()[self.position(id).ok()?])
    }

    /// Returns the value of a slot; `None` if the field is unset.
    #[inline]
    fn entry_of<'a>(&'a self, slot: &'a Slot) -> Option<&'a Entry> {
        match &slot.held {
            SlotValue::Here(entry) => Some(entry),
            other => self.entry_elsewhere(other),
        }
    }

    // Not inlined, so that loops over values, which are mostly in the base set, stay small.
    #[inline(never)]
    fn entry_elsewhere<'a>(&'a self, held: &'a SlotValue) -> Option<&'a Entry> {
        match held {
            SlotValue::Here(entry) => Some(entry),
            SlotValue::Elsewhere(shared) => Some(shared.entry()),
            // Only a derived set has such slots.
            SlotValue::Base(at) => self.base.as_ref().and_then(|base| base.entry_of(&base.slots[*at])),
            SlotValue::Unset => None,
        }
    }

    /// Sets a value.
    #[inline(always)]
    pub(super) fn set(&mut self, id: usize, entry: Entry) {
        // Fields are nearly always set in the order of registration.
        if self.base.is_none() && self.slots.last().is_none_or(|last| last.id < id) {
            self.is_plain &= entry.is_plain();
            self.slots.push(Slot { id, held: SlotValue::Here(entry) });
        } else {
            self.set_anywhere(id, entry);
        }
    }

    #[inline(never)]
    fn set_anywhere(&mut self, id: usize, entry: Entry) {
        let is_base = self.is_base();
        self.put(id, if is_base { SlotValue::Here(entry) } else { SlotValue::Elsewhere(Shared::new(entry)) });
    }

    /// Sets a value that other sets share. This set must not be a [base set](Self::is_base), which must not keep others
    /// alive.
    pub(super) fn set_shared(&mut self, shared: Shared) {
        debug_assert!(!self.is_base());
        self.put(shared.entry().declaration().id(), SlotValue::Elsewhere(shared));
    }

    pub(super) fn unset(&mut self, id: usize) {
        self.put(id, SlotValue::Unset);
    }

    fn put(&mut self, id: usize, held: SlotValue) {
        self.copy_base_slots();
        let slot = Slot { id, held };
        match self.position(id) {
            Ok(at) => self.slots[at] = slot,
            Err(at) => self.slots.insert(at, slot),
        }
        self.update_is_plain();
    }

    fn update_is_plain(&mut self) {
        let is_plain = |slot: &Slot| match &slot.held {
            SlotValue::Here(entry) => entry.is_plain(),
            SlotValue::Base(_) | SlotValue::Unset => true,
            SlotValue::Elsewhere(Shared(SharedIn::Within(set, _))) => set.is_plain,
            SlotValue::Elsewhere(Shared(SharedIn::Alone(entry))) => entry.is_plain(),
        };
        self.is_plain = self.base.as_ref().is_none_or(|base| base.is_plain) && self.slots.iter().all(is_plain);
    }
}

impl Shared {
    /// Creates a value that no set has yet.
    pub(crate) fn new(entry: Entry) -> Self {
        entry.prepare();
        Shared(SharedIn::Alone(Arc::new(entry)))
    }

    /// Returns the value at an index of a set; `None` if the field is unset.
    pub(super) fn of(set: &Arc<Set>, at: usize) -> Option<Self> {
        let set = set.base.as_ref().filter(|_| set.has_base_slots).unwrap_or(set);
        match (&set.slots[at].held, &set.base) {
            (SlotValue::Elsewhere(shared), _) => Some(shared.clone()),
            (SlotValue::Base(at), Some(base)) => Some(Shared(SharedIn::Within(base.clone(), *at))),
            (SlotValue::Here(_), _) => Some(Shared(SharedIn::Within(set.clone(), at))),
            (SlotValue::Unset | SlotValue::Base(_), _) => None,
        }
    }

    pub(crate) fn entry(&self) -> &Entry {
        match &self.0 {
            // A shared set is not changed.
            SharedIn::Within(set, at) => match &set.slots[*at].held {
                SlotValue::Here(entry) => entry,
                _ => unreachable!("a shared value is in the base set that holds it"),
            },
            SharedIn::Alone(entry) => entry,
        }
    }
}
