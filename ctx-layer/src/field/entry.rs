//! The value of a field in a set.

#[cfg(feature = "hashed")]
use std::cell::Cell;
use std::{any::Any, fmt, sync::OnceLock};

use tracing_core::field::Value;

#[cfg(feature = "_output")]
use super::value::Visible;
use super::{
    declaration::Declaration,
    field_type::FieldType,
    number::{self, NumberText},
    policy::Sensitivity,
    refused::Refused,
    value::{FieldValue, OutputValue, into_unchanged, is_text},
};

/// The string that replaces a masked value.
pub(crate) const MASK: &str = "[redacted]";

/// A field's value, created once when it is set, and shared from then on.
pub(crate) struct Entry {
    declaration: &'static Declaration,
    value: FieldValue,
    /// The string of a value whose type `tracing` does not know, once an output of another crate has shown it.
    copy: OnceLock<String>,
    #[cfg(feature = "hashed")]
    hashed: OnceLock<Box<str>>,
}

impl Entry {
    /// Creates the entry of a value that the program sets.
    pub(crate) fn new<T: FieldType>(declaration: &'static Declaration, value: T) -> Entry {
        declaration.note_set();
        match into_unchanged(declaration.policy(), value) {
            Ok(shown) => Entry::of_unchanged(declaration, shown),
            Err(value) => Entry::of_other(declaration, value),
        }
    }

    /// Creates the entry of a value.
    #[inline(always)]
    pub(super) fn of(declaration: &'static Declaration, value: FieldValue) -> Entry {
        Entry {
            declaration,
            value,
            copy: OnceLock::new(),
            #[cfg(feature = "hashed")]
            hashed: OnceLock::new(),
        }
    }

    /// Creates the entry of a string that is shown [unchanged](into_unchanged).
    #[inline(always)]
    pub(super) fn of_unchanged(declaration: &'static Declaration, shown: OutputValue) -> Entry {
        Entry::of(declaration, FieldValue::of_unchanged(declaration.policy(), shown))
    }

    /// Creates the entry of any other value.
    pub(super) fn of_other<T: FieldType>(declaration: &'static Declaration, value: T) -> Entry {
        let value = FieldValue::of_other(declaration.policy(), value);
        if value.refused == Some(Refused::NotFinite) {
            declaration.warn_not_finite();
        }
        Entry::of(declaration, value)
    }

    /// Hashes a value that is shown as a hash. Called before the value is current, so that a `Display` that logs does
    /// not recurse.
    #[inline]
    pub(super) fn prepare(&self) {
        #[cfg(feature = "hashed")]
        if self.declaration.policy().sensitivity() == Sensitivity::Hashed {
            self.hashed();
        }
    }

    pub(crate) fn declaration(&self) -> &'static Declaration {
        self.declaration
    }

    /// Returns the user's value if it has type `T`. An empty string and a number that is not finite count as no value.
    /// A value of another type with an empty string is returned.
    pub(crate) fn downcast<T: 'static>(&self) -> Option<&T> {
        if let OutputValue::Nothing = self.value.shown
            && (self.value.refused == Some(Refused::NotFinite) || is_text::<T>())
        {
            return None;
        }
        match (&self.value.value, &self.value.shown) {
            (Some(value), _) => (**value).as_any().downcast_ref(),
            (None, OutputValue::Text(text)) => (text as &dyn Any).downcast_ref(),
            (None, OutputValue::String(text)) => (text as &dyn Any).downcast_ref(),
            // Unreachable: only strings have no boxed value.
            (None, _) => None,
        }
    }

    /// Returns the user's value, uncut and in plain text.
    #[cfg(feature = "hashed")]
    fn raw(&self) -> &dyn fmt::Display {
        match &self.value.value {
            Some(value) => &**value,
            None => &self.value.shown,
        }
    }

    /// Returns the value in plain text, to be sent.
    ///
    /// # Errors
    /// Returns why a recipient that has the field would refuse the value, so that the loss is counted here.
    pub(crate) fn to_send(&self) -> Result<Sent<'_>, Refused> {
        if let Some(refused) = self.value.refused {
            return Err(refused);
        }
        let number = match (&self.value.shown, self.downcast::<f32>()) {
            (OutputValue::Text(text), _) => return Ok(Sent::Text(text)),
            (OutputValue::String(text), _) => return Ok(Sent::Text(text)),
            (_, Some(float)) => number::shortest(*float),
            (OutputValue::F64(float), _) => number::shortest(*float),
            (other, _) => number::text_of(other),
        };
        if number.as_str().len() > self.declaration.policy().max_text_len() {
            return Err(Refused::TooLong);
        }
        Ok(Sent::Number(number))
    }

    /// Returns the value that outputs show.
    #[inline]
    pub(crate) fn as_value(&self, sensitivity: Sensitivity) -> &(dyn Value + 'static) {
        // Nearly all values are plain strings that were copied before: two comparisons instead of two jump tables.
        if sensitivity == Sensitivity::Public
            && let Some(copy) = self.copy.get()
        {
            return copy;
        }
        self.as_any_value(sensitivity)
    }

    fn as_any_value(&self, sensitivity: Sensitivity) -> &(dyn Value + 'static) {
        match (sensitivity, &self.value.shown) {
            (Sensitivity::Public, shown) | (_, shown @ OutputValue::Nothing) => shown.as_value(&self.copy),
            #[cfg(feature = "hashed")]
            (Sensitivity::Hashed, _) => match self.hashed() {
                Some(hashed) => hashed,
                None => &MASK,
            },
            (_, _) => &MASK,
        }
    }

    /// Returns the value for an output that encodes values itself; `None` if there is nothing to show.
    #[cfg(feature = "_output")]
    pub(crate) fn visible(&self, sensitivity: Sensitivity) -> Option<Visible<'_>> {
        Some(match (sensitivity, &self.value.shown) {
            (_, OutputValue::Nothing) => return None,
            (Sensitivity::Public, OutputValue::Text(text)) => Visible::Text(text),
            (Sensitivity::Public, OutputValue::String(text)) => Visible::Text(text),
            (Sensitivity::Public, OutputValue::Bool(value)) => Visible::Bool(*value),
            (Sensitivity::Public, OutputValue::I64(value)) => Visible::I64(*value),
            (Sensitivity::Public, OutputValue::U64(value)) => Visible::U64(*value),
            (Sensitivity::Public, OutputValue::F64(value)) => Visible::F64(*value),
            #[cfg(feature = "hashed")]
            (Sensitivity::Hashed, _) => Visible::Text(self.hashed().map_or(MASK, |hashed| hashed)),
            (_, _) => Visible::Text(MASK),
        })
    }

    #[cfg(feature = "hashed")]
    /// Returns the hash; `None` if the value is being hashed, and its `Display` logs.
    #[allow(clippy::borrowed_box)] // `str` itself cannot be passed on as a `dyn Value`.
    fn hashed(&self) -> Option<&Box<str>> {
        thread_local! {
            static HASHING: Cell<bool> = const { Cell::new(false) };
        }
        if let Some(hashed) = self.hashed.get() {
            return Some(hashed);
        }
        /// Resets the flag, even if the value's `Display` panics.
        struct Hashing;
        impl Drop for Hashing {
            fn drop(&mut self) {
                HASHING.set(false);
            }
        }
        if HASHING.replace(true) {
            return None;
        }
        let hashing = Hashing;
        let hashed = super::hash::hashed(self.declaration.name(), self.raw());
        drop(hashing);
        Some(self.hashed.get_or_init(|| hashed))
    }

    /// Returns `true` if the value may be kept a little longer than its owner needs it.
    pub(crate) fn is_plain(&self) -> bool {
        self.value.is_plain
    }

    /// Returns the value as outputs show it by its declared policy.
    pub(crate) fn display(&self) -> &dyn fmt::Display {
        match self.declaration.policy().sensitivity() {
            Sensitivity::Public => &self.value.shown,
            Sensitivity::Masked | Sensitivity::Hashed => &MASK,
        }
    }
}

/// A value as it is sent.
pub(crate) enum Sent<'a> {
    Text(&'a str),
    Number(NumberText),
}

impl Sent<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Sent::Text(text) => text,
            Sent::Number(number) => number.as_str(),
        }
    }
}
