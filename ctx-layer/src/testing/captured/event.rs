use std::{fmt, time::SystemTime};

use opentelemetry::{SpanId, TraceId};
use tracing::Level;

use super::{
    field_name::FieldName,
    value::{Fields, Value, find},
};

/// An event of `tracing`, as each output of the program receives it.
#[derive(Clone, Debug)]
pub struct CapturedEvent {
    /// Its place among the events of the test.
    pub(in crate::testing) number: usize,
    pub(in crate::testing) message: String,
    pub(in crate::testing) name: &'static str,
    pub(in crate::testing) level: Level,
    pub(in crate::testing) target: String,
    pub(in crate::testing) time: SystemTime,
    pub(in crate::testing) ids: Option<(TraceId, SpanId)>,
    pub(in crate::testing) fields: Fields,
}

impl CapturedEvent {
    /// Returns the message. Empty if the event has none.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the name, which `tracing` derives from the place in the source unless the event has another.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the value of a field, or `None` if the event does not have it.
    pub fn field(&self, name: impl FieldName) -> Option<&Value> {
        find(&self.fields, name.as_name())
    }

    /// Returns all fields but the message, in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Returns the target.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the time at which the event happened.
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// Returns the id of the trace to which the event belongs.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.ids.map(|(trace_id, _)| trace_id)
    }

    /// Returns the id of the span in which the event happened.
    pub fn span_id(&self) -> Option<SpanId> {
        self.ids.map(|(_, span_id)| span_id)
    }

    /// Returns `true` if the event happened in a span.
    pub fn is_in(&self, span: &super::CapturedSpan) -> bool {
        self.ids == Some((span.trace_id(), span.span_id()))
    }
}

impl fmt::Display for CapturedEvent {
    /// Writes the level, the message and the fields.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.level, self.message)?;
        self.fields().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}
