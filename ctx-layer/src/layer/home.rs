//! The dispatcher that a layer ended up in, and the OpenTelemetry ids of its spans.
//!
//! `tracing-opentelemetry` holds a span's lock while it starts the span, and calls samplers, id generators and span processors
//! meanwhile. Where those log, the current span is the one that is locked, and asking for its ids would wait for ever. So it
//! is known on each thread whether the stack below may hold such a lock: while a span is created, entered or linked, and while
//! this crate itself asks. What is logged then has the ids of the active context, or none; what is recorded is
//! [`postponed`](super::postponed).

use std::{cell::Cell, sync::OnceLock};

use opentelemetry::{Context, SpanId, TraceId};
use tracing_core::{Dispatch, dispatcher::WeakDispatch, span::Id};

#[cfg(feature = "json")]
use super::other_version;
use crate::context::{active_ids, read};

/// Known once the stack is installed; asked only off the hot path.
pub(crate) struct Home(OnceLock<Installed>);

struct Installed {
    dispatch: WeakDispatch,
    /// Whether there is a [`ContextSubscriber`](super::ContextSubscriber) over the stack, which sees when spans are locked.
    is_watched: bool,
}

impl Home {
    pub(crate) const fn new() -> Self {
        Home(OnceLock::new())
    }

    pub(super) fn set(&self, dispatch: &Dispatch, is_watched: bool) {
        // A layer is moved into its stack: there is one dispatcher, and the first is it.
        let _ = self.0.set(Installed { dispatch: dispatch.downgrade(), is_watched });
    }

    /// The same for an output that does not know what is over it. Returns `true` if that is a
    /// [`ContextSubscriber`](super::ContextSubscriber).
    #[cfg(feature = "json")]
    pub(crate) fn set_of_output(&self, dispatch: &Dispatch) -> bool {
        let is_watched = dispatch.downcast_ref::<super::core::Core>().is_some();
        self.set(dispatch, is_watched);
        is_watched
    }

    /// Returns the dispatcher, as long as there is one.
    pub(super) fn dispatch(&self) -> Option<Dispatch> {
        self.0.get().and_then(|installed| installed.dispatch.upgrade())
    }

    pub(super) fn with<R>(&self, f: impl FnOnce(&Dispatch) -> R) -> Option<R> {
        self.dispatch().map(|dispatch| f(&dispatch))
    }

    /// Returns the OpenTelemetry ids of the current span of this thread.
    ///
    /// Only in a stack that is watched: in others nothing says whether that span is locked.
    pub(super) fn ids_of_current(&self) -> Option<(TraceId, SpanId)> {
        active_ids(&self.context_of_current()?)
    }

    /// Returns the OpenTelemetry context of the current span of this thread, in the same stacks.
    pub(crate) fn context_of_current(&self) -> Option<Context> {
        let installed = self.0.get().filter(|installed| installed.is_watched && !may_be_locked())?;
        let dispatch = installed.dispatch.upgrade()?;
        context_of(dispatch.current_span().id()?, &dispatch)
    }

    /// Returns the OpenTelemetry ids of a span that an event names as its parent.
    ///
    /// This has the layer start the OpenTelemetry span, if it did not yet: its parent can no longer be set then.
    pub(super) fn ids_of_parent(&self, parent: &Id) -> Option<(TraceId, SpanId)> {
        active_ids(&self.context_of_parent(parent)?)
    }

    /// Returns the OpenTelemetry context of a span that an event names as its parent, in the same way.
    pub(crate) fn context_of_parent(&self, parent: &Id) -> Option<Context> {
        let installed = self.0.get()?;
        let dispatch = installed.dispatch.upgrade()?;
        // In a stack that is not watched the current span is the one that may be locked.
        if !installed.is_watched && dispatch.current_span().id() == Some(parent) {
            return read(Context::clone);
        }
        context_of(parent, &dispatch)
    }

    /// Returns `true` if there certainly is no OpenTelemetry layer in the stack, as far as it is known.
    #[cfg(feature = "json")]
    pub(crate) fn has_no_opentelemetry_layer(&self) -> bool {
        let installed = self.0.get();
        installed.is_none_or(|installed| {
            !installed.is_watched
                || !installed.dispatch.upgrade().is_some_and(|dispatch| other_version::has_layer(&dispatch))
        })
    }
}

thread_local! {
    /// How many calls are under way on this thread that may hold an OpenTelemetry span's lock, and whether anything is
    /// [`postponed`](super::postponed) until they are over. Has no destructor, and so can always be read.
    static LOCKING: Cell<u32> = const { Cell::new(0) };
}

/// The bit that says whether anything is postponed; below it is the count.
const POSTPONED: u32 = 1 << 31;

/// Returns `true` if this thread may hold an OpenTelemetry span's lock.
#[inline]
pub(super) fn may_be_locked() -> bool {
    LOCKING.get() & !POSTPONED > 0
}

/// Returns `true` if something was postponed, and nothing is in its way any more.
#[inline]
pub(super) fn is_postponed() -> bool {
    LOCKING.get() == POSTPONED
}

/// Notes whether anything is postponed on this thread.
pub(super) fn set_postponed(is_any: bool) {
    let count = LOCKING.get() & !POSTPONED;
    LOCKING.set(if is_any { count | POSTPONED } else { count });
}

/// Calls `f`, in which an OpenTelemetry layer may hold a span's lock and call foreign code.
#[inline]
pub(super) fn locking<R>(f: impl FnOnce() -> R) -> R {
    LOCKING.set(LOCKING.get().wrapping_add(1));
    let _unlock = Unlock;
    f()
}

/// Counts a call that is over, also where it panics.
struct Unlock;

impl Drop for Unlock {
    #[inline]
    fn drop(&mut self) {
        LOCKING.set(LOCKING.get().wrapping_sub(1));
    }
}

/// Returns the OpenTelemetry ids of a span of this dispatcher's, where an OpenTelemetry layer gave it some. It starts the span.
///
/// `None` while the layer may hold the span's lock on this thread.
#[cfg(feature = "tracing-opentelemetry")]
pub(crate) fn ids_of(span: &Id, dispatch: &Dispatch) -> Option<(TraceId, SpanId)> {
    active_ids(&context_of(span, dispatch)?)
}

/// Returns the OpenTelemetry context of a span, in the same way.
#[cfg(feature = "tracing-opentelemetry")]
fn context_of(span: &Id, dispatch: &Dispatch) -> Option<Context> {
    use tracing_subscriber::{Registry, registry::LookupSpan};
    if may_be_locked() {
        return None;
    }
    // The OpenTelemetry layer panics when asked for a span that is closed: this keeps it open meanwhile.
    let _open = dispatch.downcast_ref::<Registry>()?.span(span)?;
    locking(|| tracing_opentelemetry::get_otel_context(span, dispatch))
}

#[cfg(not(feature = "tracing-opentelemetry"))]
fn context_of(_: &Id, _: &Dispatch) -> Option<Context> {
    None
}

#[cfg(not(feature = "tracing-opentelemetry"))]
pub(crate) fn ids_of(_: &Id, _: &Dispatch) -> Option<(TraceId, SpanId)> {
    None
}
