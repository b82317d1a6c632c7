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
};
use crate::{
    context::{ContextFieldsExt, active_ids, read},
    field::{Derived, Fields},
};

/// The values that apply to one span or event.
pub(super) struct Ambient {
    fields: Fields,
    ids: Option<Ids>,
}

/// The ids of the active OpenTelemetry span; formatted by who prints them.
struct Ids {
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
    #[inline]
    pub(super) fn current(augmentation: &Augmentation, parent: Parentage<'_>, home: &Home) -> Option<Self> {
        let (fields, with_baggage, active) = read(|cx| {
            let active = if augmentation.derived.is_empty() { None } else { active_ids(cx) };
            (cx.fields().clone(), (!cx.baggage().is_empty()).then(|| cx.clone()), active)
        })?;
        let ids = Ids::of(augmentation, parent, active, home);
        Self::new(augmentation, fields, ids, with_baggage)
    }

    /// What a context that is not the current one holds.
    pub(super) fn of(augmentation: &Augmentation, cx: &Context, parent: Parentage<'_>, home: &Home) -> Option<Self> {
        let with_baggage = (!cx.baggage().is_empty()).then(|| cx.clone());
        let ids = Ids::of(augmentation, parent, None, home);
        Self::new(augmentation, cx.fields().clone(), ids, with_baggage)
    }

    #[inline]
    fn new(
        augmentation: &Augmentation,
        fields: Fields,
        ids: Option<Ids>,
        with_baggage: Option<Context>,
    ) -> Option<Self> {
        let fields = match with_baggage {
            None => fields,
            Some(cx) => {
                let declarations = augmentation.schema.registered().iter().map(|field| field.declaration.0);
                fields.with_baggage(cx.baggage(), declarations)
            }
        };
        (!fields.is_empty() || ids.is_some()).then_some(Ambient { fields, ids })
    }

    /// Calls for putting these values on something with the given metadata.
    pub(super) fn onto<'a>(&'a self, augmentation: &'a Augmentation, augmented: &'a Augmented) -> impl Additions + 'a {
        Onto { ambient: self, augmentation, augmented }
    }
}

struct Onto<'a> {
    ambient: &'a Ambient,
    augmentation: &'a Augmentation,
    augmented: &'a Augmented,
}

impl Onto<'_> {
    /// Puts a value at its field's index, unless the code set the field itself.
    #[inline]
    fn put<'v>(&self, values: &mut Values<'v>, place: usize, value: impl FnOnce() -> &'v (dyn Value + 'v)) {
        if let Some(index) = self.augmented.index(place)
            && let Some(slot @ None) = values.get_mut(index)
        {
            *slot = Some(value());
        }
    }
}

impl Additions for Onto<'_> {
    #[inline]
    fn add<'v>(&'v self, values: &mut Values<'v>) {
        let schema = &self.augmentation.schema;
        for slot in self.ambient.fields.as_slots() {
            if let Some(place) = schema.place(slot.id) {
                self.put(values, place, || slot.entry.as_value(schema.registered()[place].policy.sensitivity()));
            }
        }
        if let Some(ids) = &self.ambient.ids {
            for (place, derived) in &self.augmentation.derived {
                self.put(values, *place, || match derived {
                    Derived::TraceId => &ids.trace_id as &dyn Value,
                    Derived::SpanId => &ids.span_id,
                });
            }
        }
    }
}
