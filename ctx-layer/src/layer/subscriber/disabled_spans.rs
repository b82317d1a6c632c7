//! Spans that the stack below disables and that are kept: they carry fields, and no layer sees them.

use tracing_core::{
    Event, Metadata, Subscriber,
    field::ValueSet,
    span::{Attributes, Id},
};

use super::context_subscriber::ContextSubscriber;
use crate::{
    context::Remembered,
    field::Fields,
    layer::{
        ambient::{Ambient, AmbientAdditions, Ids},
        filled::{self, Filled},
        parent::{self, Parentage},
        rewrite::rewrite,
    },
};

impl<S: Subscriber> ContextSubscriber<S> {
    /// Creates a disabled span in the registry, without any layer seeing it.
    #[cold]
    #[inline(never)]
    pub(super) fn keep(&self, attributes: &Attributes<'_>) -> Option<Id> {
        // It remembers what an enabled span would.
        let parent = Parentage::of_span(attributes);
        let remembered = self.core.elsewhere_of(parent).unwrap_or_else(Remembered::current);
        let registry = self.registry()?;
        let id = match self.core.kept_current().filter(|_| attributes.is_contextual()) {
            // The registry does not know that the current span is entered.
            Some(current) => {
                registry.new_span(&Attributes::child_of(current, attributes.metadata(), attributes.values()))
            }
            None => registry.new_span(attributes),
        };
        self.core.kept.insert(&id);
        self.core.remember_all(&id, remembered);
        Some(id)
    }

    /// Creates a span as a kept one, if the stack below disables it.
    #[inline]
    pub(super) fn kept_if_unwanted(
        &self,
        attributes: &Attributes<'_>,
        metadata: &'static Metadata<'static>,
    ) -> Option<Id> {
        let is_enabled = || self.inner.enabled(self.core.augmentation.of(metadata).metadata);
        if self.core.kept.is_unwanted(metadata, is_enabled) { self.keep(attributes) } else { None }
    }

    /// Returns the explicit parent if it is disabled and kept.
    #[inline]
    pub(super) fn kept_parent<'a>(&self, parent: Option<&'a Id>) -> Option<&'a Id> {
        parent.filter(|parent| self.core.kept.contain(parent))
    }

    /// Creates a span whose parent is disabled: for outputs it belongs to the nearest enabled one.
    #[cold]
    #[inline(never)]
    pub(super) fn new_span_in_kept(&self, attributes: &Attributes<'_>, parent: &Id) -> Id {
        let (metadata, values) = (attributes.metadata(), attributes.values());
        let below_nearest = match self.core.kept.nearest(parent, self.registry()) {
            Some(nearest) => Attributes::child_of(nearest, metadata, values),
            None => Attributes::new_root(metadata, values),
        };
        let elsewhere = self.core.elsewhere_of(Parentage::Explicit(parent));
        let ambient = Ambient::resolve(&self.core.augmentation, elsewhere.as_ref(), None);
        let remembered = elsewhere.clone().unwrap_or_else(Remembered::current);
        let id = parent::with_elsewhere(elsewhere, || {
            let augmented = self.core.augmentation.of(metadata);
            self.new_span_with(&below_nearest, augmented, ambient.as_ref().map(Ambient::parts))
        });
        self.core.remember_with_parent(&id, parent, remembered);
        id
    }

    /// Passes on an event whose parent is disabled: for outputs it belongs to the nearest enabled one.
    #[cold]
    #[inline(never)]
    pub(super) fn forward_in_kept(&self, event: &Event<'_>, parent: &Id) {
        let nearest = self.core.kept.nearest(parent, self.registry());
        let of_nearest = nearest.as_ref().map_or(Parentage::Root, Parentage::Explicit);
        let ids = Ids::of_event(&self.core.augmentation, of_nearest, &self.core.home);
        let elsewhere = self.core.elsewhere_of(Parentage::Explicit(parent));
        let ambient = Ambient::resolve(&self.core.augmentation, elsewhere.as_ref(), ids);
        let nothing = Fields::new();
        let (fields, ids) = ambient.as_ref().map_or((&nothing, None), Ambient::parts);
        let augmentation = &self.core.augmentation;
        let augmented = augmentation.of(filled::all_fields_of(event));
        let filled = Filled::in_all(event, augmented.declared);
        let additions = AmbientAdditions { fields, ids, augmentation, augmented, filled };
        parent::with_elsewhere(elsewhere, || {
            rewrite(event, augmented.own, augmented.metadata.fields(), &additions, &mut |values: &ValueSet<'_>| {
                let below_nearest = Event::new_child_of(nearest.clone(), event.metadata(), values);
                additions.filled.passing_on_event(&below_nearest, augmented.metadata, |event| self.forward(event));
            });
        });
    }
}
