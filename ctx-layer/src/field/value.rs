//! A value without its field: the typed one for the program, and the one that outputs show.

use std::{
    any::{Any, TypeId},
    fmt,
    sync::OnceLock,
};

use tracing_core::field::{Empty, Value};

use super::{
    field_string::FieldString,
    field_type::{Erased, FieldType},
    policy::{Policy, Sensitivity},
    presenter::{self, Change},
    refused::Refused,
};

/// A value in the primitive types of `tracing` and OpenTelemetry attributes.
#[derive(Debug, PartialEq)]
pub(crate) enum OutputValue {
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Text(FieldString),
    /// Not a `Box<str>`, which `tracing` visits with one more virtual call.
    String(String),
    /// An empty string, which identifies nothing, or a number that is not finite, which outputs cannot write.
    Nothing,
}

impl OutputValue {
    /// Returns the value as one of `tracing`. It has none for a [`FieldString`], which is copied to a `String` the first time.
    #[inline]
    pub(super) fn as_value<'a>(&'a self, copy: &'a OnceLock<String>) -> &'a (dyn Value + 'static) {
        match self {
            OutputValue::Bool(v) => v,
            OutputValue::I64(v) => v,
            OutputValue::U64(v) => v,
            OutputValue::F64(v) => v,
            OutputValue::Text(v) => copy.get_or_init(|| v.to_string()),
            OutputValue::String(v) => v,
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
            OutputValue::String(v) => v.fmt(f),
            OutputValue::Nothing => Ok(()),
        }
    }
}

/// A value for an output that encodes values itself.
#[cfg(feature = "_output")]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Visible<'a> {
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Text(&'a str),
}

/// A value, created once when it is set.
pub(crate) struct FieldValue {
    pub(super) shown: OutputValue,
    /// Dropping the value only frees memory, and the value is not sensitive.
    pub(super) is_plain: bool,
    /// Why a recipient would refuse the value.
    pub(super) refused: Option<Refused>,
    /// Boxed, so that the fields read on every event have a fixed place. `None` if the value is a `FieldString` or
    /// a `String` that is shown unchanged: it is then in `shown` only.
    pub(super) value: Option<Box<dyn Erased>>,
}

impl FieldValue {
    /// Creates a value of a field with this policy.
    pub(super) fn new<T: FieldType>(policy: &Policy, value: T) -> Self {
        match into_unchanged(policy, value) {
            Ok(shown) => FieldValue::of_unchanged(policy, shown),
            Err(value) => FieldValue::of_other(policy, value),
        }
    }

    /// Creates a value of a string that is shown [unchanged](into_unchanged).
    #[inline(always)]
    pub(super) fn of_unchanged(policy: &Policy, shown: OutputValue) -> Self {
        let is_plain = policy.sensitivity() == Sensitivity::Public;
        FieldValue { shown, is_plain, refused: None, value: None }
    }

    /// Creates a value of any other type.
    pub(super) fn of_other<T: FieldType>(policy: &Policy, value: T) -> Self {
        let (shown, refused) = show(&value, policy.max_text_len());
        let any: &dyn Any = &value;
        let is_text = any.is::<FieldString>() || any.is::<String>() || any.is::<&'static str>();
        let is_public = policy.sensitivity() == Sensitivity::Public;
        let is_plain = is_public && (is_text || !matches!(shown, OutputValue::String(_)));
        FieldValue { shown, is_plain, refused, value: Some(Box::new(value)) }
    }
}

/// Returns a `FieldString` or a `String` that is shown unchanged, moved and not copied. Returns any other value as the error.
#[inline]
pub(super) fn into_unchanged<T: FieldType>(policy: &Policy, value: T) -> Result<OutputValue, T> {
    let is_presentable = |text: &str| presenter::is_presentable(text, policy.max_text_len());
    let mut value = Some(value);
    let any: &mut dyn Any = &mut value;
    if let Some(text) = any.downcast_mut::<Option<FieldString>>() {
        if let Some(text) = text.take_if(|text| is_presentable(text)) {
            return Ok(OutputValue::Text(text));
        }
    } else if let Some(text) = any.downcast_mut::<Option<String>>()
        && let Some(text) = text.take_if(|text| is_presentable(text))
    {
        return Ok(OutputValue::String(text));
    }
    // The value is only taken where this function returns above.
    value.map_or(Ok(OutputValue::Nothing), Err)
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
        (text, Change::None) => (OutputValue::String(text), None),
        (text, Change::Replaced(refused)) => (OutputValue::String(text), Some(refused)),
        (text, Change::Cut) => (OutputValue::String(text), Some(Refused::TooLong)),
    }
}

pub(super) fn is_text<T: 'static>() -> bool {
    [TypeId::of::<FieldString>(), TypeId::of::<String>(), TypeId::of::<&'static str>()].contains(&TypeId::of::<T>())
}

/// Returns `false` for floats that are infinite or not a number.
pub(super) fn is_finite<T: 'static>(value: &T) -> bool {
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
