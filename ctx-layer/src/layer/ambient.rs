//! What is put on one span or event: the fields that apply to it.

use opentelemetry::{Context, SpanId, TraceId, baggage::BaggageExt};
use tracing_core::{
    Event,
    field::{DisplayValue, Value, display},
    span::{Attributes, Id},
};

use super::{
    home::Home,
    metadata::{Augmentation, Augmented},
    rewrite::{Additions, Values},
    spans::Remembered,
};
use crate::{
    context::{ContextFieldsExt, active_ids, read},
    field::{Derived, Fields},
};

/// The values that apply to one span or event, where they are more than the fields in force, or others.
pub(super) struct Ambient {
    pub(super) fields: Fields,
    pub(super) ids: Option<Ids>,
}

/// The ids of the active OpenTelemetry span; formatted by who prints them.
pub(super) struct Ids {
    trace_id: DisplayValue<TraceId>,
    span_id: DisplayValue<SpanId>,
}

/// The three kinds of parent that a span or event can have.
#[derive(Clone, Copy)]
pub(super) enum Parentage<'a> {
    /// The current span, if there is one.
    Contextual,
    /// None, though there may be a current span.
    Root,
    /// A span that was named.
    Explicit(&'a Id),
}

impl<'a> Parentage<'a> {
    #[inline]
    pub(super) fn of_event(event: &'a Event<'_>) -> Self {
        match event.parent() {
            Some(parent) => Parentage::Explicit(parent),
            None if event.is_root() => Parentage::Root,
            None => Parentage::Contextual,
        }
    }

    #[inline]
    pub(super) fn of_span(attributes: &'a Attributes<'_>) -> Self {
        match attributes.parent() {
            Some(parent) => Parentage::Explicit(parent),
            None if attributes.is_root() => Parentage::Root,
            None => Parentage::Contextual,
        }
    }
}

impl Ids {
    #[inline]
    fn of(
        augmentation: &Augmentation,
        parent: Parentage<'_>,
        active: Option<(TraceId, SpanId)>,
        home: &Home,
    ) -> Option<Self> {
        if augmentation.derived.is_empty() {
            return None;
        }
        let (trace_id, span_id) = match parent {
            // The OpenTelemetry layer may have been told not to activate its contexts.
            Parentage::Contextual => active.or_else(|| home.ids_of_current())?,
            Parentage::Explicit(parent) => home.ids_of(parent)?,
            Parentage::Root => return None,
        };
        Some(Ids { trace_id: display(trace_id), span_id: display(span_id) })
    }
}

impl Ambient {
    /// What is in force; `None` where there is nothing to put on anything.
    pub(super) fn current(augmentation: &Augmentation, parent: Parentage<'_>, home: &Home) -> Option<Self> {
        let cx = read(Context::clone)?;
        Self::new(augmentation, &cx, Ids::of(augmentation, parent, active_ids(&cx), home))
    }

    /// What a span remembers.
    pub(super) fn of(
        augmentation: &Augmentation,
        remembered: &Remembered,
        parent: Parentage<'_>,
        home: &Home,
    ) -> Option<Self> {
        let ids = Ids::of(augmentation, parent, None, home);
        match remembered {
            Remembered::Fields(fields) => Some(Ambient { fields: fields.clone(), ids }),
            Remembered::WithBaggage(cx) => Self::new(augmentation, cx, ids),
        }
    }

    fn new(augmentation: &Augmentation, cx: &Context, ids: Option<Ids>) -> Option<Self> {
        let declarations = augmentation.schema.registered().iter().map(|field| field.declaration.0);
        let fields = cx.fields().clone().with_baggage(cx.baggage(), declarations);
        (!fields.is_empty() || ids.is_some()).then_some(Ambient { fields, ids })
    }
}

/// Puts values on something: each at its field's index, unless the code set the field itself.
pub(super) struct Onto<'a> {
    pub(super) fields: &'a Fields,
    pub(super) ids: Option<&'a Ids>,
    pub(super) augmentation: &'a Augmentation,
    pub(super) augmented: &'a Augmented,
}

impl Additions for Onto<'_> {
    #[inline(always)]
    fn add<'v>(&'v self, values: &mut Values<'v>) {
        for slot in self.fields.as_slots() {
            if let Some(target) = self.augmented.target(slot.id)
                && let Some(value @ None) = values.get_mut(target.index())
            {
                *value = Some(slot.entry.as_value(target.sensitivity));
            }
        }
        if let Some(ids) = self.ids {
            for (id, derived) in &self.augmentation.derived {
                if let Some(target) = self.augmented.target(*id)
                    && let Some(value @ None) = values.get_mut(target.index())
                {
                    *value = Some(match derived {
                        Derived::TraceId => &ids.trace_id as &dyn Value,
                        Derived::SpanId => &ids.span_id,
                    });
                }
            }
        }
    }
}
