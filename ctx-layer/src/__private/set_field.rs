//! Setting context fields from arguments.

use std::fmt;

use tracing::field::Value;

pub use crate::context::Setting;
use crate::{
    context::WithFields,
    field::{ContextField, Declaration, FieldType, Fields},
    observe::REDACTED,
};

/// A field and the argument that it is set to, converted in the best available way.
pub struct SetField<'a, T: 'static, V: ?Sized>(pub &'static ContextField<T>, pub &'a V);

/// Runs a future or a stream with these fields.
pub fn in_fields<F>(setting: Setting, body: F) -> WithFields<F> {
    WithFields::new(body, setting)
}

/// Returns the value to show for an argument that a field is set from, or a placeholder if the field is sensitive, by its
/// declaration or by the schema of the subscriber.
pub fn unless_sensitive<'a, T>(field: &'static ContextField<T>, value: &'a dyn Value) -> &'a dyn Value {
    let declaration: &'static Declaration = field.as_ref();
    if crate::layer::is_sensitive(declaration) { &REDACTED } else { value }
}

/// A value whose `Display` output a field can be set to.
#[diagnostic::on_unimplemented(
    message = "a field of type `{T}` cannot be set to `{Self}`",
    label = "this does not convert into `{T}`, nor does its `Display` output"
)]
pub trait AsField<T> {
    fn as_field(&self) -> T;
}

#[diagnostic::do_not_recommend]
impl<T: From<String>, V: fmt::Display + ?Sized> AsField<T> for V {
    fn as_field(&self) -> T {
        self.to_string().into()
    }
}

/// The traits that select a conversion, best first.
pub(crate) mod forms {
    use super::*;

    /// Sets a value of the field's type. It determines the type of literals.
    pub trait SetItself {
        fn set(&self, fields: Fields) -> Fields;
    }

    impl<T: FieldType> SetItself for &&&&&SetField<'_, T, T> {
        fn set(&self, fields: Fields) -> Fields {
            fields.with(self.0, self.1.clone())
        }
    }

    /// Sets the value that a reference of the field's type points to.
    pub trait SetFromReference {
        fn set(&self, fields: Fields) -> Fields;
    }

    impl<T: FieldType> SetFromReference for &&&&SetField<'_, T, &T> {
        fn set(&self, fields: Fields) -> Fields {
            fields.with(self.0, (*self.1).clone())
        }
    }

    impl<T: FieldType> SetFromReference for &&&&SetField<'_, T, Option<&T>> {
        fn set(&self, fields: Fields) -> Fields {
            match self.1 {
                Some(value) => fields.with(self.0, (*value).clone()),
                None => fields,
            }
        }
    }

    /// Sets the value of an `Option`, if it has one, converted into the field's type.
    pub trait SetFromOption {
        fn set(&self, fields: Fields) -> Fields;
    }

    impl<T: FieldType, V: Clone + Into<T>> SetFromOption for &&&SetField<'_, T, Option<V>> {
        fn set(&self, fields: Fields) -> Fields {
            match self.1 {
                Some(value) => fields.with(self.0, value.clone()),
                None => fields,
            }
        }
    }

    /// Sets a value that can be converted into the field's type.
    pub trait SetFromInto {
        fn set(&self, fields: Fields) -> Fields;
    }

    impl<T: FieldType, V: Clone + Into<T>> SetFromInto for &&SetField<'_, T, V> {
        fn set(&self, fields: Fields) -> Fields {
            fields.with(self.0, self.1.clone())
        }
    }

    /// Sets the `Display` output of the value of an `Option`, if it has one.
    pub trait SetFromDisplayOption {
        fn set(&self, fields: Fields) -> Fields;
    }

    impl<T: FieldType + From<String>, V: fmt::Display> SetFromDisplayOption for &SetField<'_, T, Option<V>> {
        fn set(&self, fields: Fields) -> Fields {
            match self.1 {
                Some(value) => fields.with(self.0, value.to_string()),
                None => fields,
            }
        }
    }

    /// Sets the `Display` output of a value. If it has none, the method's bound reports it.
    pub trait SetFromDisplay {
        type Field;
        type From: ?Sized;

        fn set(&self, fields: Fields) -> Fields
        where
            Self::From: AsField<Self::Field>;
    }

    impl<T: FieldType, V: ?Sized> SetFromDisplay for SetField<'_, T, V> {
        type Field = T;
        type From = V;

        fn set(&self, fields: Fields) -> Fields
        where
            V: AsField<T>,
        {
            fields.with(self.0, self.1.as_field())
        }
    }
}
