//! The active OpenTelemetry span.

use opentelemetry::trace::{SpanContext, TraceContextExt};

use crate::context::read;

/// Returns the active OpenTelemetry span, if it is one of this process.
pub(super) fn active_span() -> Option<SpanContext> {
    let span = read(|cx| cx.span().span_context().clone())?;
    (span.is_valid() && !span.is_remote()).then_some(span)
}
