//! The types of values.

use std::{any::Any, fmt};

/// A type that a field's value can have. Implemented for every type that can be displayed, cloned and sent between
/// threads.
///
/// `bool`, integers and floats keep their type on spans and events. All other types appear there as the string of their
/// [`Display`](fmt::Display). A field that propagates needs [`FromStr`](std::str::FromStr) as well.
///
/// OpenTelemetry has no unsigned integers: `u64` values above [`i64::MAX`] become strings there.
pub trait FieldType: fmt::Display + Clone + Send + Sync + 'static {}

impl<T: fmt::Display + Clone + Send + Sync + 'static> FieldType for T {}

/// The user's value, type-erased.
pub(crate) trait Erased: fmt::Display + Send + Sync {
    fn as_any(&self) -> &dyn Any;
}

impl<T: FieldType> Erased for T {
    fn as_any(&self) -> &dyn Any {
        self
    }
}
