//! One stored value: the typed one for the program, and the one that outputs show.

use std::{
    any::{Any, TypeId},
    fmt,
    marker::PhantomData,
    mem,
    str::FromStr,
};
#[cfg(feature = "hashed")]
use std::{cell::Cell, sync::OnceLock};

use tracing_core::field::{Empty, Value};

use super::{
    declaration::{Declaration, Parse},
    fields::Fields,
    key::FieldType,
    number::{self, NumberText},
    policy::Sensitivity,
    presenter::{self, Change},
    refused::Refused,
};

/// The string that replaces a masked value.
pub(crate) const MASK: &str = "[redacted]";

/// A value in the primitive types of `tracing` and OpenTelemetry attributes.
#[derive(Debug, PartialEq)]
pub(crate) enum OutputValue {
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    /// Not a `Box<str>`, which `tracing` visits with one more virtual call.
    Text(String),
    /// An empty string, which identifies nothing, or a number that is not finite, which outputs cannot write.
    Nothing,
}

impl OutputValue {
    fn as_value(&self) -> &(dyn Value + 'static) {
        match self {
            OutputValue::Bool(v) => v,
            OutputValue::I64(v) => v,
            OutputValue::U64(v) => v,
            OutputValue::F64(v) => v,
            OutputValue::Text(v) => v,
            OutputValue::Nothing => &Empty,
        }
    }
}

impl fmt::Display for OutputValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutputValue::Bool(v) => v.fmt(f),
            OutputValue::I64(v) => v.fmt(f),
            OutputValue::U64(v) => v.fmt(f),
            OutputValue::F64(v) => v.fmt(f),
            OutputValue::Text(v) => v.fmt(f),
            OutputValue::Nothing => Ok(()),
        }
    }
}

/// A value for an output that encodes values itself.
#[cfg(feature = "json")]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Visible<'a> {
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Text(&'a str),
}

/// The user's value, type-erased.
pub(crate) trait Erased: fmt::Display + Send + Sync {
    fn as_any(&self) -> &dyn Any;
}

impl<T: FieldType> Erased for T {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A field's value, created once when it is set, and shared from then on.
pub(crate) struct Entry {
    declaration: &'static Declaration,
    shown: OutputValue,
    /// Dropping the value only frees memory, and the value is not sensitive.
    is_plain: bool,
    /// Why a recipient would refuse the value.
    refused: Option<Refused>,
    #[cfg(feature = "hashed")]
    hashed: OnceLock<Box<str>>,
    /// Boxed, so that the fields read on every event have a fixed place. `None` if the value is a `String` that is
    /// shown unchanged: it is then in `shown` only.
    value: Option<Box<dyn Erased>>,
}

impl Entry {
    /// Creates the entry of a value that the program sets.
    pub(crate) fn new<T: FieldType>(declaration: &'static Declaration, value: T) -> Entry {
        declaration.note_set();
        Entry::received(declaration, value)
    }

    /// Creates the entry of a value that was received.
    fn received<T: FieldType>(declaration: &'static Declaration, value: T) -> Entry {
        match into_unchanged_string(declaration, value) {
            Ok(text) => Entry::of_text(declaration, text),
            Err(value) => Entry::of_other(declaration, value),
        }
    }

    /// Creates the entry of a `String` that is shown unchanged.
    #[inline(always)]
    pub(super) fn of_text(declaration: &'static Declaration, text: String) -> Entry {
        let is_plain = declaration.policy().sensitivity() == Sensitivity::Public;
        Entry {
            declaration,
            shown: OutputValue::Text(text),
            is_plain,
            refused: None,
            #[cfg(feature = "hashed")]
            hashed: OnceLock::new(),
            value: None,
        }
    }

    /// Creates the entry of any other value.
    pub(super) fn of_other<T: FieldType>(declaration: &'static Declaration, value: T) -> Entry {
        let (shown, refused) = show(&value, declaration.policy().max_text_len());
        if refused == Some(Refused::NotFinite) {
            declaration.warn_not_finite();
        }
        let any: &dyn Any = &value;
        let is_text = any.is::<String>() || any.is::<&'static str>();
        let is_public = declaration.policy().sensitivity() == Sensitivity::Public;
        let is_plain = is_public && (is_text || !matches!(shown, OutputValue::Text(_)));
        Entry {
            declaration,
            shown,
            is_plain,
            refused,
            #[cfg(feature = "hashed")]
            hashed: OnceLock::new(),
            value: Some(Box::new(value)),
        }
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
        if let OutputValue::Nothing = self.shown
            && (self.refused == Some(Refused::NotFinite) || is_text::<T>())
        {
            return None;
        }
        match (&self.value, &self.shown) {
            (Some(value), _) => (**value).as_any().downcast_ref(),
            (None, OutputValue::Text(text)) => (text as &dyn Any).downcast_ref(),
            // Unreachable: only strings have no boxed value.
            (None, _) => None,
        }
    }

    /// Returns the user's value, uncut and in plain text.
    #[cfg(feature = "hashed")]
    fn raw(&self) -> &dyn fmt::Display {
        match &self.value {
            Some(value) => &**value,
            None => &self.shown,
        }
    }

    /// Returns the value in plain text, to be sent.
    ///
    /// # Errors
    /// Returns why a recipient that has the field would refuse the value, so that the loss is counted here.
    pub(crate) fn to_send(&self) -> Result<Sent<'_>, Refused> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        let number = match (&self.shown, self.downcast::<f32>()) {
            (OutputValue::Text(text), _) => return Ok(Sent::Text(text)),
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
        // Nearly all values are plain strings: two comparisons instead of two jump tables.
        if let (Sensitivity::Public, OutputValue::Text(text)) = (sensitivity, &self.shown) {
            return text;
        }
        self.as_any_value(sensitivity)
    }

    fn as_any_value(&self, sensitivity: Sensitivity) -> &(dyn Value + 'static) {
        if let OutputValue::Nothing = self.shown {
            return self.shown.as_value();
        }
        match sensitivity {
            Sensitivity::Public => self.shown.as_value(),
            Sensitivity::Masked => &MASK,
            #[cfg(feature = "hashed")]
            Sensitivity::Hashed => match self.hashed() {
                Some(hashed) => hashed,
                None => &MASK,
            },
            #[cfg(not(feature = "hashed"))]
            Sensitivity::Hashed => &MASK,
        }
    }

    /// Returns the value for an output that encodes values itself; `None` if there is nothing to show.
    #[cfg(feature = "json")]
    pub(crate) fn visible(&self, sensitivity: Sensitivity) -> Option<Visible<'_>> {
        Some(match (sensitivity, &self.shown) {
            (_, OutputValue::Nothing) => return None,
            (Sensitivity::Public, OutputValue::Text(text)) => Visible::Text(text),
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
        self.is_plain
    }

    /// Returns the value as outputs show it by its declared policy.
    pub(crate) fn display(&self) -> &dyn fmt::Display {
        match self.declaration.policy().sensitivity() {
            Sensitivity::Public => &self.shown,
            Sensitivity::Masked | Sensitivity::Hashed => &MASK,
        }
    }
}

/// Returns a `String` that is shown unchanged, moved and not copied. Returns any other value as the error.
#[inline]
pub(super) fn into_unchanged_string<T: FieldType>(declaration: &Declaration, value: T) -> Result<String, T> {
    let max_len = declaration.policy().max_text_len();
    let mut value = Some(value);
    let any: &mut dyn Any = &mut value;
    if let Some(text) = any.downcast_mut::<Option<String>>()
        && text.as_ref().is_some_and(|text| presenter::is_presentable(text, max_len))
        && let Some(text) = text.take()
    {
        return Ok(text);
    }
    // The value is only taken where this function returns above.
    value.map_or_else(|| Ok(String::new()), Err)
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

/// Returns the value as the primitive of its type, otherwise as a string, and why a recipient would refuse it.
fn show<T: FieldType>(value: &T, max_len: usize) -> (OutputValue, Option<Refused>) {
    macro_rules! primitives {
        ($($type:ty => $shown:expr),* $(,)?) => {
            $(if let Some(value) = (value as &dyn Any).downcast_ref::<$type>() {
                return ($shown(*value), None);
            })*
        };
    }
    if !is_finite(value) {
        return (OutputValue::Nothing, Some(Refused::NotFinite));
    }
    primitives!(
        bool => OutputValue::Bool,
        i64 => OutputValue::I64, i32 => signed, i16 => signed, i8 => signed, isize => |v| OutputValue::I64(v as i64),
        u64 => unsigned, u32 => unsigned, u16 => unsigned, u8 => unsigned, usize => |v| unsigned(v as u64),
        f64 => OutputValue::F64, f32 => |v| OutputValue::F64(f64::from(v)),
    );
    match presenter::presentable(value, max_len) {
        (text, _) if text.is_empty() => (OutputValue::Nothing, Some(Refused::Empty)),
        (text, Change::None) => (OutputValue::Text(text), None),
        (text, Change::Replaced(refused)) => (OutputValue::Text(text), Some(refused)),
        (text, Change::Cut) => (OutputValue::Text(text), Some(Refused::TooLong)),
    }
}

fn is_text<T: 'static>() -> bool {
    [TypeId::of::<String>(), TypeId::of::<&'static str>()].contains(&TypeId::of::<T>())
}

/// Returns `false` for floats that are infinite or not a number.
fn is_finite<T: 'static>(value: &T) -> bool {
    let value: &dyn Any = value;
    value.downcast_ref::<f64>().is_none_or(|float| float.is_finite())
        && value.downcast_ref::<f32>().is_none_or(|float| float.is_finite())
}

fn signed(value: impl Into<i64>) -> OutputValue {
    OutputValue::I64(value.into())
}

/// Converts to `i64` if it fits: OpenTelemetry has no unsigned integers, and `tracing-opentelemetry` makes them
/// strings.
fn unsigned(value: impl Into<u64>) -> OutputValue {
    let value = value.into();
    i64::try_from(value).map_or(OutputValue::U64(value), OutputValue::I64)
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

/// Sets a string that [passes the checks](check_untrusted), if it parses as the field's type.
fn parse<T: FieldType + FromStr>(
    fields: &mut Fields,
    declaration: &'static Declaration,
    text: &str,
) -> Result<(), Refused> {
    if TypeId::of::<T>() == TypeId::of::<String>() && !text.is_empty() {
        *fields = mem::take(fields).with_text(declaration, text.to_owned());
        return Ok(());
    }
    let value = parse_as::<T>(text)?;
    *fields = mem::take(fields).with_entry(Entry::received(declaration, value));
    Ok(())
}

/// Parses an untrusted string as a field's value.
///
/// # Errors
/// Returns an error if the string does not [pass the checks](check_untrusted), or does not parse as the field's type.
#[cfg(feature = "http-server")]
pub(crate) fn parse_untrusted<T: FromStr + 'static>(declaration: &Declaration, untrusted: &str) -> Result<T, Refused> {
    check_untrusted(declaration, untrusted, false)?;
    parse_as(untrusted)
}

fn parse_as<T: FromStr + 'static>(text: &str) -> Result<T, Refused> {
    let value = text.parse::<T>().map_err(|_| Refused::WrongType)?;
    if text.is_empty() {
        return Err(Refused::Empty);
    }
    if is_finite(&value) { Ok(value) } else { Err(Refused::NotFinite) }
}

/// Checks an untrusted string by the rules for all types. The check for printable characters is skipped if
/// `is_printable`.
fn check_untrusted(declaration: &Declaration, untrusted: &str, is_printable: bool) -> Result<(), Refused> {
    if untrusted.len() > declaration.policy().max_text_len() {
        return Err(Refused::TooLong);
    }
    if is_printable { Ok(()) } else { presenter::check(untrusted) }
}

impl Fields {
    /// Sets a field from baggage, which is untrusted. The check for printable characters is skipped if `is_printable`.
    pub(crate) fn set_from_baggage(
        &mut self,
        declaration: &'static Declaration,
        untrusted: &str,
        is_printable: bool,
    ) -> Result<(), Refused> {
        if !declaration.policy().is_from_baggage() {
            return Err(Refused::NotFromBaggage);
        }
        check_untrusted(declaration, untrusted, is_printable)?;
        let parse = declaration.parse().ok_or(Refused::WrongType)?;
        (parse.0)(self, declaration, untrusted)
    }
}
