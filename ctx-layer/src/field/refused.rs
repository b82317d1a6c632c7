//! Why a value is refused.

/// Why a text from outside is not a field's value, or a value would be none where it is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Baggage does not count for the field.
    NotFromBaggage,
    /// It is empty.
    Empty,
    /// It is longer than the field allows.
    TooLong,
    /// It has control characters.
    ControlCharacters,
    /// It has characters that are not seen, such as zero-width ones.
    Invisible,
    /// It is an infinite number, or none.
    NotFinite,
    /// The field's type has no parser, or refuses the text.
    WrongType,
}
