//! Span attributes that may be missing.

use tracing::field::{Empty, Value};

/// A span attribute. Without a value, it is not passed to outputs.
pub(crate) trait Attribute {
    fn value(&self) -> Option<&dyn Value>;
}

impl Attribute for &str {
    fn value(&self) -> Option<&dyn Value> {
        Some(self)
    }
}

impl<T: Value> Attribute for Option<T> {
    fn value(&self) -> Option<&dyn Value> {
        self.as_ref().map(|value| value as &dyn Value)
    }
}

impl Attribute for Empty {
    fn value(&self) -> Option<&dyn Value> {
        None
    }
}
