//! The immutable set of values that stands in a context.

use std::{fmt, ptr, sync::Arc};

use super::{
    declaration::Declaration,
    key::{ContextField, FieldType},
    policy::Sensitivity,
    slots::{Set, Shared, new_lineage},
    value::{Entry, shown_as_it_is},
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
///
/// Values that are set one upon another stand in one allocation, until somebody else has the set, too. A value that is
/// replaced or taken out later is dropped with the last set that was made from that one.
#[derive(Clone, Default)]
#[must_use = "a set does nothing until it is put in force: by `attach`, `in_scope` or `with_fields`"]
pub struct Fields {
    /// `None` where nothing was ever set, which so costs nothing.
    set: Option<Arc<Set>>,
}

impl Fields {
    /// The empty set. Allocates nothing.
    pub const fn new() -> Self {
        Fields { set: None }
    }

    /// A set from which everything was taken.
    pub(crate) fn emptied() -> Self {
        Fields::new().changed(|_| {})
    }

    /// The set with `field` set to `value`, whatever it was before.
    ///
    /// Values longer than the field's maximum are kept whole for who reads them and cut on spans and events; control
    /// characters are shown as `\u{fffd}` there.
    ///
    /// # Panics
    /// When the value's `Display` panics.
    pub fn with<T: FieldType>(self, field: &'static ContextField<T>, value: impl Into<T>) -> Self {
        match shown_as_it_is(field.declaration(), value.into()) {
            Ok(text) => self.with_text(field.declaration(), text),
            Err(value) => self.with_entry(Entry::of_other(field.declaration(), value)),
        }
    }

    /// The set without a value for `field`.
    pub fn without<T: FieldType>(self, field: &'static ContextField<T>) -> Self {
        match self.position(field.declaration().id()) {
            // What was made from it without the value must not be taken for what was made with it.
            Ok(at) => self.without_at(at, new_lineage()),
            Err(_) => self,
        }
    }

    fn without_at(self, at: usize, lineage: u64) -> Self {
        self.changed(|set| {
            set.remove(at);
            set.lineage = lineage;
        })
    }

    pub(crate) fn with_entry(self, entry: Entry) -> Self {
        let id = entry.declaration().id();
        entry.prepare();
        self.changed(|set| set.set(id, entry))
    }

    /// The set with a text that is shown as it is.
    #[inline(always)]
    pub(super) fn with_text(self, declaration: &'static Declaration, text: String) -> Self {
        if declaration.policy().sensitivity() == Sensitivity::Hashed {
            return self.with_entry(Entry::of_text(declaration, text));
        }
        let id = declaration.id();
        self.changed(|set| set.set(id, Entry::of_text(declaration, text)))
    }

    /// The set with a value that others have, too.
    pub(crate) fn with_shared(self, shared: Shared) -> Self {
        let set = match self.set {
            Some(set) if set.is_beginning() => Set::on(&set),
            Some(set) => set,
            None => Set::on(&Arc::default()),
        };
        Fields { set: Some(set) }.changed(|set| set.set_shared(shared))
    }

    /// The set with all values of `others`.
    pub(crate) fn with_all(self, others: &Fields) -> Self {
        match &others.set {
            Some(_) if self.is_blank() => others.clone(),
            Some(set) => (0..set.len()).fold(self, |fields, at| fields.with_shared(Shared::of(set, at))),
            None => self,
        }
    }

    /// Changes the set: itself where nobody else has it.
    #[inline(always)]
    fn changed(self, change: impl FnOnce(&mut Set)) -> Self {
        let mut set = match self.set {
            Some(set) if Arc::strong_count(&set) > 1 => Set::on(&set),
            Some(set) => set,
            None => Arc::default(),
        };
        if let Some(set) = Arc::get_mut(&mut set) {
            change(set);
        }
        Fields { set: Some(set) }
    }

    /// Whether `other` has another value for a field of this set.
    pub(crate) fn conflicts_with(&self, other: &Fields) -> bool {
        self.entries().any(|(id, entry)| other.find(id).is_some_and(|others| !ptr::eq(others, entry)))
    }

    /// Whether all values of this set are among those of `other`, however it was made.
    pub(crate) fn is_part_of(&self, other: &Fields) -> bool {
        self.entries().all(|(id, entry)| other.find(id).is_some_and(|others| ptr::eq(others, entry)))
    }

    /// The value of `field` in this set.
    pub fn get<T: FieldType>(&self, field: &'static ContextField<T>) -> Option<&T> {
        self.entry(field.declaration())?.downcast()
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.set.as_ref().map_or(0, |set| set.len())
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The fields that have a value, each with its value as text; a sensitive one as `[redacted]`.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Declaration, &dyn fmt::Display)> {
        self.entries().map(|(_, entry)| (entry.declaration(), entry.display()))
    }

    pub(crate) fn entry(&self, declaration: &Declaration) -> Option<&Entry> {
        self.find(declaration.id())
    }

    /// A field's value, to be put in other sets.
    pub(crate) fn shared(&self, declaration: &Declaration) -> Option<Shared> {
        let at = self.position(declaration.id()).ok()?;
        self.set.as_ref().map(|set| Shared::of(set, at))
    }

    /// The values, each with the number of its field.
    // Of a set that is always there: an iterator over what may not be takes some nanoseconds more for each value.
    #[inline]
    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        static NONE: Set = Set::NONE;
        self.set.as_deref().unwrap_or(&NONE).iter()
    }

    /// Whether nothing was ever set: a set from which the last value was taken is empty, but not blank.
    #[inline]
    pub(crate) fn is_blank(&self) -> bool {
        self.set.is_none()
    }

    /// Whether it is harmless to keep the set a little longer than asked for.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.set.as_ref().is_none_or(|set| set.is_plain())
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
        for (id, _) in base.entries() {
            if self.find(id).is_none()
                && let Ok(at) = rebased.position(id)
            {
                // What was made from it without the value must not be taken for what was made with it. Nor must it
                // differ from one poll of a future to the next.
                let lineage = self.set.as_ref().map_or_else(new_lineage, |set| set.lineage);
                rebased = rebased.without_at(at, lineage);
            }
        }
        let Some(set) = &self.set else { return rebased };
        for (at, (id, entry)) in set.iter().enumerate() {
            let is_in = |set: &Fields| set.find(id).is_some_and(|theirs| ptr::eq(theirs, entry));
            // Where `other` has it already, nothing need be made.
            if !is_in(base) && !is_in(&rebased) {
                rebased = rebased.with_shared(Shared::of(set, at));
            }
        }
        rebased
    }

    fn find(&self, id: usize) -> Option<&Entry> {
        self.set.as_ref()?.entry(id)
    }

    fn position(&self, id: usize) -> Result<usize, usize> {
        self.set.as_ref().map_or(Err(0), |set| set.position(id))
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
