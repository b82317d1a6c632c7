//! The contexts that were put in force because a span was entered, until it is left.

use std::cell::{Cell, RefCell};

use opentelemetry::{Context, ContextGuard};
use smallvec::SmallVec;
use tracing_core::span::Id;

use crate::context::read;

thread_local! {
    /// How many there are: nearly always none, and then the list need not be looked at.
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static ENTERED: RefCell<Vec<Entered>> = {
        // Before this list, so that OpenTelemetry's thread-local outlives it: guards left in it need that.
        let _ = read(|_| ());
        const { RefCell::new(Vec::new()) }
    };
}

/// A span that was entered on this thread and changed the context.
struct Entered {
    /// Spans of different subscribers may have one id.
    subscriber: usize,
    span: Id,
    /// How often it was entered again while its context was in force.
    again: usize,
    guards: SmallVec<[ContextGuard; 1]>,
}

/// Puts `cx` in force until the span is left.
pub(super) fn attach(subscriber: usize, span: &Id, cx: Context) {
    let Some(guard) = read(|_| ()).map(|()| cx.attach()) else { return };
    let entered = Entered { subscriber, span: span.clone(), again: 0, guards: SmallVec::from_buf([guard]) };
    let _ = ENTERED.try_with(|list| list.borrow_mut().push(entered)).map(|()| COUNT.set(COUNT.get() + 1));
}

/// Notes that a span was entered that needed no change. It may be one that is entered already.
#[inline]
pub(super) fn enter_again(subscriber: usize, span: &Id) {
    if COUNT.get() == 0 {
        return;
    }
    let _ = ENTERED.try_with(|list| {
        let mut list = list.borrow_mut();
        if let Some(entered) = list.iter_mut().rfind(|entered| entered.is(subscriber, span)) {
            entered.again += 1;
        }
    });
}

/// Puts `cx` in force until the span, which is entered, is left.
pub(super) fn attach_more(subscriber: usize, span: &Id, cx: Context) {
    let Some(guard) = read(|_| ()).map(|()| cx.attach()) else { return };
    let _ = ENTERED.try_with(|list| {
        let mut list = list.borrow_mut();
        match list.iter_mut().rfind(|entered| entered.is(subscriber, span)) {
            Some(entered) => entered.guards.push(guard),
            None => {
                list.push(Entered { subscriber, span: span.clone(), again: 0, guards: SmallVec::from_buf([guard]) })
            }
        }
    });
}

/// Takes back what entering the span put in force.
#[inline]
pub(super) fn exit(subscriber: usize, span: &Id) {
    if COUNT.get() == 0 {
        return;
    }
    let guards = ENTERED.try_with(|list| {
        let mut list = list.borrow_mut();
        let at = list.iter().rposition(|entered| entered.is(subscriber, span))?;
        if list[at].again > 0 {
            list[at].again -= 1;
            return None;
        }
        COUNT.set(COUNT.get() - 1);
        Some(list.remove(at).guards)
    });
    // Dropped here, outside the borrow: the values' destructors may log.
    if let Ok(Some(mut guards)) = guards {
        while let Some(guard) = guards.pop() {
            drop(guard);
        }
    }
}

impl Entered {
    fn is(&self, subscriber: usize, span: &Id) -> bool {
        self.span == *span && self.subscriber == subscriber
    }
}
