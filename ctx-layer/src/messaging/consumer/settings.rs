//! The settings of a consumer.

use std::{fmt, sync::Arc};

use crate::{
    Fields,
    messaging::{
        destination::{Destination, Name},
        metrics::{Composed, Measured, Metrics},
        trace_mode::{Cause, TraceMode},
    },
    propagation::{Boundary, Carrier, Trust},
};

type SetFields = Arc<dyn Fn(&dyn Carrier, Fields) -> Fields + Send + Sync>;
type ChooseMode = Arc<dyn Fn(Cause, Option<TraceMode>) -> TraceMode + Send + Sync>;

#[derive(Clone)]
pub(super) struct ConsumerSettings {
    pub(super) destination: Destination,
    pub(super) operation: Name,
    pub(super) process_name: String,
    pub(super) receive_name: String,
    pub(super) group: Option<Name>,
    pub(super) subscription: Option<Name>,
    pub(super) trust: Trust,
    pub(super) boundary: &'static Boundary,
    pub(super) fields: Option<SetFields>,
    pub(super) mode: Option<ChooseMode>,
    pub(super) metrics: Metrics,
    /// The attributes of the metrics of handling a message.
    pub(super) composed: Composed,
}

impl ConsumerSettings {
    /// Returns how far a message is trusted, and whether its trace is continued.
    pub(super) fn trust_for(&self, cause: Cause, by_sender: Option<TraceMode>) -> Trust {
        let mode = match &self.mode {
            Some(choose) => choose(cause, by_sender),
            None => by_sender.unwrap_or_default(),
        };
        match mode {
            TraceMode::Child => self.trust,
            TraceMode::Link => self.trust.link_only(),
        }
    }

    /// Composes what depends on the other settings.
    pub(super) fn compose(&mut self) {
        self.process_name = self.destination.span_name(&self.operation);
        self.receive_name = self.destination.span_name("receive");
        self.composed = Composed::of(&self.measured(&self.operation, "process"));
    }

    /// Returns what is measured where a message is handled.
    pub(super) fn handling(&self) -> Measured<'_> {
        Measured { composed: Some(&self.composed), ..self.measured(&self.operation, "process") }
    }

    /// Returns what is measured of another operation.
    pub(super) fn measured<'a>(&'a self, name: &'a str, kind: &'static str) -> Measured<'a> {
        Measured {
            name,
            kind,
            destination: &self.destination,
            group: self.group.as_deref(),
            subscription: self.subscription.as_deref(),
            error: None,
            composed: None,
        }
    }
}

impl fmt::Debug for ConsumerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("destination", &self.destination)
            .field("operation_name", &self.operation)
            .field("group", &self.group)
            .field("subscription", &self.subscription)
            .field("trust", &self.trust)
            .field("boundary", &self.boundary.name())
            .finish_non_exhaustive()
    }
}
