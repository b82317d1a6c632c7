//! The settings of a producer.

use std::fmt;

use crate::{
    messaging::{
        destination::{Destination, Name},
        metrics::Metrics,
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
