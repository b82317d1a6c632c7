//! The value of this crate in an OpenTelemetry context.

use opentelemetry::{Context, baggage::BaggageExt, trace::TraceContextExt};

use super::remote::Remote;
use crate::field::Fields;

/// The address of the empty set.
pub(crate) const NOTHING: usize = 0;
/// Not the address of any set.
pub(crate) const BAGGAGE: usize = usize::MAX;

static EMPTY: Fields = Fields::new();

/// The value of this crate in an OpenTelemetry context. A single one: each more would cost three allocations.
struct ContextValue {
    fields: Fields,
    remote: Option<Remote>,
}

/// Access to the value in a context.
pub(crate) trait ContextValueExt {
    /// Returns the fields, without values that were recorded since.
    fn fields_alone(&self) -> &Fields;

    fn remote(&self) -> Option<&Remote>;

    fn with_carried(&self, fields: Fields, remote: Option<Remote>) -> Self;
}

impl ContextValueExt for Context {
    #[inline]
    fn fields_alone(&self) -> &Fields {
        self.get().map_or(&EMPTY, |carried: &ContextValue| &carried.fields)
    }

    fn remote(&self) -> Option<&Remote> {
        self.get().and_then(|carried: &ContextValue| carried.remote.as_ref())
    }

    fn with_carried(&self, fields: Fields, remote: Option<Remote>) -> Self {
        self.with_value(ContextValue { fields, remote })
    }
}

/// Returns the address of a context's fields, or [`BAGGAGE`] if there is baggage.
///
/// Returns only a number, in a register, to keep the function as small as possible.
#[inline]
pub(crate) fn address_alone(cx: &Context) -> usize {
    if cx.baggage().is_empty() { cx.fields_alone().address() } else { BAGGAGE }
}

/// Returns `true` if a context has neither a span, nor fields, nor baggage, and does not suppress telemetry.
#[inline]
pub(crate) fn is_blank(cx: &Context) -> bool {
    !cx.has_active_span() && cx.fields_alone().is_blank() && cx.baggage().is_empty() && !cx.is_telemetry_suppressed()
}

/// Returns `true` if a context is blank, and this crate has stored nothing in it, not even an empty set.
///
/// Not inlined, so that callers that borrow the thread's context are small enough to be.
#[inline(never)]
pub(crate) fn has_nothing(cx: &Context) -> bool {
    !cx.has_active_span()
        && !cx.is_telemetry_suppressed()
        && cx.get::<ContextValue>().is_none()
        && cx.baggage().is_empty()
}
