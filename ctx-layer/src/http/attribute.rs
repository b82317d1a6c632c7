//! What may stand on a span.

use tracing::field::{Empty, Value};

/// What may stand on a span. Where there is none, outputs need not be asked to look.
pub(super) trait Attribute {
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
