//! The current values, as a layer reads them at each event.

use std::cell::Cell;

use opentelemetry::{Context, baggage::BaggageExt};

use super::{
    context_value::{BAGGAGE, ContextValueExt, NOTHING, address_alone, has_nothing},
    frame_stack::fields_in,
    thread_state::{State, is_ready, read, read_if_ready, state},
};
use crate::field::Fields;

thread_local! {
    /// The fields of the last event of this thread. See [`give_back`].
    static KEPT: Cell<Fields> = const { Cell::new(Fields::new()) };
}

/// Keeps fields that were current for the next event of this thread, which nearly always has the same ones.
///
/// So two threads that work for one request do not pass the cache line with the reference count back and forth with every
/// event. Only sets of [plain](Fields::is_plain) values are kept: dropping others may have effects.
#[inline]
pub(crate) fn give_back(fields: Fields) {
    if !fields.is_blank() && fields.is_plain() {
        let _ = KEPT.try_with(|kept| kept.set(fields));
    }
}

/// The values of the current context for a layer. Small enough to be returned in registers.
pub(crate) enum CurrentFields {
    Nothing,
    /// To be [given back](give_back).
    Fields(Fields),
    /// More has to be checked: there is baggage.
    More,
}

/// Returns `true` if there certainly is no active span, no field, no baggage, and no recorded value.
#[inline(never)]
pub(crate) fn is_nothing_current() -> bool {
    read_if_ready(has_nothing) == Some(true)
}

/// Returns the current values.
#[inline]
pub(crate) fn current_fields() -> CurrentFields {
    if is_ready() { in_context() } else { current_fields_otherwise() }
}

/// Returns the values of the current context. The state must be `Ready`.
#[inline]
fn in_context() -> CurrentFields {
    match Context::map_current(address_alone) {
        NOTHING => CurrentFields::Nothing,
        BAGGAGE => CurrentFields::More,
        address => CurrentFields::Fields(fields_at(address)),
    }
}

#[cold]
fn current_fields_otherwise() -> CurrentFields {
    match state() {
        State::Ready => in_context(),
        State::Recorded => current_fields_recorded(),
        State::NotKnown | State::Refused(_) | State::Gone => CurrentFields::Nothing,
    }
}

/// Returns the current values if something was recorded on a frame.
#[cold]
fn current_fields_recorded() -> CurrentFields {
    match read(|cx| cx.baggage().is_empty().then(|| fields_in(cx))) {
        Some(None) => CurrentFields::More,
        Some(Some(fields)) if !fields.is_blank() => CurrentFields::Fields(fields),
        _ => CurrentFields::Nothing,
    }
}

/// Returns the current fields, whose address is given.
#[inline]
fn fields_at(address: usize) -> Fields {
    let kept = KEPT.try_with(Cell::take).unwrap_or_default();
    if kept.address() == address { kept } else { other_than(kept) }
}

#[cold]
fn other_than(kept: Fields) -> Fields {
    let fields = read(|cx| cx.fields_alone().clone()).unwrap_or_default();
    drop(kept);
    fields
}
