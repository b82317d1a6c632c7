//! The exported spans behind spans of `tracing`, and detecting the layer that exports them.

use std::cell::Cell;

#[cfg(any(feature = "http-server", feature = "http-client"))]
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{
    Context, KeyValue,
    trace::{SpanContext, Status},
};
use tracing::Span;
use tracing_core::{Dispatch, span::Id};
use tracing_opentelemetry::{OpenTelemetrySpanExt, get_otel_context};
use tracing_subscriber::{Registry, registry::LookupSpan};

use crate::layer::span_lock;

/// The end of the warning about an OpenTelemetry layer that cannot be used.
pub(crate) const UNSEEN: &str = "of another version of `tracing-opentelemetry` than `ctx-layer` uses: its spans are not seen, so \
    events have no trace ids, and the trace is not propagated. Depend on the same version, which \
    `cargo tree -i tracing-opentelemetry` shows";

/// Sets the status of a span to OK.
#[inline]
pub(crate) fn set_ok(span: &Span) {
    span.set_status(Status::Ok);
}

/// Sets the status of a span to ERROR.
pub(crate) fn set_error(span: &Span, description: &str) {
    span.set_status(Status::error(description.to_owned()));
}

/// Records an exception, as the conventions define it, for a call that panicked without an event.
/// <https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/>
pub(crate) fn add_exception(span: &Span, message: &str) {
    span.add_event(
        "exception",
        vec![KeyValue::new("exception.type", "panic"), KeyValue::new("exception.message", message.to_owned())],
    );
}

/// Marks a call as dropped before it ended. That is no error: the losing branch of a `select!` is dropped, too.
pub(crate) fn set_cancelled(span: &Span) {
    span.set_attribute("cancelled", true);
}

/// Links a span to another.
pub(crate) fn add_link(span: &Span, to: SpanContext) {
    span.add_link(to);
}

/// Makes the span in the current context the parent of a root span that was just created.
#[cfg(feature = "_received")]
pub(crate) fn set_current_as_parent(span: &Span) {
    if !span.is_disabled()
        && let Some(cx) = crate::context::read(Clone::clone)
    {
        // Fails only without an OpenTelemetry layer.
        let _ = span.set_parent(cx);
    }
}

/// Renames the exported span: `otel.name` has no effect after the span has started.
#[cfg(any(feature = "http-server", feature = "http-client"))]
pub(crate) fn rename(span: &Span, name: &'static str) {
    span.context().span().update_name(name);
}

/// Returns the OpenTelemetry context of a span. Starts the span.
pub(crate) fn context_of(span: &Id, dispatch: &Dispatch) -> Option<Context> {
    if span_lock::may_be_held() {
        return None;
    }
    // The OpenTelemetry layer panics for a span that is closed; this keeps it open.
    let _open = dispatch.downcast_ref::<Registry>()?.span(span)?;
    span_lock::holding(|| get_otel_context(span, dispatch))
}

thread_local! {
    /// `Some` while [`is_there`] runs on this thread, with whether the layer was found. Has no destructor, and so can always be read.
    static ASKING: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Returns `true` if a stack that has an OpenTelemetry layer has none of the version that this crate uses.
pub(crate) fn is_there(dispatch: &Dispatch) -> bool {
    // The lookup is intercepted: the layer would otherwise look for the span, and panic.
    ASKING.set(Some(false));
    let _stop = StopAsking;
    let cx = get_otel_context(&Id::from_u64(u64::MAX), dispatch);
    cx.is_none() && ASKING.get() == Some(false)
}

struct StopAsking;

impl Drop for StopAsking {
    fn drop(&mut self) {
        ASKING.set(None);
    }
}

/// Stores whether a lookup found its type. Returns `true` if the lookup has to fail.
#[inline]
pub(crate) fn intercept(is_found: bool) -> bool {
    match ASKING.get() {
        None => false,
        Some(before) => {
            ASKING.set(Some(before || is_found));
            true
        }
    }
}
