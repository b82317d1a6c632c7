//! A trace to look at, for the page.

use crate::model::{Kind, SpanId, Status};

/// A trace.
#[derive(Clone, Debug)]
pub(crate) struct TraceView {
    pub(crate) trace_id: String,
    pub(crate) spans: Vec<SpanView>,
    pub(crate) logs: Vec<LogView>,
    /// Spans that found no room.
    pub(crate) left_out: usize,
}

/// A span of it.
#[derive(Clone, Debug)]
pub(crate) struct SpanView {
    pub(crate) span_id: SpanId,
    pub(crate) parent_id: SpanId,
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) tenant: String,
    pub(crate) peer: String,
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// A log record or an event of it.
#[derive(Clone, Debug)]
pub(crate) struct LogView {
    pub(crate) span_id: SpanId,
    pub(crate) service: String,
    pub(crate) tenant: String,
    pub(crate) body: String,
    pub(crate) time: u64,
    pub(crate) severity: u8,
    pub(crate) is_event: bool,
}
