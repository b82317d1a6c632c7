//! The settings of a producer.

use std::fmt;

use crate::{
    messaging::{
        destination::{Destination, Name},
        metrics::{Composed, Measured, Metrics},
    },
    propagation::{Boundary, Outbound},
};

#[derive(Clone)]
pub(super) struct ProducerSettings {
    pub(super) destination: Destination,
    pub(super) operation: Name,
    pub(super) send_name: String,
    pub(super) create_name: String,
    pub(super) boundary: &'static Boundary,
    pub(super) outbound: Outbound,
    pub(super) metrics: Metrics,
    /// The attributes of the metrics of a send.
    pub(super) composed: Composed,
}

impl ProducerSettings {
    /// Composes what depends on the other settings.
    pub(super) fn compose(&mut self) {
        self.send_name = self.destination.span_name(&self.operation);
        self.create_name = self.destination.span_name("create");
        self.composed = Composed::of(&Measured { composed: None, ..self.measured() });
    }

    pub(super) fn measured(&self) -> Measured<'_> {
        Measured {
            name: &self.operation,
            kind: "send",
            destination: &self.destination,
            group: None,
            subscription: None,
            error: None,
            composed: Some(&self.composed),
        }
    }
}

impl fmt::Debug for ProducerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer")
            .field("destination", &self.destination)
            .field("operation_name", &self.operation)
            .field("boundary", &self.boundary.name())
            .field("outbound", &self.outbound)
            .finish_non_exhaustive()
    }
}
