//! What came in with a trace and OpenTelemetry's spans do not keep: the random flag, members of `tracestate` that its
//! `TraceState` refuses, the order of baggage.

use std::sync::Arc;

use opentelemetry::{TraceId, trace::SpanContext};

/// Stands in the context beside the remote span, and so in those of its children, in this process.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) trace_id: TraceId,
    pub(crate) flags: u8,
    /// The whole `tracestate`, where OpenTelemetry's type holds only a part of it.
    pub(crate) tracestate: Option<Arc<str>>,
    /// The keys of baggage that passes through, in the order in which they came.
    pub(crate) baggage: RemoteBaggage,
}

/// Keys of baggage.
pub(crate) type RemoteBaggage = Option<Arc<[Arc<str>]>>;

impl Remote {
    /// What is known of a remote span that another propagator found.
    pub(crate) fn of_foreign(span: &SpanContext) -> Self {
        Remote { trace_id: span.trace_id(), flags: span.trace_flags().to_u8(), tracestate: None, baggage: None }
    }
}
