//! Reading the current context and span.

use opentelemetry::{Context, SpanId, TraceId};
use tracing::{Span, dispatcher};

use super::span_access;
use crate::{
    context::{active_ids, is_blank, read},
    field::{
        DerivedField,
        well_known::{SPAN_ID, TRACE_ID},
    },
    layer::ids_of,
};

/// Returns the current `tracing` span, or `None` if there is none, or no subscriber.
///
/// Never panics, not even in the destructor of a thread-local. The same is true of the other functions here.
///
/// ```
/// use ctx_layer::task::current_span;
///
/// assert!(current_span().is_none());
/// # let subscriber = tracing_subscriber::registry();
/// tracing::subscriber::with_default(subscriber, || {
///     let _request = tracing::info_span!("request").entered();
///     let name = current_span().and_then(|span| Some(span.metadata()?.name()));
///     assert_eq!(name, Some("request"));
/// });
/// ```
pub fn current_span() -> Option<Span> {
    Some(span_access::current()).filter(|span| !span.is_none())
}

/// Returns the trace id of the active OpenTelemetry span, or of the remote parent. Returns `None` if there is none.
///
/// If an OpenTelemetry layer does not activate its contexts, and no context is attached, this is the trace id of the current
/// `tracing` span (feature `tracing-opentelemetry`). The layer starts that span if it has not yet: its parent can no longer be
/// set then.
///
/// ```
/// use ctx_layer::task::{current_span_id, current_trace_id};
/// use opentelemetry::{Context, trace::{SpanContext, TraceContextExt, TraceFlags, TraceState}};
///
/// assert_eq!((current_trace_id(), current_span_id()), (None, None));
///
/// let (trace, span) = (0x4bf92f3577b34da6a3ce929d0e0e4736_u128.into(), 0x00f067aa0ba902b7_u64.into());
/// let parent = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::NONE);
/// let _remote = Context::new().with_remote_span_context(parent).attach();
/// assert_eq!((current_trace_id(), current_span_id()), (Some(trace), Some(span)));
/// ```
pub fn current_trace_id() -> Option<TraceId> {
    TRACE_ID.get()
}

/// Returns the span id of the active OpenTelemetry span, or of the remote parent. Has the same rules as [`current_trace_id`].
pub fn current_span_id() -> Option<SpanId> {
    SPAN_ID.get()
}

impl DerivedField<TraceId> {
    /// Returns the trace id of the active OpenTelemetry span, or of the remote parent. Returns `None` if there is none.
    ///
    /// See [`current_trace_id`] for the details.
    pub fn get(&'static self) -> Option<TraceId> {
        current_ids().map(|(trace_id, _)| trace_id)
    }
}

impl DerivedField<SpanId> {
    /// Returns the span id of the active OpenTelemetry span, or of the remote parent. Returns `None` if there is none.
    ///
    /// See [`current_trace_id`] for the details.
    pub fn get(&'static self) -> Option<SpanId> {
        current_ids().map(|(_, span_id)| span_id)
    }
}

fn current_ids() -> Option<(TraceId, SpanId)> {
    if let Some(ids) = read(active_ids)? {
        return Some(ids);
    }
    let span = current_span()?;
    let id = span.id()?;
    dispatcher::get_default(|subscriber| ids_of(&id, subscriber))
}

/// Returns the current OpenTelemetry context, including [values recorded on an open span](crate::ContextField::record). Returns
/// `None` if it has no span, no field and no baggage.
///
/// `Context::current()` may lack the recorded values until the span is entered again.
///
/// [`Snapshot::capture`](super::Snapshot::capture) captures this context together with the current `tracing` span.
///
/// ```
/// use ctx_layer::{ContextFieldsExt, field::well_known::TENANT_ID, task::current_context};
///
/// assert!(current_context().is_none());
/// let _guard = TENANT_ID.attach("acme");
/// let tenant = current_context().and_then(|cx| cx.fields().get(&TENANT_ID).cloned());
/// assert_eq!(tenant.as_deref(), Some("acme"));
/// ```
pub fn current_context() -> Option<Context> {
    Some(super::snapshot::current_context()).filter(|cx| !is_blank(cx))
}
