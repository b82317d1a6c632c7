//! The immutable set of values that stands in a context.

use std::{
    cell::Cell,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use smallvec::SmallVec;

use super::{
    declaration::Declaration,
    key::{ContextField, FieldType},
    value::Entry,
};

/// A set of field values: immutable, and cloned by counting a reference.
///
/// What is in force is `Fields::current()`; [`with`](Self::with) and [`without`](Self::without) make a new set from it,
/// and [`attach`](Self::attach) puts one in force.
///
/// ```
/// use ctx_layer::{Fields, field::well_known::{TENANT_ID, USER_ID}};
///
/// let fields = Fields::current().with(&TENANT_ID, "acme").with(&USER_ID, "u-1");
/// let _guard = fields.attach();
/// assert_eq!(format!("{:?}", Fields::current()), r#"{"tenant_id": acme, "user_id": u-1}"#);
/// ```
///
/// `Debug` shows sensitive values as `[redacted]`.
#[derive(Clone, Default)]
#[must_use = "a set does nothing until it is put in force: by `attach`, `in_scope` or `with_fields`"]
pub struct Fields {
    /// `None` where nothing was ever set, which so costs nothing.
    set: Option<Arc<Set>>,
}

#[derive(Clone)]
struct Set {
    /// Sorted by field. Room for six without a second allocation.
    slots: SmallVec<[Slot; 6]>,
    /// Sets that were made from one another by setting values have the same.
    lineage: u64,
    /// All values are [plain](Entry::is_plain).
    is_plain: bool,
}

impl Set {
    fn new() -> Self {
        Set { slots: SmallVec::new(), lineage: new_lineage(), is_plain: true }
    }
}

/// A number that no other set got. Threads take many at a time, so that they do not all wait for one another.
fn new_lineage() -> u64 {
    const AT_A_TIME: u64 = 1024;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        // Has no destructor, and so can always be used.
        static OWN: Cell<u64> = const { Cell::new(0) };
    }
    let own = OWN.get();
    let lineage = if own.is_multiple_of(AT_A_TIME) { NEXT.fetch_add(AT_A_TIME, Ordering::Relaxed) } else { own };
    OWN.set(lineage + 1);
    lineage
}

#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) id: usize,
    pub(crate) entry: Arc<Entry>,
}

/// Collects values, the last of each field, without making a set for each.
#[derive(Default)]
pub(crate) struct Collected {
    slots: SmallVec<[Slot; 6]>,
}

impl Collected {
    pub(crate) fn set(&mut self, entry: Arc<Entry>) {
        let id = entry.declaration().id();
        // They nearly always come in the order in which they were sent.
        if self.slots.last().is_none_or(|last| last.id < id) {
            return self.slots.push(Slot { id, entry });
        }
        match self.slots.binary_search_by_key(&id, |slot| slot.id) {
            Ok(at) => self.slots[at].entry = entry,
            Err(at) => self.slots.insert(at, Slot { id, entry }),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// These values over those of another set.
    pub(crate) fn over(self, fields: &Fields) -> Fields {
        if !fields.is_empty() {
            return self.slots.into_iter().fold(fields.clone(), |fields, slot| fields.with_entry(slot.entry));
        }
        let is_plain = self.slots.iter().all(|slot| slot.entry.is_plain());
        Fields { set: Some(Arc::new(Set { slots: self.slots, lineage: new_lineage(), is_plain })) }
    }
}

impl Fields {
    /// The empty set. Allocates nothing.
    pub const fn new() -> Self {
        Fields { set: None }
    }

    /// A set from which everything was taken.
    pub(crate) fn emptied() -> Self {
        Fields { set: Some(Arc::new(Set::new())) }
    }

    /// The set with `field` set to `value`, whatever it was before.
    ///
    /// Values longer than the field's maximum are kept whole for who reads them and cut on spans and events; control
    /// characters are shown as `\u{fffd}` there.
    ///
    /// # Panics
    /// When the value's `Display` panics.
    pub fn with<T: FieldType>(self, field: &'static ContextField<T>, value: impl Into<T>) -> Self {
        self.with_entry(Entry::new(field.declaration(), value.into()))
    }

    /// The set without a value for `field`.
    pub fn without<T: FieldType>(mut self, field: &'static ContextField<T>) -> Self {
        if let Ok(at) = self.position(field.declaration().id()) {
            let set = self.make_mut();
            set.slots.remove(at);
            set.is_plain = set.slots.iter().all(|slot| slot.entry.is_plain());
            // What was made from it without the value must not be taken for what was made with it.
            set.lineage = new_lineage();
        }
        self
    }

    pub(crate) fn with_entry(mut self, entry: Arc<Entry>) -> Self {
        let id = entry.declaration().id();
        if self.is_blank() {
            let is_plain = entry.is_plain();
            let mut slots = SmallVec::new();
            slots.push(Slot { id, entry });
            return Fields { set: Some(Arc::new(Set { slots, lineage: new_lineage(), is_plain })) };
        }
        let set = self.make_mut();
        // They are nearly always set in the order in which they were registered.
        if set.slots.last().is_none_or(|last| last.id < id) {
            set.is_plain &= entry.is_plain();
            set.slots.push(Slot { id, entry });
            return self;
        }
        match set.slots.binary_search_by_key(&id, |slot| slot.id) {
            Ok(at) => set.slots[at].entry = entry,
            Err(at) => set.slots.insert(at, Slot { id, entry }),
        }
        set.is_plain = set.slots.iter().all(|slot| slot.entry.is_plain());
        self
    }

    /// The set with all values of `others`.
    pub(crate) fn with_all(self, others: &Fields) -> Self {
        if self.is_blank() {
            return others.clone();
        }
        others.as_slots().iter().fold(self, |fields, slot| fields.with_entry(slot.entry.clone()))
    }

    /// Whether `other` has another value for a field of this set.
    pub(crate) fn conflicts_with(&self, other: &Fields) -> bool {
        self.as_slots()
            .iter()
            .any(|slot| other.position(slot.id).is_ok_and(|at| !Arc::ptr_eq(&other.as_slots()[at].entry, &slot.entry)))
    }

    /// Whether all values of this set are among those of `other`, however it was made.
    pub(crate) fn is_part_of(&self, other: &Fields) -> bool {
        self.as_slots()
            .iter()
            .all(|slot| other.position(slot.id).is_ok_and(|at| Arc::ptr_eq(&other.as_slots()[at].entry, &slot.entry)))
    }

    /// The value of `field` in this set.
    pub fn get<T: FieldType>(&self, field: &'static ContextField<T>) -> Option<&T> {
        self.entry(field.declaration())?.downcast()
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.as_slots().len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.as_slots().is_empty()
    }

    /// The fields that have a value, each with its value as text; a sensitive one as `[redacted]`.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Declaration, &dyn fmt::Display)> {
        self.as_slots().iter().map(|slot| (slot.entry.declaration(), slot.entry.display()))
    }

    pub(crate) fn entry(&self, declaration: &Declaration) -> Option<&Arc<Entry>> {
        let slots = self.as_slots();
        self.position(declaration.id()).ok().map(|at| &slots[at].entry)
    }

    #[inline]
    pub(crate) fn as_slots(&self) -> &[Slot] {
        self.set.as_ref().map_or(&[], |set| set.slots.as_slice())
    }

    /// Whether nothing was ever set: a set from which the last value was taken is empty, but not blank.
    #[inline]
    pub(crate) fn is_blank(&self) -> bool {
        self.set.is_none()
    }

    /// Whether it is harmless to keep the set a little longer than asked for.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.set.as_ref().is_none_or(|set| set.is_plain)
    }

    /// Whether somebody else has the set too.
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.set.as_ref().is_some_and(|set| Arc::strong_count(set) > 1)
    }

    /// Whether both are one set, not merely equal ones.
    #[inline]
    pub(crate) fn is_same(&self, other: &Fields) -> bool {
        self.address() == other.address()
    }

    /// Where the set stands; 0 for the blank one.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self.set.as_ref().map_or(0, |set| Arc::as_ptr(set).addr())
    }

    /// Whether `other` was made from this set by setting more.
    ///
    /// Values are compared by identity: two requests of one tenant are two requests.
    pub(crate) fn is_within(&self, other: &Fields) -> bool {
        match (&self.set, &other.set) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(others)) => {
                Arc::ptr_eq(mine, others) || mine.lineage == others.lineage && self.is_part_of(other)
            }
        }
    }

    /// What `self` says, where it says something else than `base`, said of `other`.
    pub(crate) fn rebased(&self, base: &Fields, other: &Fields) -> Fields {
        let mut rebased = other.clone();
        for slot in base.as_slots() {
            if self.position(slot.id).is_err()
                && let Ok(at) = rebased.position(slot.id)
            {
                let set = rebased.make_mut();
                set.slots.remove(at);
                // What was made from it without the value must not be taken for what was made with it. Nor must it
                // differ from one poll of a future to the next.
                set.lineage = self.set.as_ref().map_or_else(new_lineage, |set| set.lineage);
            }
        }
        for slot in self.as_slots() {
            let unchanged = base.position(slot.id).is_ok_and(|at| Arc::ptr_eq(&base.as_slots()[at].entry, &slot.entry));
            if !unchanged {
                rebased = rebased.with_entry(slot.entry.clone());
            }
        }
        rebased
    }

    fn position(&self, id: usize) -> Result<usize, usize> {
        self.as_slots().binary_search_by_key(&id, |slot| slot.id)
    }

    fn make_mut(&mut self) -> &mut Set {
        Arc::make_mut(self.set.get_or_insert_with(|| Arc::new(Set::new())))
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (declaration, value) in self.iter() {
            map.entry(&declaration.name(), &format_args!("{value}"));
        }
        map.finish()
    }
}
