//! Finding out to which capture something belongs.
//!
//! Asked in this order, the most certain first:
//!
//! 1. the span in which it happens: of that the owner is stored;
//! 2. the OpenTelemetry context: a capture puts itself there, and whatever carries the context carries it;
//! 3. the parent span, by its id: one that came with a request from the same test;
//! 4. the thread: that of the test, and those of a runtime of `#[ctx_layer::test]`;
//! 5. the runtime of tokio in which the test was seen;
//! 6. the trace, if only one capture has it;
//! 7. the name of the thread: see [`thread_name`];
//! 8. if the process has begun one capture only, as under `cargo nextest`, that one.
//!
//! What two captures claim belongs to neither.

use std::{
    cell::RefCell,
    sync::{Arc, Weak},
};

use opentelemetry::{Context, ContextGuard, SpanId, trace::TraceContextExt};

use super::{
    live::{Live, with_live},
    store::Store,
    thread_name::{self, ThreadName},
};
use crate::context::read;

thread_local! {
    /// The captures of this thread, the innermost last.
    static OF_THREAD: RefCell<Vec<Arc<Store>>> = const { RefCell::new(Vec::new()) };
}

/// The value in an OpenTelemetry context. Weak, so that a context that is kept does not keep the telemetry.
#[derive(Clone)]
struct InContext(Weak<Store>);

/// Returns the capture to which what happens here belongs. `of_span` is that of the span in which it happens, if that is known.
pub(in crate::testing) fn owner(of_span: Option<Arc<Store>>) -> Option<Arc<Store>> {
    of_span.or_else(|| owner_in(&read(Context::clone).unwrap_or_default()))
}

/// Returns the capture to which something belongs that happens here in a context.
pub(in crate::testing) fn owner_in(cx: &Context) -> Option<Arc<Store>> {
    if let Some(owner) = cx.get::<InContext>().and_then(|owner| owner.0.upgrade()) {
        of_thread();
        return Some(owner);
    }
    let (trace, parent) = {
        let span = cx.span();
        (span.span_context().trace_id(), span.span_context().span_id())
    };
    let is_any = parent != SpanId::INVALID;
    let by_parent = if is_any { with_live(|live| live.of_span(parent)) } else { None };
    by_parent.or_else(of_thread).or_else(of_runtime).or_else(|| {
        let number = thread_name::number();
        with_live(|live| {
            let of_trace = if is_any { live.of_trace(trace) } else { None };
            of_trace.or_else(|| live.of_number(number?)).or_else(|| live.only())
        })
    })
}

/// Returns the capture of this thread, and notes the runtime in which it is seen.
fn of_thread() -> Option<Arc<Store>> {
    let owner = OF_THREAD.try_with(|of_thread| of_thread.borrow().last().cloned()).ok().flatten()?;
    note_runtime(&owner);
    Some(owner)
}

/// Notes the runtime in which a test is seen: bare tasks of the same runtime belong to it.
#[cfg(feature = "tokio")]
fn note_runtime(owner: &Arc<Store>) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        with_live(|live| live.claim_runtime(runtime.id(), owner));
    }
}

#[cfg(not(feature = "tokio"))]
fn note_runtime(_: &Arc<Store>) {}

#[cfg(feature = "tokio")]
fn of_runtime() -> Option<Arc<Store>> {
    let runtime = tokio::runtime::Handle::try_current().ok()?;
    with_live(|live| live.of_runtime(runtime.id()))
}

#[cfg(not(feature = "tokio"))]
fn of_runtime() -> Option<Arc<Store>> {
    None
}

/// A capture in progress, on the thread of its test. Ends it when it is dropped.
#[derive(Debug)]
pub(in crate::testing) struct Owned {
    store: Arc<Store>,
    _thread: OwnedThread,
    _context: ContextGuard,
    _name: Option<ThreadName>,
}

impl Owned {
    pub(in crate::testing) fn begin() -> Self {
        let store = with_live(Live::begin);
        let thread = OwnedThread::begin(&store);
        note_runtime(&store);
        let context = Context::current_with_value(InContext(Arc::downgrade(&store))).attach();
        Owned { _thread: thread, _context: context, _name: ThreadName::set(store.number), store }
    }

    pub(in crate::testing) fn store(&self) -> &Arc<Store> {
        &self.store
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        with_live(|live| live.end(&self.store));
    }
}

/// Makes a capture that of this thread until this is dropped.
#[derive(Debug)]
pub(in crate::testing) struct OwnedThread(Arc<Store>);

impl OwnedThread {
    pub(in crate::testing) fn begin(store: &Arc<Store>) -> Self {
        let _ = OF_THREAD.try_with(|of_thread| of_thread.borrow_mut().push(Arc::clone(store)));
        OwnedThread(Arc::clone(store))
    }
}

impl Drop for OwnedThread {
    fn drop(&mut self) {
        let is_it = |other: &Arc<Store>| Arc::ptr_eq(other, &self.0);
        // The innermost one: a scope may be within another of the same test.
        let _ = OF_THREAD.try_with(|of_thread| {
            let mut of_thread = of_thread.borrow_mut();
            of_thread.iter().rposition(is_it).map(|at| of_thread.remove(at))
        });
    }
}

/// Notes that a span belongs to a capture.
pub(in crate::testing) fn claim_span(span: &opentelemetry::trace::SpanContext, store: &Arc<Store>) {
    with_live(|live| live.claim_span(span.trace_id(), span.span_id(), store));
}

/// Returns the capture to which a span belongs.
pub(in crate::testing) fn owner_of_span(span: SpanId) -> Option<Arc<Store>> {
    with_live(|live| live.of_span(span))
}
