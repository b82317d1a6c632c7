//! Why a value is refused.

/// Why an external value is refused, or why a recipient would refuse a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The field does not accept baggage.
    NotFromBaggage,
    /// The value is empty.
    Empty,
    /// The value is longer than the field allows.
    TooLong,
    /// The value has control characters.
    ControlCharacters,
    /// The value has invisible characters, such as zero-width ones.
    Invisible,
    /// The value is infinite or not a number.
    NotFinite,
    /// The field's type has no parser, or the parser fails.
    WrongType,
}
