//! An immutable set of field values.

use std::{fmt, sync::Arc};

#[cfg(feature = "_output")]
use super::encoded::Encoded;
use super::{
    calls::Call,
    declaration::Declaration,
    entry::Entry,
    field_type::FieldType,
    key::ContextField,
    policy::Sensitivity,
    slots::{Set, Shared},
    value::{OutputValue, into_unchanged},
};

/// An immutable set of field values. Cloning it is cheap: it counts a reference.
///
/// [`with`](Self::with) and [`without`](Self::without) set and unset fields in it. [`attach`](Self::attach) applies
/// these changes to the current fields. [`replace`](Self::replace) replaces the current fields with this set.
/// [`current`](Self::current) returns the current fields.
///
/// ```
/// use ctx_layer::{Fields, field::well_known::{TENANT_ID, USER_ID}};
///
/// let fields = Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "u-1");
/// let _guard = fields.attach();
/// assert_eq!(format!("{:?}", Fields::current()), r#"{"tenant_id": acme, "user_id": u-1}"#);
/// ```
///
/// `Debug` shows sensitive values as `[redacted]`.
///
/// Values that are set one after another share an allocation. It is freed when the last set that uses one of them is
/// dropped, even if some of its values were replaced before.
#[derive(Clone, Default)]
#[must_use = "a set does nothing until it is used: by `attach`, `in_scope`, `with_fields` or `replace`"]
pub struct Fields {
    /// `None` if nothing was ever set, so that an empty set allocates nothing.
    set: Option<Arc<Set>>,
}

impl Fields {
    /// Creates an empty set. Does not allocate.
    pub const fn new() -> Self {
        Fields { set: None }
    }

    /// Returns the set with `field` set to `value`.
    ///
    /// A string longer than the field's maximum is cut on spans and events, and its control characters are shown as
    /// `\u{fffd}` there. The program reads it unchanged.
    ///
    /// # Panics
    /// Panics if the value's `Display` panics.
    pub fn with<T: FieldType>(self, field: &'static ContextField<T>, value: impl Into<T>) -> Self {
        field.declaration().note_set();
        match into_unchanged(field.declaration().policy(), value.into()) {
            Ok(shown) => self.with_unchanged(field.declaration(), shown),
            Err(value) => self.with_entry(Entry::of_other(field.declaration(), value)),
        }
    }

    /// Returns the set with `field` unset.
    ///
    /// Where the set is [attached](Self::attach), the field has no value, even if baggage has one.
    pub fn without<T: FieldType>(self, field: &'static ContextField<T>) -> Self {
        let id = field.declaration().id();
        self.changed(|set| set.unset(id))
    }

    pub(crate) fn with_entry(self, entry: Entry) -> Self {
        let id = entry.declaration().id();
        entry.prepare();
        self.changed(|set| set.set(id, entry))
    }

    /// Returns the set with a string that is shown [unchanged](into_unchanged).
    #[inline(always)]
    fn with_unchanged(self, declaration: &'static Declaration, shown: OutputValue) -> Self {
        if declaration.policy().sensitivity() == Sensitivity::Hashed {
            return self.with_entry(Entry::of_unchanged(declaration, shown));
        }
        let id = declaration.id();
        self.changed(|set| set.set(id, Entry::of_unchanged(declaration, shown)))
    }

    /// Returns this set with the changes of another, which are one call.
    #[inline]
    pub(crate) fn changed_by(self, changes: Fields, call: Call) -> Self {
        match self.set {
            _ if changes.is_blank() => self,
            // The changes are used as they are.
            None => changes.replaced_by(call),
            Some(_) => self.with_changes(&changes).made_by(call),
        }
    }

    /// Returns this set with the changes of another.
    fn with_changes(self, changes: &Fields) -> Self {
        let Some(changes) = &changes.set else { return self };
        let Some(mine) = self.set else { return Fields { set: Some(changes.clone()) } };
        let set = if mine.is_base() { Set::derived_from(&mine) } else { mine };
        Fields { set: Some(set) }.changed(|set| {
            for (id, change) in changes.changes() {
                match change {
                    Some(shared) => set.set_shared(shared),
                    None => set.unset(id),
                }
            }
        })
    }

    /// Returns this set with a value that was recorded on a span, unless that call is already part of it.
    pub(crate) fn with_recorded(self, call: Call, value: &Shared) -> Self {
        if self.has_call(call) {
            return self;
        }
        let set = match self.set {
            Some(set) if set.is_base() => Set::derived_from(&set),
            Some(set) => set,
            None => Set::derived_from(&Arc::default()),
        };
        Fields { set: Some(set) }.changed(|set| {
            set.set_shared(value.clone());
            set.calls.add(call);
        })
    }

    /// Returns this set with these calls added.
    pub(crate) fn with_calls(self, calls: &[Call]) -> Self {
        if calls.iter().all(|call| self.has_call(*call)) {
            return self;
        }
        self.changed(|set| calls.iter().for_each(|call| set.calls.add_if_missing(*call)))
    }

    /// Returns the set with a call added that changed it.
    #[inline]
    pub(crate) fn made_by(self, call: Call) -> Self {
        self.changed(|set| set.calls.add(call))
    }

    /// Returns the set with this call as its only one: it replaced what was current.
    #[inline]
    pub(crate) fn replaced_by(self, call: Call) -> Self {
        self.changed(|set| set.calls.replace(call))
    }

    /// Changes the set in place if it is not shared, otherwise a copy.
    #[inline(always)]
    fn changed(self, change: impl FnOnce(&mut Set)) -> Self {
        let mut set = match self.set {
            Some(set) if Arc::strong_count(&set) > 1 => Set::derived_from(&set),
            Some(set) => set,
            None => Arc::default(),
        };
        if let Some(set) = Arc::get_mut(&mut set) {
            #[cfg(feature = "_output")]
            set.encodings.clear();
            change(set);
        }
        Fields { set: Some(set) }
    }

    /// Returns the value of `field` in this set.
    pub fn get<T: FieldType>(&self, field: &'static ContextField<T>) -> Option<&T> {
        self.entry(field.declaration())?.downcast()
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.entries().count()
    }

    /// Returns `true` if the set has no value.
    pub fn is_empty(&self) -> bool {
        self.entries().next().is_none()
    }

    /// Returns the fields that have a value, each with its value. Sensitive values are displayed as `[redacted]`.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Declaration, &dyn fmt::Display)> {
        self.entries().map(|(_, entry)| (entry.declaration(), entry.display()))
    }

    pub(crate) fn entry(&self, declaration: &Declaration) -> Option<&Entry> {
        self.find(declaration.id())
    }

    /// Returns a field's value, to be added to other sets.
    pub(crate) fn shared(&self, declaration: &Declaration) -> Option<Shared> {
        let set = self.set.as_ref()?;
        Shared::of(set, set.position(declaration.id()).ok()?)
    }

    /// Returns `true` if the program set or unset the field. Baggage is ignored then.
    pub(crate) fn is_decided(&self, declaration: &Declaration) -> bool {
        self.set.as_ref().is_some_and(|set| set.position(declaration.id()).is_ok())
    }

    /// Returns the values, each with the number of its field.
    // Iterates over a set that always exists: an iterator over an optional one is some nanoseconds slower per value.
    #[inline]
    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        static NONE: Set = Set::new();
        self.set.as_deref().unwrap_or(&NONE).iter()
    }

    /// Returns `true` if nothing was ever set. A set in which all fields are unset is empty, but not blank.
    #[inline]
    pub(crate) fn is_blank(&self) -> bool {
        self.set.is_none()
    }

    /// Returns `true` if the set may be kept a little longer than its owner needs it.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.set.as_ref().is_none_or(|set| set.is_plain())
    }

    /// Returns `true` if the set has other references.
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.set.as_ref().is_some_and(|set| Arc::strong_count(set) > 1)
    }

    /// Returns `true` if both are the same set, not merely equal ones.
    #[inline]
    pub(crate) fn is_same(&self, other: &Fields) -> bool {
        self.address() == other.address()
    }

    /// Returns the address of the set; 0 for the blank one.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self.set.as_ref().map_or(0, |set| Arc::as_ptr(set).addr())
    }

    /// Returns `true` if this set is `other`, or was derived from it by setting, unsetting or recording.
    ///
    /// Only the calls count: two requests of one tenant are two requests, though their values are equal.
    #[inline]
    pub(crate) fn descends_from(&self, other: &Fields) -> bool {
        match (&self.set, &other.set) {
            (_, None) => true,
            (None, Some(other)) => other.calls.is_empty(),
            (Some(mine), Some(other)) => Arc::ptr_eq(mine, other) || mine.calls.include(&other.calls),
        }
    }

    /// Returns `true` if one of the two sets was derived from the other.
    pub(crate) fn is_related_to(&self, other: &Fields) -> bool {
        self.descends_from(other) || other.descends_from(self)
    }

    pub(crate) fn has_call(&self, call: Call) -> bool {
        self.set.as_ref().is_some_and(|set| set.calls.contains(call))
    }

    /// Returns the encoded form of this set that an output stored under a key.
    #[cfg(feature = "_output")]
    #[inline]
    pub(crate) fn encoded(&self, key: u64) -> Option<&Encoded> {
        self.set.as_ref()?.encodings.get(key)
    }

    /// Stores an output's encoding of this set and returns it; `None` for the blank set.
    #[cfg(feature = "_output")]
    pub(crate) fn keep_encoded(&self, key: u64, encoded: Encoded) -> Option<&Encoded> {
        Some(self.set.as_ref()?.encodings.insert(key, encoded))
    }

    fn find(&self, id: usize) -> Option<&Entry> {
        self.set.as_ref()?.entry(id)
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
