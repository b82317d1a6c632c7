//! The dispatcher that a layer ended up in.

use std::sync::OnceLock;

use opentelemetry::{SpanId, TraceId};
use tracing_core::{Dispatch, dispatcher::WeakDispatch, span::Id};

/// Known once the stack is installed; asked only off the hot path.
pub(super) struct Home(OnceLock<WeakDispatch>);

impl Home {
    pub(super) const fn new() -> Self {
        Home(OnceLock::new())
    }

    pub(super) fn set(&self, dispatch: &Dispatch) {
        // A layer is moved into its stack: there is one dispatcher, and the first is it.
        let _ = self.0.set(dispatch.downgrade());
    }

    pub(super) fn dispatch(&self) -> Option<Dispatch> {
        self.0.get().and_then(WeakDispatch::upgrade)
    }

    pub(super) fn with<R>(&self, f: impl FnOnce(&Dispatch) -> R) -> Option<R> {
        self.0.get().and_then(WeakDispatch::upgrade).map(|dispatch| f(&dispatch))
    }

    /// The OpenTelemetry ids of a span, where an OpenTelemetry layer gave it some.
    ///
    /// This has the layer start the OpenTelemetry span, if it did not yet: its parent can no longer be set then.
    pub(super) fn ids_of(&self, span: &Id) -> Option<(TraceId, SpanId)> {
        self.with(|dispatch| ids_of(span, dispatch))?
    }

    /// The same for the current span of this thread.
    pub(super) fn ids_of_current(&self) -> Option<(TraceId, SpanId)> {
        let current = self.with(|dispatch| dispatch.current_span().id().cloned())??;
        self.ids_of(&current)
    }
}

/// The OpenTelemetry ids of a span of this dispatcher's, where an OpenTelemetry layer gave it some. It starts the span.
#[cfg(feature = "tracing-opentelemetry")]
pub(crate) fn ids_of(span: &Id, dispatch: &Dispatch) -> Option<(TraceId, SpanId)> {
    use tracing_subscriber::{Registry, registry::LookupSpan};
    // The OpenTelemetry layer panics when asked for a span that is closed: this keeps it open meanwhile.
    let _open = dispatch.downcast_ref::<Registry>()?.span(span)?;
    crate::context::active_ids(&tracing_opentelemetry::get_otel_context(span, dispatch)?)
}

#[cfg(not(feature = "tracing-opentelemetry"))]
pub(crate) fn ids_of(_: &Id, _: &Dispatch) -> Option<(TraceId, SpanId)> {
    None
}
