//! The limits of a field.

use serde::Deserialize;

/// The limits of a field.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The key.
    pub name: String,
    /// How many values of it a service may write.
    pub max_distinct: u64,
}
