use std::time::Duration;

use opentelemetry::{Context, trace::Span as _};
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
        // It has the parent, and whatever was carried with it.
        if let Some(owner) = owner_in(cx) {
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
