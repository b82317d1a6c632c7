//! A log record, as the readers find it.

use std::borrow::Cow;

use super::{Attribute, SpanId, TraceId};

/// A log record.
#[derive(Clone, Debug, Default)]
pub struct LogRecord<'a> {
    /// The trace; zero if there is none.
    pub trace_id: TraceId,
    /// The span; none if there is none.
    pub span_id: SpanId,
    /// When it happened, in nanoseconds since the Unix epoch; 0 if not known.
    pub time: u64,
    /// OTLP's number of the severity; 0 if not set.
    pub severity: u8,
    /// The name of the severity.
    pub severity_text: Cow<'a, str>,
    /// The message.
    pub body: Cow<'a, str>,
    /// The attributes.
    pub attributes: Vec<Attribute<'a>>,
}
