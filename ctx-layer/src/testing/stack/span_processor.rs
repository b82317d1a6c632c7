use std::time::Duration;

use opentelemetry::{Context, SpanId, trace::Span as _};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};

use crate::testing::isolation::{claim_span, owner_in, owner_of_span};

/// Captures spans as they are exported, each for the test to which it belongs.
#[derive(Debug)]
pub(super) struct CapturingSpanProcessor;

impl SpanProcessor for CapturingSpanProcessor {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        let Some(data) = span.exported_data() else { return };
        let of_parent = (data.parent_span_id != SpanId::INVALID).then(|| owner_of_span(data.parent_span_id)).flatten();
        if let Some(owner) = of_parent.or_else(|| owner_in(cx)) {
            claim_span(span.span_context(), &owner);
            owner.start_span(data);
        }
    }

    fn on_end(&self, span: SpanData) {
        if let Some(owner) = owner_of_span(span.span_context.span_id()) {
            owner.end_span(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
