//! The outcome of a call on its exported OpenTelemetry span.

use tracing::Span;

/// Sets the status to OK.
#[cfg(feature = "tracing-opentelemetry")]
#[inline]
pub(super) fn ok(span: &Span) {
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    span.set_status(opentelemetry::trace::Status::Ok);
}

/// Sets the status to ERROR.
#[cfg(feature = "tracing-opentelemetry")]
pub(super) fn error(span: &Span, description: &str) {
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    span.set_status(opentelemetry::trace::Status::error(description.to_owned()));
}

/// Records an exception, as the conventions define it, for a call that panicked without an event.
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

/// Marks a call as dropped before it ended. That is no error: the losing branch of a `select!` is dropped, too.
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
