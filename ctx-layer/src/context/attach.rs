//! Attaching a context, and detecting that OpenTelemetry refused it.

use std::mem;

use opentelemetry::{Context, ContextGuard};

use super::{
    context_value::ContextValueExt,
    thread_state::{self, State},
};

/// A context that is attached until this is dropped.
#[derive(Debug)]
pub(crate) struct Attached {
    /// `None` if the thread was being torn down.
    guard: Option<ContextGuard>,
    /// OpenTelemetry did not attach the context.
    refused: bool,
}

/// Attaches a context. `address` is that of its fields, which the caller knows.
///
/// OpenTelemetry refuses more than 65 534 contexts on a thread, and leaves the previous one current, which may be
/// another tenant's. From then until the guard is dropped, no field is current on this thread.
pub(crate) fn attach(cx: Context, address: usize) -> Attached {
    if thread_state::state() == State::Gone {
        return Attached { guard: None, refused: false };
    }
    let guard = Some(cx.attach());
    let refused = Context::map_current(address_of) != address;
    if refused {
        thread_state::refuse(1);
    }
    Attached { guard, refused }
}

// Not inlined, so that callers that borrow the thread's context are small enough to be.
#[inline(never)]
fn address_of(cx: &Context) -> usize {
    cx.fields_alone().address()
}

impl Drop for Attached {
    fn drop(&mut self) {
        if self.refused {
            thread_state::refuse(-1);
        }
        if thread_state::state() == State::Gone {
            // The guard may have been kept in a thread-local that is older than OpenTelemetry's: dropping it now would
            // panic, and there is no context left to detach.
            mem::forget(self.guard.take());
        }
    }
}
