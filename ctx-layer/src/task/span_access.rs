//! The current span, and whether it can still be read on this thread.

use std::cell::Cell;

use thread_local::ThreadLocal;
use tracing::{Span, level_filters::LevelFilter};

use crate::{context::is_gone, thread_probe::ThreadProbe};

thread_local! {
    /// Has no destructor, and so can always be read.
    static STATE: Cell<SpanAccess> = const { Cell::new(SpanAccess::Unknown) };
    /// Destroyed before the registry's stack of spans.
    static PROBE: ThreadProbe = ThreadProbe::new(set_usable, || *SAME.get_or_default());
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SpanAccess {
    Unknown,
    Usable,
    /// The thread is being torn down. `tracing_subscriber::Registry` keeps its stack of spans in a [`ThreadLocal`], and panics
    /// when a span is entered then.
    Gone,
}

/// Shares with the registry's stack of spans what identifies a thread.
static SAME: ThreadLocal<()> = ThreadLocal::new();

fn set_usable(is_usable: bool) {
    STATE.set(if is_usable { SpanAccess::Usable } else { SpanAccess::Gone });
}

/// Returns `true` if the current span of this thread can be read.
#[inline]
pub(super) fn is_usable() -> bool {
    match STATE.get() {
        SpanAccess::Usable => true,
        SpanAccess::Gone => false,
        SpanAccess::Unknown => check(),
    }
}

#[cold]
fn check() -> bool {
    PROBE.try_with(|_| STATE.get() == SpanAccess::Usable).unwrap_or(false)
}

/// Returns `true` if a span may be entered on this thread.
#[inline]
pub(super) fn may_be_entered() -> bool {
    is_usable() && !is_gone()
}

/// Returns `true` if there may be a current span. Without a subscriber there is none, which is cheap to check.
#[inline]
pub(super) fn may_any_be_current() -> bool {
    LevelFilter::current() != LevelFilter::OFF
}

/// Returns the current span, or a disabled one if there is none.
#[inline]
pub(super) fn current() -> Span {
    if may_any_be_current() && is_usable() { Span::current() } else { Span::none() }
}

/// Returns `true` if a span is the current one of its subscriber.
#[inline]
pub(super) fn is_current(span: &Span) -> bool {
    span.with_subscriber(|(id, subscriber)| subscriber.current_span().id() == Some(id)) == Some(true)
}

/// Returns `true` if any span is current on this thread.
#[inline]
pub(super) fn is_any_current() -> bool {
    may_any_be_current()
        && is_usable()
        && tracing::dispatcher::get_default(|subscriber| subscriber.current_span().id().is_some())
}
