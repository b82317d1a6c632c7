//! Parsing a string that was received as a field's value.

use std::{any::TypeId, fmt, marker::PhantomData, str::FromStr};

use super::{
    field_string::FieldString,
    field_type::FieldType,
    policy::Policy,
    refused::Refused,
    value::{FieldValue, OutputValue, is_finite},
};

/// A function that parses a value. Opaque; created by [`context_fields!`](crate::context_fields).
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Parse(pub(super) fn(&Policy, &str) -> Result<FieldValue, Refused>);

impl fmt::Debug for Parse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parse")
    }
}

/// Detects at compile time whether a type implements `FromStr`.
///
/// An inherent constant takes precedence over one of a trait: `Parser::<T>::PARSE` is `Some` if `T: FromStr`, otherwise
/// [`NoParser`]'s `None`. This works only for a concrete `T`, as in [`context_fields!`](crate::context_fields).
#[doc(hidden)]
#[derive(Debug)]
pub struct Parser<T>(PhantomData<T>);

#[doc(hidden)]
pub trait NoParser {
    /// The fallback for types without a parser.
    const PARSE: Option<Parse> = None;
}

impl<T> NoParser for Parser<T> {}

impl<T: FieldType + FromStr> Parser<T> {
    /// The parser.
    pub const PARSE: Option<Parse> = Some(Parse(parse::<T>));
}

/// Parses a string that passed the checks for all types as a field's type.
fn parse<T: FieldType + FromStr>(policy: &Policy, text: &str) -> Result<FieldValue, Refused> {
    if TypeId::of::<T>() == TypeId::of::<FieldString>() && !text.is_empty() {
        return Ok(FieldValue::of_unchanged(policy, OutputValue::Text(text.into())));
    }
    if TypeId::of::<T>() == TypeId::of::<String>() && !text.is_empty() {
        return Ok(FieldValue::of_unchanged(policy, OutputValue::String(text.to_owned())));
    }
    Ok(FieldValue::new(policy, parse_as::<T>(text)?))
}

pub(super) fn parse_as<T: FromStr + 'static>(text: &str) -> Result<T, Refused> {
    let value = text.parse::<T>().map_err(|_| Refused::WrongType)?;
    if text.is_empty() {
        return Err(Refused::Empty);
    }
    if is_finite(&value) { Ok(value) } else { Err(Refused::NotFinite) }
}
