use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord},
};

use crate::testing::{
    captured::CapturedLog,
    isolation::{owner, owner_of_span},
};

/// Captures log records as they are exported, each for the test to which it belongs.
#[derive(Debug)]
pub(super) struct CapturingLogProcessor;

impl LogProcessor for CapturingLogProcessor {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        let of_span = record.trace_context().and_then(|context| owner_of_span(context.span_id));
        if let Some(owner) = owner(of_span) {
            owner.add_log(CapturedLog::of(record));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
