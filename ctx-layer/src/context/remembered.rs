//! The values that a span or a future remembers from where it was created.

use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt, KeyValueMetadata},
    trace::{SpanContext, TraceContextExt},
};

use super::{context_value::ContextValueExt, view::is_same_baggage};
use crate::field::Fields;

/// The fields that were current somewhere, and the baggage if there was some.
#[derive(Clone, Default)]
pub(crate) struct Remembered {
    pub(crate) fields: Fields,
    /// A context that has the baggage, and no span, so that no span is kept open.
    baggage: Option<Box<Context>>,
}

impl From<Fields> for Remembered {
    #[inline]
    fn from(fields: Fields) -> Self {
        Remembered { fields, baggage: None }
    }
}

impl Remembered {
    /// Returns fields with the baggage of a context.
    #[inline]
    pub(super) fn with_baggage_of(cx: &Context, fields: Fields) -> Self {
        let baggage = if cx.baggage().is_empty() { None } else { Some(Box::new(without_span(cx))) };
        Remembered { fields, baggage }
    }

    /// Returns the contents of a context, without values that were recorded since.
    pub(crate) fn carried_by(cx: &Context) -> Self {
        Self::with_baggage_of(cx, cx.fields_alone().clone())
    }

    /// Returns the same baggage with other fields.
    pub(crate) fn with_fields(&self, fields: Fields) -> Self {
        Remembered { fields, baggage: self.baggage.clone() }
    }

    /// Returns a context that has the baggage, if there is any.
    pub(crate) fn baggage(&self) -> Option<&Context> {
        self.baggage.as_deref()
    }

    pub(crate) fn has_baggage(&self) -> bool {
        self.baggage.is_some()
    }

    /// Returns `true` if there was neither a field nor baggage.
    pub(crate) fn is_blank(&self) -> bool {
        self.fields.is_blank() && self.baggage.is_none()
    }

    /// Returns `true` if this descends from `other`.
    ///
    /// Other libraries attach baggage in a call that this crate does not see. So if `other` has only baggage, the baggage is
    /// compared.
    pub(crate) fn descends_from(&self, other: &Remembered) -> bool {
        self.fields.descends_from(&other.fields)
            && match &other.baggage {
                Some(others) if other.fields.is_blank() => {
                    self.baggage.as_ref().is_some_and(|mine| is_same_baggage(mine.baggage(), others.baggage()))
                }
                _ => true,
            }
    }

    /// Returns `true` if one of the two descends from the other.
    pub(crate) fn is_related_to(&self, other: &Remembered) -> bool {
        self.descends_from(other) || other.descends_from(self)
    }

    /// Returns `true` if a context has this baggage.
    pub(super) fn has_baggage_of(&self, cx: &Context) -> bool {
        match &self.baggage {
            None => cx.baggage().is_empty(),
            Some(mine) => is_same_baggage(mine.baggage(), cx.baggage()),
        }
    }

    /// Returns the context with these fields and this baggage in place of its own. Its other values are kept.
    pub(crate) fn put_in(&self, cx: &Context) -> Context {
        let restored = cx.with_carried(self.fields.clone(), cx.remote().cloned());
        match &self.baggage {
            None if cx.baggage().is_empty() => restored,
            None => restored.with_cleared_baggage(),
            Some(mine) if is_same_baggage(mine.baggage(), cx.baggage()) => restored,
            Some(mine) => restored.with_baggage(copied(mine.baggage())),
        }
    }
}

fn copied(baggage: &Baggage) -> impl Iterator<Item = KeyValueMetadata> {
    baggage.iter().map(|(key, (value, metadata))| KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone()))
}

fn without_span(cx: &Context) -> Context {
    if cx.has_active_span() { cx.with_remote_span_context(SpanContext::NONE) } else { cx.clone() }
}
