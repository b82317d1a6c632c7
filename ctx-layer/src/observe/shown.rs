//! A value in the form in which a field shows it.

use tracing::field::Value;

/// The placeholder for a value that must not be shown.
pub const REDACTED: &str = "[redacted]";

/// Returns the selected form of an argument as a field's value.
pub fn value(found: &impl Shown) -> &dyn Value {
    found.value()
}

/// A form that can be shown as a field's value.
pub trait Shown {
    fn value(&self) -> &dyn Value;
}

impl<T: Value> Shown for T {
    fn value(&self) -> &dyn Value {
        self
    }
}
