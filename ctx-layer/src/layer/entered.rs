//! The contexts that were put in force because a span was entered, until it is left.

use std::cell::{Cell, RefCell};

use opentelemetry::Context;
use tracing_core::span::Id;

use crate::context::{Attached, attach as attach_context, read};

thread_local! {
    /// One bit for the ids of those in the list: nearly always it need not be looked at.
    static BITS: Cell<u64> = const { Cell::new(0) };
    static ENTERED: RefCell<Vec<Entered>> = {
        // Before this list, so that OpenTelemetry's thread-local outlives it: what is attached in it needs that.
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
    attached: Attached,
}

/// Puts `cx` in force until the span is left.
pub(super) fn attach(subscriber: usize, span: &Id, cx: Context) {
    let entered = Entered { subscriber, span: span.clone(), again: 0, attached: attach_context(cx) };
    with_list(|list| list.push(entered));
}

/// Notes that a span was entered that needed no change. It may be one that is entered already.
#[inline]
pub(super) fn enter_again(subscriber: usize, span: &Id) {
    if may_be_listed(span) {
        with_list(|list| {
            if let Some(entered) = list.iter_mut().rfind(|entered| entered.is(subscriber, span)) {
                entered.again += 1;
            }
        });
    }
}

/// Takes back what entering the span put in force.
#[inline]
pub(super) fn exit(subscriber: usize, span: &Id) {
    if !may_be_listed(span) {
        return;
    }
    let attached = with_list(|list| {
        let at = list.iter().rposition(|entered| entered.is(subscriber, span))?;
        if list[at].again > 0 {
            list[at].again -= 1;
            return None;
        }
        Some(list.remove(at).attached)
    });
    // Here, outside the borrow: the values' destructors may log.
    drop(attached);
}

#[inline]
fn may_be_listed(span: &Id) -> bool {
    BITS.get() & bit(span) != 0
}

#[inline]
fn bit(span: &Id) -> u64 {
    1 << (span.into_u64() % 64)
}

fn with_list<R>(f: impl FnOnce(&mut Vec<Entered>) -> R) -> Option<R> {
    ENTERED
        .try_with(|list| {
            let mut list = list.borrow_mut();
            let result = f(&mut list);
            BITS.set(list.iter().fold(0, |bits, entered| bits | bit(&entered.span)));
            result
        })
        .ok()
}

impl Entered {
    fn is(&self, subscriber: usize, span: &Id) -> bool {
        self.span == *span && self.subscriber == subscriber
    }
}
