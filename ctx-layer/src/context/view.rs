//! The visible parts of an OpenTelemetry context.

use std::{
    hash::{BuildHasher, RandomState},
    ptr,
    sync::LazyLock,
};

use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    trace::TraceContextExt,
};

use super::context_value::{ContextValueExt, NOTHING};

/// The parts of an OpenTelemetry context that this crate can see. They distinguish another library's context from a frame's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// The address of the fields, or [`NOTHING`] for the set without calls.
    pub(crate) address: usize,
    /// The address of the baggage, or 0 if there is none.
    pub(crate) baggage: usize,
    /// The id of the active span, or 0 if there is none.
    span: u64,
    pub(crate) has_span: bool,
    is_suppressed: bool,
}

impl View {
    /// The view of an empty context.
    pub(crate) const NOTHING: Self =
        View { address: NOTHING, baggage: 0, span: 0, has_span: false, is_suppressed: false };

    #[inline]
    pub(crate) fn of(cx: &Context) -> Self {
        View {
            address: cx.fields_alone().address(),
            baggage: baggage_address(cx.baggage()),
            span: span_id(cx),
            has_span: cx.has_active_span(),
            is_suppressed: cx.is_telemetry_suppressed(),
        }
    }

    /// Returns the view of a context that differs from this one's only in its fields.
    #[inline]
    pub(super) fn with_address(self, address: usize) -> Self {
        View { address, ..self }
    }

    /// Returns `true` if this is the view of a context.
    #[inline]
    pub(super) fn is_of(&self, cx: &Context) -> bool {
        self.address == cx.fields_alone().address()
            && self.baggage == baggage_address(cx.baggage())
            && self.has_span == cx.has_active_span()
            && self.is_suppressed == cx.is_telemetry_suppressed()
            && (!self.has_span || self.span == id_of_span(cx))
    }
}

#[inline]
fn baggage_address(baggage: &Baggage) -> usize {
    if baggage.is_empty() { 0 } else { ptr::from_ref(baggage).addr() }
}

#[inline]
fn span_id(cx: &Context) -> u64 {
    if cx.has_active_span() { id_of_span(cx) } else { 0 }
}

#[inline(never)]
fn id_of_span(cx: &Context) -> u64 {
    u64::from_be_bytes(cx.span().span_context().span_id().to_bytes())
}

/// Returns a hash of the members, by which baggage is distinguished; 0 where there is none.
pub(crate) fn baggage_hash(baggage: &Baggage) -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    // In whatever order the members are.
    let members = baggage.iter();
    members.fold(0, |hash, (key, (value, metadata))| {
        hash.wrapping_add(KEYS.hash_one((key.as_str(), value.as_str(), metadata.as_str())))
    })
}

/// Returns `true` if two baggages say the same.
pub(crate) fn is_same_baggage(one: &Baggage, other: &Baggage) -> bool {
    ptr::eq(one, other)
        || (one.len() == other.len()
            && one.iter().all(|(key, value)| other.get_with_metadata(key.as_str()) == Some(value)))
}
