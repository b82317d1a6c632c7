use opentelemetry::{
    SpanId, TraceId,
    logs::{AnyValue, Severity},
};
use opentelemetry_sdk::logs::SdkLogRecord;

use super::{
    field_name::FieldName,
    value::{Fields, Value, find},
};

/// A log record as OpenTelemetry exports it.
#[derive(Clone, Debug)]
pub struct CapturedLog {
    body: String,
    severity: Option<Severity>,
    target: String,
    ids: Option<(TraceId, SpanId)>,
    attributes: Fields,
}

impl CapturedLog {
    pub(in crate::testing) fn of(record: &SdkLogRecord) -> Self {
        CapturedLog {
            body: match record.body() {
                Some(AnyValue::String(body)) => body.as_str().to_owned(),
                Some(other) => format!("{other:?}"),
                None => String::new(),
            },
            severity: record.severity_number(),
            target: record.target().map(|target| target.clone().into_owned()).unwrap_or_default(),
            ids: record.trace_context().map(|context| (context.trace_id, context.span_id)),
            attributes: record.attributes_iter().map(|(key, value)| (key.to_string(), value.into())).collect(),
        }
    }

    /// Returns the body as text. Empty if the record has none.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Returns the value of an attribute, or `None` if the record does not have it.
    pub fn field(&self, name: impl FieldName) -> Option<&Value> {
        find(&self.attributes, name.as_name())
    }

    /// Returns all attributes in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.attributes.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the severity.
    pub fn severity(&self) -> Option<Severity> {
        self.severity
    }

    /// Returns the target.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the id of the trace to which the record belongs.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.ids.map(|(trace_id, _)| trace_id)
    }

    /// Returns the id of the span in which the record was written.
    pub fn span_id(&self) -> Option<SpanId> {
        self.ids.map(|(_, span_id)| span_id)
    }
}
