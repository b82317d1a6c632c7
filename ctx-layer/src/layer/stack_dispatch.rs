//! The dispatcher of the stack that a layer is part of, and the OpenTelemetry ids of its spans.

use std::sync::OnceLock;

use opentelemetry::{Context, SpanId, TraceId};
use tracing_core::{Dispatch, dispatcher::WeakDispatch, span::Id};

#[cfg(feature = "_output")]
use super::other_version;
use super::{opentelemetry_layer::context_of, span_lock};
use crate::context::{active_ids, read};

/// A weak reference to the dispatcher. It is set when the stack is installed, and read only off the hot path.
pub(crate) struct StackDispatch(OnceLock<Installed>);

struct Installed {
    dispatch: WeakDispatch,
    /// `true` if a [`ContextSubscriber`](super::ContextSubscriber) is over the stack, which tracks when spans are locked.
    is_watched: bool,
}

impl StackDispatch {
    pub(crate) const fn new() -> Self {
        StackDispatch(OnceLock::new())
    }

    pub(super) fn set(&self, dispatch: &Dispatch, is_watched: bool) {
        // A layer is moved into its stack, so there is one dispatcher, and the first call has it.
        let _ = self.0.set(Installed { dispatch: dispatch.downgrade(), is_watched });
    }

    /// Returns the dispatcher while it exists.
    pub(super) fn dispatch(&self) -> Option<Dispatch> {
        self.0.get().and_then(|installed| installed.dispatch.upgrade())
    }

    pub(super) fn with<R>(&self, f: impl FnOnce(&Dispatch) -> R) -> Option<R> {
        self.dispatch().map(|dispatch| f(&dispatch))
    }

    /// Returns the OpenTelemetry ids of the current span of this thread.
    ///
    /// Returns `None` in a stack that is not watched, because the span may be locked there.
    pub(super) fn ids_of_current(&self) -> Option<(TraceId, SpanId)> {
        active_ids(&self.context_of_current()?)
    }

    /// Returns the OpenTelemetry context of the current span of this thread. Returns `None` in a stack that is not watched.
    pub(crate) fn context_of_current(&self) -> Option<Context> {
        let installed = self.0.get().filter(|installed| installed.is_watched && !span_lock::may_be_held())?;
        let dispatch = installed.dispatch.upgrade()?;
        context_of(dispatch.current_span().id()?, &dispatch)
    }

    /// Returns the OpenTelemetry ids of a span that is the explicit parent of an event.
    ///
    /// The layer starts the OpenTelemetry span if it has not yet: its parent can no longer be set then.
    pub(super) fn ids_of_parent(&self, parent: &Id) -> Option<(TraceId, SpanId)> {
        active_ids(&self.context_of_parent(parent)?)
    }

    /// Returns the OpenTelemetry context of a span that is the explicit parent of an event. Starts the OpenTelemetry span.
    pub(crate) fn context_of_parent(&self, parent: &Id) -> Option<Context> {
        let installed = self.0.get()?;
        let dispatch = installed.dispatch.upgrade()?;
        // In a stack that is not watched, the current span may be locked.
        if !installed.is_watched && dispatch.current_span().id() == Some(parent) {
            return read(Context::clone);
        }
        context_of(parent, &dispatch)
    }

    /// Returns `true` if no OpenTelemetry layer was found in the stack.
    #[cfg(feature = "_output")]
    pub(crate) fn has_no_opentelemetry_layer(&self) -> bool {
        let installed = self.0.get();
        installed.is_none_or(|installed| {
            !installed.is_watched
                || !installed.dispatch.upgrade().is_some_and(|dispatch| other_version::has_layer(&dispatch))
        })
    }
}

/// Returns the OpenTelemetry ids of a span, if an OpenTelemetry layer of this dispatcher has created some. Starts the span.
///
/// Returns `None` while the layer may hold the span's lock on this thread.
pub(crate) fn ids_of(span: &Id, dispatch: &Dispatch) -> Option<(TraceId, SpanId)> {
    active_ids(&context_of(span, dispatch)?)
}
