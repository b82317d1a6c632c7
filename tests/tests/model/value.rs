//! Fields and their values, as the model and the programs name them.

use std::fmt;

use ctx_layer::{
    ContextField, Fields,
    field::{
        FieldString,
        well_known::{ROLE, TENANT_ID, USER_ID},
    },
};

/// The fields that programs set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Tenant,
    User,
    /// A field that ignores baggage, by its policy.
    Role,
}

pub(crate) const FIELDS: [Field; 3] = [Field::Tenant, Field::User, Field::Role];

impl Field {
    pub(crate) fn key(self) -> &'static ContextField<FieldString> {
        match self {
            Field::Tenant => &TENANT_ID,
            Field::User => &USER_ID,
            Field::Role => &ROLE,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Field::Tenant => "tenant_id",
            Field::User => "user_id",
            Field::Role => "role",
        }
    }

    pub(crate) fn takes_baggage(self) -> bool {
        self != Field::Role
    }

    /// Returns the string of a value of this field.
    pub(crate) fn text(self, value: Call) -> String {
        format!("{}{}", &self.name()[..1], value.0)
    }
}

/// A call that sets, unsets, replaces, isolates, extracts or records. It sets values with its own number, so that each
/// value in a program is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call(pub(crate) u32);

/// The change of one field by one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) field: Field,
    /// Otherwise the field is unset.
    pub(crate) is_set: bool,
}

/// Returns the `Fields` of these changes.
pub(crate) fn bag(changes: &[Change], call: Call) -> Fields {
    changes.iter().fold(Fields::new(), |fields, change| match change.is_set {
        true => fields.with(change.field.key(), change.field.text(call)),
        false => fields.without(change.field.key()),
    })
}

/// The values of the three fields.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Values(pub(crate) [Option<Call>; 3]);

impl Values {
    /// Parses values from strings.
    pub(crate) fn read(read: impl Fn(Field) -> Option<String>) -> Self {
        Values(FIELDS.map(|field| read(field).map(|text| parse(field, &text))))
    }
}

/// Returns the number in a value's string. A value that is not of this field is shown as such.
pub(crate) fn parse(field: Field, text: &str) -> Call {
    let number = text.strip_prefix(&field.name()[..1]).and_then(|number| number.parse().ok());
    Call(number.unwrap_or(u32::MAX))
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        write!(f, "[")?;
        for (field, value) in FIELDS.into_iter().zip(self.0) {
            if let Some(value) = value {
                write!(f, "{separator}{}", field.text(value))?;
                separator = " ";
            }
        }
        write!(f, "]")
    }
}
