//! The immutable set of values that stands in a context.

use std::{fmt, sync::Arc};

#[cfg(feature = "json")]
use super::encoded::Encoded;
use super::{
    calls::Call,
    declaration::Declaration,
    key::{ContextField, FieldType},
    policy::Sensitivity,
    slots::{Set, Shared},
    value::{Entry, shown_as_it_is},
};

/// A set of field values: immutable, and cloned by counting a reference.
///
/// [`with`](Self::with) and [`without`](Self::without) set and unset fields in it. [`attach`](Self::attach) makes these
/// changes to what is current; [`replace`](Self::replace) makes this set all that is current. [`current`](Self::current)
/// returns what is current.
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
/// Values that are set one upon another stand in one allocation, until somebody else has the set, too. A value that is
/// replaced or taken out later is dropped with the last set that was made from that one.
#[derive(Clone, Default)]
#[must_use = "a set does nothing until it is used: by `attach`, `in_scope`, `with_fields` or `replace`"]
pub struct Fields {
    /// `None` where nothing was ever set, which so costs nothing.
    set: Option<Arc<Set>>,
}

impl Fields {
    /// The empty set. Allocates nothing.
    pub const fn new() -> Self {
        Fields { set: None }
    }

    /// The set with `field` set to `value`, whatever it was before.
    ///
    /// Values longer than the field's maximum are kept whole for who reads them and cut on spans and events; control
    /// characters are shown as `\u{fffd}` there.
    ///
    /// # Panics
    /// When the value's `Display` panics.
    pub fn with<T: FieldType>(self, field: &'static ContextField<T>, value: impl Into<T>) -> Self {
        field.declaration().note_set();
        match shown_as_it_is(field.declaration(), value.into()) {
            Ok(text) => self.with_text(field.declaration(), text),
            Err(value) => self.with_entry(Entry::of_other(field.declaration(), value)),
        }
    }

    /// Returns the set with `field` unset.
    ///
    /// Where the set is [attached](Self::attach), the field has no value, whatever it was before: that of baggage does
    /// not count either.
    pub fn without<T: FieldType>(self, field: &'static ContextField<T>) -> Self {
        let id = field.declaration().id();
        self.changed(|set| set.unset(id))
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

    /// This set as a call leaves it that makes the changes of another.
    #[inline]
    pub(crate) fn changed_by(self, changes: Fields, call: Call) -> Self {
        match self.set {
            _ if changes.is_blank() => self,
            // It takes the changes over as they are.
            None => changes.replaced_by(call),
            Some(_) => self.with_changes(&changes).made_by(call),
        }
    }

    /// This set with the changes of another.
    fn with_changes(self, changes: &Fields) -> Self {
        let Some(changes) = &changes.set else { return self };
        let Some(mine) = self.set else { return Fields { set: Some(changes.clone()) } };
        let set = if mine.is_beginning() { Set::on(&mine) } else { mine };
        Fields { set: Some(set) }.changed(|set| {
            for (id, change) in changes.changes() {
                match change {
                    Some(shared) => set.set_shared(shared),
                    None => set.unset(id),
                }
            }
        })
    }

    /// This set with a value that was recorded on a span, unless it was made by that call already.
    pub(crate) fn with_recorded(self, call: Call, value: &Shared) -> Self {
        if self.has_call(call) {
            return self;
        }
        let set = match self.set {
            Some(set) if set.is_beginning() => Set::on(&set),
            Some(set) => set,
            None => Set::on(&Arc::default()),
        };
        Fields { set: Some(set) }.changed(|set| {
            set.set_shared(value.clone());
            set.calls.add(call);
        })
    }

    /// This set as made by these calls, too.
    pub(crate) fn with_calls(self, calls: &[Call]) -> Self {
        if calls.iter().all(|call| self.has_call(*call)) {
            return self;
        }
        self.changed(|set| calls.iter().for_each(|call| set.calls.add_if_missing(*call)))
    }

    /// The set as a call made it of the set below.
    #[inline]
    pub(crate) fn made_by(self, call: Call) -> Self {
        self.changed(|set| set.calls.add(call))
    }

    /// The set as a call gave it in place of whatever was current.
    #[inline]
    pub(crate) fn replaced_by(self, call: Call) -> Self {
        self.changed(|set| set.calls.replace(call))
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
            #[cfg(feature = "json")]
            set.encodings.clear();
            change(set);
        }
        Fields { set: Some(set) }
    }

    /// The value of `field` in this set.
    pub fn get<T: FieldType>(&self, field: &'static ContextField<T>) -> Option<&T> {
        self.entry(field.declaration())?.downcast()
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.entries().count()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.entries().next().is_none()
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
        let set = self.set.as_ref()?;
        Shared::of(set, set.position(declaration.id()).ok()?)
    }

    /// Whether the program set the field, or unset it: then baggage is not its value.
    pub(crate) fn is_decided(&self, declaration: &Declaration) -> bool {
        self.set.as_ref().is_some_and(|set| set.position(declaration.id()).is_ok())
    }

    /// The values, each with the number of its field.
    // Of a set that is always there: an iterator over what may not be takes some nanoseconds more for each value.
    #[inline]
    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        static NONE: Set = Set::new();
        self.set.as_deref().unwrap_or(&NONE).iter()
    }

    /// Whether nothing was ever set: a set in which all fields are unset is empty, but not blank.
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

    /// Returns `true` if this set was made from `other`: by setting, unsetting or recording more, or nothing.
    ///
    /// By the calls alone: two requests of one tenant are two requests, though their values are equal.
    #[inline]
    pub(crate) fn descends_from(&self, other: &Fields) -> bool {
        match (&self.set, &other.set) {
            (_, None) => true,
            (None, Some(other)) => other.calls.is_empty(),
            (Some(mine), Some(other)) => Arc::ptr_eq(mine, other) || mine.calls.include(&other.calls),
        }
    }

    /// Returns `true` if one of the two was made from the other.
    pub(crate) fn is_related_to(&self, other: &Fields) -> bool {
        self.descends_from(other) || other.descends_from(self)
    }

    pub(crate) fn has_call(&self, call: Call) -> bool {
        self.set.as_ref().is_some_and(|set| set.calls.contains(call))
    }

    /// What an output has encoded of this set under a key.
    #[cfg(feature = "json")]
    #[inline]
    pub(crate) fn encoded(&self, key: u64) -> Option<&Encoded> {
        self.set.as_ref()?.encodings.get(key)
    }

    /// Keeps what an output has encoded of this set; `None` for the blank one.
    #[cfg(feature = "json")]
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
