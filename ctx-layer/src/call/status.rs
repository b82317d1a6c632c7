//! How a call ended, on its exported OpenTelemetry span.

use tracing::Span;

/// The call succeeded.
#[cfg(feature = "tracing-opentelemetry")]
#[inline]
pub(super) fn ok(span: &Span) {
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    span.set_status(opentelemetry::trace::Status::Ok);
}

/// The call failed.
#[cfg(feature = "tracing-opentelemetry")]
pub(super) fn error(span: &Span, description: &str) {
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    span.set_status(opentelemetry::trace::Status::error(description.to_owned()));
}

/// The call panicked, and no event says so: the exception is recorded as the conventions have it.
/// <https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/>
#[cfg(feature = "tracing-opentelemetry")]
pub(super) fn exception(span: &Span, message: &str) {
    use opentelemetry::KeyValue;
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    span.add_event(
        "exception",
        vec![KeyValue::new("exception.type", "panic"), KeyValue::new("exception.message", message.to_owned())],
    );
}

/// The call was dropped before it ended. That is no error: the losing branch of a `select!` is dropped, too.
#[cfg(feature = "tracing-opentelemetry")]
pub(super) fn cancelled(span: &Span) {
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    span.set_attribute("cancelled", true);
}

#[cfg(not(feature = "tracing-opentelemetry"))]
mod without {
    use super::Span;
    pub(in super::super) fn ok(_: &Span) {}
    pub(in super::super) fn error(_: &Span, _: &str) {}
    pub(in super::super) fn exception(_: &Span, _: &str) {}
    pub(in super::super) fn cancelled(_: &Span) {}
}

#[cfg(not(feature = "tracing-opentelemetry"))]
pub(super) use without::*;
