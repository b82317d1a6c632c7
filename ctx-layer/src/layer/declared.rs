//! Values that spans set for registered fields themselves, for outputs that show registered fields on events alone.
//!
//! A span may declare a registered field: `info_span!("request", tenant_id = %tenant)`. On such an output its value is kept with
//! the span and added to the events inside, unless one has a value of its own or a current one. So a line has the field once,
//! with the innermost value, wherever it was set.

use std::sync::atomic::{AtomicBool, Ordering};

use smallvec::SmallVec;
use tracing_core::{Dispatch, Event, Field, Metadata, field::ValueSet, span::Id};
use tracing_subscriber::{Registry, registry::LookupSpan};

use super::{
    address_map::AddressMap,
    filled::{self, Filled},
    kept::{Keep, KeptValue},
    metadata::{Augmentation, Augmented},
    parent::Parentage,
    rewrite::{Additions, RewriteValues, Source, rewrite},
    subscriber::like,
};
use crate::field::Schema;

/// The registered fields of each call site, and the values that spans have set for them.
pub(super) struct Declared {
    /// The schema of the subscriber over the stack.
    stack: Augmentation,
    call_sites: AddressMap<Filled>,
    /// `true` if any span has set such a field: until then events are passed on unchanged.
    is_any: AtomicBool,
}

/// The values that a span set for registered fields, by [`Declaration::id`](crate::field::Declaration). Stored with the span in
/// the registry.
struct Kept(Vec<(usize, KeptValue)>);

impl Declared {
    /// Creates an empty set. `schema` is that of the subscriber over the stack.
    pub(super) fn new(schema: Schema) -> Self {
        Declared { stack: Augmentation::new(schema), call_sites: AddressMap::new(), is_any: AtomicBool::new(false) }
    }

    /// Returns the fields of a call site that are registered and may be on events.
    pub(super) fn of(&self, call_site: &'static Metadata<'static>) -> Filled {
        *self.call_sites.get_or_insert_with(call_site, || {
            let mut declared = Filled::default();
            for field in call_site.fields().iter().filter(|field| field.index() < Filled::MAX) {
                if self.id_of(&field).is_some() {
                    declared.insert(field.index());
                }
            }
            declared
        })
    }

    fn id_of(&self, field: &Field) -> Option<usize> {
        self.stack
            .schema
            .fields()
            .find(|(declaration, policy)| declaration.name() == field.name() && policy.on_events())
            .map(|(declaration, _)| declaration.id())
    }

    /// Stores the values that a span set for the `declared` fields.
    pub(super) fn keep(&self, dispatch: &Dispatch, span: &Id, values: &dyn Source, declared: Filled) {
        let mut keep = Keep::new(|field: &Field| declared.contains(field.index()));
        values.record(&mut keep);
        if keep.found.is_empty() {
            return;
        }
        // No other library's code runs while the span's extensions are locked.
        if let Some(span) = dispatch.downcast_ref::<Registry>().and_then(|registry| registry.span(span)) {
            let mut extensions = span.extensions_mut();
            if extensions.get_mut::<Kept>().is_none() {
                extensions.insert(Kept(Vec::new()));
            }
            if let Some(Kept(kept)) = extensions.get_mut() {
                for (field, value) in keep.found {
                    let Some(id) = self.id_of(&field) else { continue };
                    kept.retain(|(known, _)| *known != id);
                    kept.push((id, value));
                }
            }
            self.is_any.store(true, Ordering::Relaxed);
        }
    }

    /// Returns `true` if any span has set such a field.
    #[inline]
    pub(super) fn is_any(&self) -> bool {
        self.is_any.load(Ordering::Relaxed)
    }

    /// Calls `f` with the event, and with the values that its spans have set.
    pub(super) fn with_event<R>(
        &self,
        dispatch: &Dispatch,
        event: &Event<'_>,
        mut f: impl FnMut(&Event<'_>) -> R,
    ) -> R {
        let augmented = self.stack.of(filled::all_fields_of(event));
        let of_spans = OfSpans { values: kept_for(dispatch, event), augmented };
        if of_spans.values.is_empty() || !augmented.takes_fields {
            return f(event);
        }
        // The current fields of the stack are among them already.
        let own = event.fields().count();
        let filled = Filled::before(event);
        let mut result = None;
        rewrite(event, own, augmented.metadata.fields(), &of_spans, &mut |values: &ValueSet<'_>| {
            result = Some(filled.passing_on_event(&like(event, values), augmented.metadata, &mut f));
        });
        // `rewrite` calls back exactly once.
        result.unwrap_or_else(|| f(event))
    }
}

/// Returns the values set by the spans that an event belongs to, the innermost of each field.
fn kept_for(dispatch: &Dispatch, event: &Event<'_>) -> SmallVec<[(usize, KeptValue); 2]> {
    let mut values = SmallVec::new();
    let current;
    let span = match Parentage::of_event(event) {
        Parentage::Contextual => {
            current = dispatch.current_span();
            current.id()
        }
        Parentage::Explicit(parent) => Some(parent),
        Parentage::Root => None,
    };
    let registry = dispatch.downcast_ref::<Registry>();
    let Some(span) = registry.zip(span).and_then(|(registry, span)| registry.span(span)) else { return values };
    for span in span.scope() {
        if let Some(Kept(kept)) = span.extensions().get() {
            for (id, value) in kept {
                if values.iter().all(|(known, _)| known != id) {
                    values.push((*id, value.clone()));
                }
            }
        }
    }
    values
}

/// Adds the values of spans to an event, for fields without a value.
struct OfSpans {
    values: SmallVec<[(usize, KeptValue); 2]>,
    augmented: &'static Augmented,
}

impl Additions for OfSpans {
    fn add<'v>(&'v self, values: &mut RewriteValues<'v>) {
        for (id, kept) in &self.values {
            if let Some(target) = self.augmented.target(*id)
                && let Some(value @ None) = values.get_mut(target.index())
            {
                *value = Some(kept.as_value());
            }
        }
    }
}
