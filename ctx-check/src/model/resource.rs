//! A resource: the service that telemetry comes from.

use super::{Attribute, attribute::find};

/// The attributes of a service, or of one instance of it.
#[derive(Clone, Debug, Default)]
pub struct Resource<'a> {
    /// The attributes.
    pub attributes: Vec<Attribute<'a>>,
}

impl Resource<'_> {
    /// Returns the value of an attribute.
    pub fn get(&self, key: &str) -> Option<&str> {
        find(&self.attributes, key)
    }

    /// Returns the name of the service, if there is one that is not empty.
    pub fn service(&self) -> Option<&str> {
        self.get("service.name").filter(|name| !name.is_empty())
    }
}
