//! An attribute: a key and a value, which is kept as it would be shown.

use std::borrow::Cow;

/// The type that a value had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueKind {
    /// No value, or `null`.
    #[default]
    Empty,
    /// A string.
    String,
    /// `true` or `false`.
    Bool,
    /// An integer.
    Int,
    /// A floating-point number.
    Double,
    /// An array or a map, as the JSON that it was.
    Nested,
    /// Bytes, in Base64.
    Bytes,
}

/// An attribute of a span, an event, a log record, a data point or a resource.
#[derive(Clone, Debug, Default)]
pub struct Attribute<'a> {
    /// The key.
    pub key: Cow<'a, str>,
    /// The value. The integer 7 and the string "7" are the same here.
    pub value: Cow<'a, str>,
    /// The type that the value had.
    pub kind: ValueKind,
}

/// Returns the value of a key.
pub(crate) fn find<'a>(attributes: &'a [Attribute<'_>], key: &str) -> Option<&'a str> {
    attributes.iter().find(|attribute| attribute.key == key).map(|attribute| &*attribute.value)
}
