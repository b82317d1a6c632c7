//! The parent of a span or event.

use tracing_core::{
    Event,
    span::{Attributes, Id},
};

pub(super) use super::side_channel::{elsewhere, with_elsewhere};

/// The kind of parent that a span or event has.
#[derive(Clone, Copy)]
pub(crate) enum Parentage<'a> {
    /// The current span, if there is one.
    Contextual,
    /// No parent, though there may be a current span.
    Root,
    /// A given span.
    Explicit(&'a Id),
}

impl<'a> Parentage<'a> {
    #[inline]
    pub(crate) fn of_event(event: &'a Event<'_>) -> Self {
        if event.is_contextual() {
            return Parentage::Contextual;
        }
        event.parent().map_or(Parentage::Root, Parentage::Explicit)
    }

    #[inline]
    pub(super) fn of_span(attributes: &'a Attributes<'_>) -> Self {
        if attributes.is_contextual() {
            return Parentage::Contextual;
        }
        attributes.parent().map_or(Parentage::Root, Parentage::Explicit)
    }
}
