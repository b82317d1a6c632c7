//! The values to add to one span or event.

use opentelemetry::{SpanId, TraceId, baggage::BaggageExt};
use tracing_core::field::{DisplayValue, Value, display};

use super::{
    filled::Filled,
    metadata::{Augmentation, Augmented},
    parent::Parentage,
    rewrite::{Additions, RewriteValues},
    stack_dispatch::StackDispatch,
};
use crate::{
    context::{Remembered, active_ids, read},
    field::{Derived, Fields},
};

/// The values that apply to one span or event, if they differ from the current fields alone.
pub(super) struct Ambient {
    fields: Fields,
    ids: Option<Ids>,
}

/// The ids of the active OpenTelemetry span; formatted only when they are printed.
pub(super) struct Ids {
    trace_id: DisplayValue<TraceId>,
    span_id: DisplayValue<SpanId>,
}

impl Ids {
    /// The ids for an event with the given parent.
    pub(super) fn of_event(augmentation: &Augmentation, parent: Parentage<'_>, home: &StackDispatch) -> Option<Self> {
        if augmentation.derived.is_empty() {
            return None;
        }
        let (trace_id, span_id) = match parent {
            // The OpenTelemetry layer may be configured not to activate its contexts.
            Parentage::Contextual => read(active_ids).flatten().or_else(|| home.ids_of_current())?,
            Parentage::Explicit(parent) => home.ids_of_parent(parent)?,
            Parentage::Root => return None,
        };
        Some(Ids { trace_id: display(trace_id), span_id: display(span_id) })
    }
}

impl Ambient {
    /// Returns the values that apply: `elsewhere`, which the explicit parent remembers, or else the current ones. Returns `None`
    /// if there is nothing to add.
    #[cold]
    #[inline(never)]
    pub(super) fn resolve(
        augmentation: &Augmentation,
        elsewhere: Option<&Remembered>,
        ids: Option<Ids>,
    ) -> Option<Self> {
        let fields = match elsewhere {
            Some(elsewhere) => Self::fields_of(augmentation, elsewhere),
            None => Self::fields_of(augmentation, &Remembered::current()),
        };
        (!fields.is_empty() || ids.is_some()).then_some(Ambient { fields, ids })
    }

    fn fields_of(augmentation: &Augmentation, remembered: &Remembered) -> Fields {
        let fields = remembered.fields.clone();
        let Some(cx) = remembered.baggage() else { return fields };
        let declarations = augmentation.schema.registered().iter().map(|field| field.declaration.0);
        fields.with_baggage(cx.baggage(), declarations)
    }

    /// Returns the fields and the ids.
    pub(super) fn parts(&self) -> (&Fields, Option<&Ids>) {
        (&self.fields, self.ids.as_ref())
    }
}

/// Adds each value at its field's index, unless the code set the field itself.
pub(super) struct AmbientAdditions<'a> {
    pub(super) fields: &'a Fields,
    pub(super) ids: Option<&'a Ids>,
    pub(super) augmentation: &'a Augmentation,
    pub(super) augmented: &'a Augmented,
    pub(super) filled: Filled,
}

/// Puts each field at its index among the values.
#[inline(always)]
pub(super) fn put<'v>(fields: &'v Fields, augmented: &Augmented, filled: Filled, values: &mut RewriteValues<'v>) {
    for (id, entry) in fields.entries() {
        if let Some(target) = augmented.target(id)
            && let Some(value) = values.get_mut(target.index())
            && (value.is_none() || target.overrides || filled.contains(target.index()))
        {
            *value = Some(entry.as_value(target.sensitivity));
        }
    }
}

impl Additions for AmbientAdditions<'_> {
    #[inline(always)]
    fn add<'v>(&'v self, values: &mut RewriteValues<'v>) {
        put(self.fields, self.augmented, self.filled, values);
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
