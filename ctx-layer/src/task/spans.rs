//! The current span, and whether this thread may still have one.

use std::{cell::Cell, panic};

use thread_local::ThreadLocal;
use tracing::{Span, level_filters::LevelFilter};

use crate::context::is_gone;

thread_local! {
    /// Has no destructor, and so can always be read.
    static STATE: Cell<State> = const { Cell::new(State::NotKnown) };
    static END: End = End::new();
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    NotKnown,
    Usable,
    /// The thread is being torn down. `tracing_subscriber::Registry` keeps its stack of spans in a [`ThreadLocal`], and panics
    /// when a span is entered then.
    Gone,
}

/// All of these share what says which thread it is, the registry's stack of spans, too.
static PROBE: ThreadLocal<()> = ThreadLocal::new();

/// Thread-locals are destroyed last-made first, so what is made after the registry's is gone before it.
struct End;

impl End {
    fn new() -> Self {
        // Fails where a thread that used no span before is being torn down. There is no way to ask.
        let usable = panic::catch_unwind(|| *PROBE.get_or_default()).is_ok();
        STATE.set(if usable { State::Usable } else { State::Gone });
        End
    }
}

impl Drop for End {
    fn drop(&mut self) {
        STATE.set(State::Gone);
    }
}

/// Whether this thread can have a current span.
#[inline]
pub(super) fn is_usable() -> bool {
    match STATE.get() {
        State::Usable => true,
        State::Gone => false,
        State::NotKnown => find_out(),
    }
}

#[cold]
fn find_out() -> bool {
    END.try_with(|_| STATE.get() == State::Usable).unwrap_or(false)
}

/// Whether a span may be entered on this thread.
#[inline]
pub(super) fn may_be_entered() -> bool {
    is_usable() && !is_gone()
}

/// Whether there can be a current span at all: without a subscriber there is none, and that can be told at once.
#[inline]
pub(super) fn may_any_be_current() -> bool {
    LevelFilter::current() != LevelFilter::OFF
}

/// The current span; a disabled one where there is none.
#[inline]
pub(super) fn current() -> Span {
    if may_any_be_current() && is_usable() { Span::current() } else { Span::none() }
}

/// Whether a span is the current one of its subscriber.
#[inline]
pub(super) fn is_current(span: &Span) -> bool {
    span.with_subscriber(|(id, subscriber)| subscriber.current_span().id() == Some(id)) == Some(true)
}

/// Whether any span is current on this thread.
#[inline]
pub(super) fn is_any_current() -> bool {
    may_any_be_current()
        && is_usable()
        && tracing::dispatcher::get_default(|subscriber| subscriber.current_span().id().is_some())
}
