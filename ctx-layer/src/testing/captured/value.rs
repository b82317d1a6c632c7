use std::fmt;

use opentelemetry::logs::AnyValue;

/// A value of a captured field, attribute or label, with its type.
///
/// It is compared with Rust's own values: `value == "acme"`, `value == 3`. Integers of different signedness are equal if their
/// numbers are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A floating-point number.
    F64(f64),
    /// A string, or the text of a value that was recorded by `Debug` or `Display`.
    String(String),
    /// Values of one type, or a list in a log record.
    Array(Vec<Value>),
}

impl Value {
    /// Returns the string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the number, if it is an integer that an `i64` can hold.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::I64(value) => Some(*value),
            Value::U64(value) => i64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// Returns the number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::I64(value) => Some(*value as f64),
            Value::U64(value) => Some(*value as f64),
            Value::F64(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns `true` if the text of the value contains `text`.
    pub(in crate::testing) fn contains(&self, text: &str) -> bool {
        match self {
            Value::String(value) => value.contains(text),
            Value::Array(values) => values.iter().any(|value| value.contains(text)),
            // A number is a secret only as a whole: `7` is in too many of them.
            other => format!("{other}") == text,
        }
    }
}

impl fmt::Display for Value {
    /// Writes strings with quotes, as they are written in [`trace!`](crate::testing::trace!).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(value) => value.fmt(f),
            Value::I64(value) => value.fmt(f),
            Value::U64(value) => value.fmt(f),
            Value::F64(value) => write!(f, "{value:?}"),
            Value::String(value) => write!(f, "{value:?}"),
            Value::Array(values) => {
                f.write_str("[")?;
                for (at, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Bool(one), Value::Bool(other)) => one == other,
            (Value::F64(one), Value::F64(other)) => one == other || (one.is_nan() && other.is_nan()),
            (Value::String(one), Value::String(other)) => one == other,
            (Value::Array(one), Value::Array(other)) => one == other,
            (Value::U64(one), Value::U64(other)) => one == other,
            (one, other) => one.as_i64().is_some_and(|one| other.as_i64() == Some(one)),
        }
    }
}

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(other)
    }
}

macro_rules! from_and_eq {
    ($($type:ty => $value:ident => $variant:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $variant
            }
        }

        impl PartialEq<$type> for Value {
            fn eq(&self, other: &$type) -> bool {
                let $value = other.clone();
                let other: Value = $variant;
                *self == other
            }
        }
    )*};
}

from_and_eq! {
    bool => value => Value::Bool(value);
    i32 => value => Value::I64(value.into());
    i64 => value => Value::I64(value);
    u16 => value => Value::U64(value.into());
    u32 => value => Value::U64(value.into());
    u64 => value => Value::U64(value);
    usize => value => Value::U64(value as u64);
    f64 => value => Value::F64(value);
    String => value => Value::String(value);
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::String(value.to_owned())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Value::String(value.clone())
    }
}

impl From<opentelemetry::Value> for Value {
    fn from(value: opentelemetry::Value) -> Self {
        use opentelemetry::Array;
        match value {
            opentelemetry::Value::Bool(value) => Value::Bool(value),
            opentelemetry::Value::I64(value) => Value::I64(value),
            opentelemetry::Value::F64(value) => Value::F64(value),
            opentelemetry::Value::Array(Array::Bool(values)) => {
                Value::Array(values.into_iter().map(Into::into).collect())
            }
            opentelemetry::Value::Array(Array::I64(values)) => {
                Value::Array(values.into_iter().map(Into::into).collect())
            }
            opentelemetry::Value::Array(Array::F64(values)) => {
                Value::Array(values.into_iter().map(Into::into).collect())
            }
            opentelemetry::Value::Array(Array::String(values)) => {
                Value::Array(values.into_iter().map(|value| value.as_str().into()).collect())
            }
            other => Value::String(other.to_string()),
        }
    }
}

impl From<&AnyValue> for Value {
    fn from(value: &AnyValue) -> Self {
        match value {
            AnyValue::Int(value) => Value::I64(*value),
            AnyValue::Double(value) => Value::F64(*value),
            AnyValue::Boolean(value) => Value::Bool(*value),
            AnyValue::String(value) => Value::String(value.as_str().to_owned()),
            AnyValue::ListAny(values) => Value::Array(values.iter().map(Value::from).collect()),
            other => Value::String(format!("{other:?}")),
        }
    }
}

/// Fields in the order in which they were set.
pub(in crate::testing) type Fields = Vec<(String, Value)>;

/// Returns the value of a field. If it was set more than once, the last one counts, as it does in exporters.
pub(super) fn find<'a>(fields: &'a [(String, Value)], name: &str) -> Option<&'a Value> {
    fields.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
}
