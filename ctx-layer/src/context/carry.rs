//! Bringing a context that was remembered elsewhere into force here.

use opentelemetry::{Context, baggage::BaggageExt};

use super::{ContextFieldsExt, current::active_ids};

/// By which it can be told that two contexts have the very same fields and baggage, while both are alive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    fields: usize,
    baggage: usize,
}

impl Identity {
    #[inline]
    pub(crate) fn of(cx: &Context) -> Self {
        Identity { fields: cx.fields().address(), baggage: std::ptr::from_ref(cx.baggage()).addr() }
    }
}

/// Whether all that `remembered` says of fields and baggage is in force in `current` already.
///
/// Then `current` is `remembered`, or was made from it by setting more, and there is nothing to change. Otherwise the
/// two belong to different requests, and are never mixed: one tenant with another's user would be neither's.
pub(crate) fn is_in_force(remembered: &Context, current: &Context) -> bool {
    remembered.fields().is_within(current.fields()) && {
        let (wanted, present) = (remembered.baggage(), current.baggage());
        std::ptr::eq(wanted, present)
            || wanted.iter().all(|(key, value)| present.get_with_metadata(key.as_str()) == Some(value))
    }
}

/// The context to attach so that fields and baggage of `remembered` come into force.
///
/// Where `current` has an active OpenTelemetry span of its own, that span stays: somebody (an OpenTelemetry layer, when
/// the span was entered) made it active on purpose. Suppressed telemetry stays suppressed.
pub(crate) fn attach_over(current: &Context, remembered: &Context) -> Context {
    let own_span = active_ids(current);
    let cx = if own_span.is_none() || own_span == active_ids(remembered) {
        remembered.clone()
    } else {
        let cx = current.with_fields(remembered.fields().clone());
        if std::ptr::eq(current.baggage(), remembered.baggage()) {
            cx
        } else {
            cx.with_baggage(remembered.baggage().iter().map(|(key, (value, metadata))| {
                opentelemetry::baggage::KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone())
            }))
        }
    };
    if current.is_telemetry_suppressed() && !cx.is_telemetry_suppressed() { cx.with_telemetry_suppressed() } else { cx }
}
