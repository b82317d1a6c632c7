use std::{
    fmt,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    SpanId, TraceId,
    trace::{SpanContext, SpanKind, Status},
};
use opentelemetry_sdk::trace::SpanData;

use super::{
    field_name::FieldName,
    value::{Fields, Value, find},
};

/// A span as OpenTelemetry exports it.
#[derive(Clone, Debug)]
pub struct CapturedSpan {
    name: String,
    context: SpanContext,
    parent: Option<SpanId>,
    is_parent_remote: bool,
    kind: SpanKind,
    start: SystemTime,
    /// `None` while it is open.
    end: Option<SystemTime>,
    attributes: Fields,
    links: Vec<SpanContext>,
    status: Status,
}

impl CapturedSpan {
    pub(in crate::testing) fn of(data: SpanData, is_open: bool) -> Self {
        CapturedSpan {
            name: data.name.into_owned(),
            context: data.span_context,
            parent: (data.parent_span_id != SpanId::INVALID).then_some(data.parent_span_id),
            is_parent_remote: data.parent_span_is_remote,
            kind: data.span_kind,
            start: data.start_time,
            end: (!is_open).then_some(data.end_time),
            attributes: data.attributes.into_iter().map(|known| (known.key.to_string(), known.value.into())).collect(),
            links: data.links.iter().map(|link| link.span_context.clone()).collect(),
            status: data.status,
        }
    }

    /// Returns the name, as it was when the span ended.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value of a field or attribute, or `None` if the span does not have it.
    pub fn field(&self, name: impl FieldName) -> Option<&Value> {
        find(&self.attributes, name.as_name())
    }

    /// Returns all fields and attributes, in the order in which they were set.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.attributes.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the id of the trace.
    pub fn trace_id(&self) -> TraceId {
        self.context.trace_id()
    }

    /// Returns the id of the span.
    pub fn span_id(&self) -> SpanId {
        self.context.span_id()
    }

    /// Returns the ids, the flags and the state.
    pub fn span_context(&self) -> &SpanContext {
        &self.context
    }

    /// Returns the id of the parent, or `None` if the span has none.
    pub fn parent_span_id(&self) -> Option<SpanId> {
        self.parent
    }

    /// Returns `true` if the parent came with a message or a request.
    pub fn has_remote_parent(&self) -> bool {
        self.parent.is_some() && self.is_parent_remote
    }

    /// Returns the kind.
    pub fn kind(&self) -> SpanKind {
        self.kind.clone()
    }

    /// Returns the status.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Returns the spans to which this one links.
    pub fn links(&self) -> &[SpanContext] {
        &self.links
    }

    /// Returns `true` if the span links to another.
    pub fn links_to(&self, other: &CapturedSpan) -> bool {
        self.links.iter().any(|link| link.span_id() == other.span_id() && link.trace_id() == other.trace_id())
    }

    /// Returns `true` if `parent` is the parent of this span.
    pub fn is_child_of(&self, parent: &CapturedSpan) -> bool {
        self.parent == Some(parent.span_id()) && self.trace_id() == parent.trace_id()
    }

    /// Returns `true` if the span has not ended.
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Returns the time at which the span started.
    pub fn start(&self) -> SystemTime {
        self.start
    }

    /// Returns the time at which the span ended, or `None` while it is open.
    pub fn end(&self) -> Option<SystemTime> {
        self.end
    }

    /// Returns the duration, or `None` while the span is open.
    pub fn duration(&self) -> Option<Duration> {
        self.end?.duration_since(self.start).ok()
    }
}

impl fmt::Display for CapturedSpan {
    /// Writes the name, and the fields as they are written in [`trace!`](crate::testing::trace!).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)?;
        self.fields().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}
