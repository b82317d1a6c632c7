//! The context as it may be written where others can read it.

use crate::propagation::{Boundary, Captured, CarrierMut, Outbound};

static BOUNDARY: Boundary = Boundary::new("database");

/// A captured context without sensitive fields: others can read the log of a database.
pub(super) struct Exposed(Captured);

impl Exposed {
    /// Returns the current context.
    pub(super) fn current() -> Self {
        let mut exposed = Exposed(Captured::new());
        BOUNDARY.inject(&mut exposed, Outbound::Everything);
        exposed
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)
    }

    /// Returns the members of the baggage, encoded, without their properties.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        let members = self.get("baggage").into_iter().flat_map(|baggage| baggage.split(','));
        members.filter_map(|member| member.split(';').next()?.split_once('='))
    }
}

impl CarrierMut for Exposed {
    fn set(&mut self, key: &str, value: &str) {
        self.0.set(key, value);
    }

    fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    fn is_exposed(&self) -> bool {
        true
    }
}
