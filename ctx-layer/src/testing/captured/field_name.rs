use crate::field::{ContextField, FieldType};

/// The name of a field: a string, or a declared field.
pub trait FieldName {
    /// Returns the name.
    fn as_name(&self) -> &str;
}

impl FieldName for str {
    fn as_name(&self) -> &str {
        self
    }
}

impl FieldName for String {
    fn as_name(&self) -> &str {
        self
    }
}

impl<T: FieldType> FieldName for ContextField<T> {
    fn as_name(&self) -> &str {
        self.name()
    }
}

impl<N: FieldName + ?Sized> FieldName for &N {
    fn as_name(&self) -> &str {
        (**self).as_name()
    }
}
