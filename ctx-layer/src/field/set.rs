//! The immutable set of values that stands in a context.

use std::{fmt, sync::Arc};

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
pub struct Fields {
    /// Sorted by field; `None` for the empty set, which so costs nothing.
    slots: Option<Arc<Slots>>,
}

/// Room for this many values without a second allocation.
type Slots = SmallVec<[Slot; 6]>;

#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) id: usize,
    pub(crate) entry: Arc<Entry>,
}

impl Fields {
    /// The empty set. Allocates nothing.
    pub const fn new() -> Self {
        Fields { slots: None }
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
            let slots = self.slots_mut();
            slots.remove(at);
            if slots.is_empty() {
                self.slots = None;
            }
        }
        self
    }

    pub(crate) fn with_entry(mut self, entry: Arc<Entry>) -> Self {
        let id = entry.declaration().id();
        let position = self.position(id);
        let slots = self.slots_mut();
        match position {
            Ok(at) => slots[at] = Slot { id, entry },
            Err(at) => slots.insert(at, Slot { id, entry }),
        }
        self
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
        self.slots.is_none()
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
        self.slots.as_ref().map_or(&[], |slots| slots.as_slice())
    }

    /// Whether both are one set, not merely equal ones.
    #[inline]
    pub(crate) fn is_same(&self, other: &Fields) -> bool {
        match (&self.slots, &other.slots) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Where the set stands; 0 for the empty one.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self.slots.as_ref().map_or(0, |slots| Arc::as_ptr(slots).addr())
    }

    /// Whether each value of this set certainly stands in `other` too.
    pub(crate) fn is_within(&self, other: &Fields) -> bool {
        self.is_same(other)
            || self.as_slots().iter().all(|slot| {
                other.position(slot.id).is_ok_and(|at| {
                    let entry = &other.as_slots()[at].entry;
                    Arc::ptr_eq(entry, &slot.entry) || entry.same_as(&slot.entry)
                })
            })
    }

    fn position(&self, id: usize) -> Result<usize, usize> {
        self.as_slots().binary_search_by_key(&id, |slot| slot.id)
    }

    fn slots_mut(&mut self) -> &mut Slots {
        Arc::make_mut(self.slots.get_or_insert_default())
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
