//! Passing on spans and events with the fields that are current for them.

use tracing_core::{
    Event, Metadata, Subscriber,
    field::ValueSet,
    span::{Attributes, Id},
};
use tracing_subscriber::registry::LookupSpan;

use super::context_subscriber::ContextSubscriber;
use crate::{
    context::Remembered,
    field::Fields,
    layer::{
        ambient::{Ambient, AmbientAdditions, Ids},
        filled::{self, Filled},
        metadata::Augmented,
        parent::{self, Parentage},
        postponed,
        rewrite::rewrite,
        span_lock,
    },
};

impl<S: Subscriber> ContextSubscriber<S> {
    pub(super) fn forward(&self, event: &Event<'_>) {
        if self.inner.event_enabled(event) {
            self.inner.event(event);
        }
    }

    /// Calls `f`, in which an OpenTelemetry layer may hold a span's lock.
    #[inline]
    pub(super) fn locking<R>(&self, f: impl FnOnce() -> R) -> R {
        let result = span_lock::holding(f);
        if span_lock::is_postponed() {
            self.pass_on_postponed();
        }
        result
    }

    pub(super) fn pass_on_postponed(&self) {
        let registry = self.registry();
        postponed::pass_on(self.core.key(), &self.core.augmentation, |span, values| {
            // Layers panic if the span is closed.
            if registry.is_none_or(|registry| registry.span(span).is_some()) {
                self.record(span, values);
            }
        });
    }

    #[inline]
    pub(super) fn create(&self, attributes: &Attributes<'_>) -> Id {
        self.locking(|| self.inner.new_span(attributes))
    }

    #[inline]
    pub(super) fn new_span_with(
        &self,
        attributes: &Attributes<'_>,
        augmented: &'static Augmented,
        ambient: Option<(&Fields, Option<&Ids>)>,
    ) -> Id {
        let augmentation = &self.core.augmentation;
        let (fields, ids) = match ambient {
            Some(ambient) if augmented.takes_fields => ambient,
            // The added names are on the span nonetheless: a value may be recorded later.
            _ => return self.create(&with_parent_of(attributes, augmented.metadata, attributes.values())),
        };
        let filled = Filled::in_all(attributes, augmented.declared);
        let additions = AmbientAdditions { fields, ids, augmentation, augmented, filled };
        let mut id = None;
        rewrite(attributes, augmented.own, augmented.metadata.fields(), &additions, &mut |values: &ValueSet<'_>| {
            let attributes = with_parent_of(attributes, augmented.metadata, values);
            id = Some(additions.filled.passing_on(&attributes, |attributes| self.create(attributes)));
        });
        // `rewrite` calls back exactly once.
        id.unwrap_or_else(|| self.create(attributes))
    }

    // Not inlined, so that events without fields do not pay for its stack frame.
    #[inline(never)]
    pub(super) fn forward_with(&self, event: &Event<'_>, fields: &Fields, ids: Option<&Ids>) {
        let augmentation = &self.core.augmentation;
        let augmented = augmentation.of(filled::all_fields_of(event));
        if !augmented.takes_fields {
            return self.forward(event);
        }
        let filled = Filled::in_all(event, augmented.declared);
        let additions = AmbientAdditions { fields, ids, augmentation, augmented, filled };
        rewrite(event, augmented.own, augmented.metadata.fields(), &additions, &mut |values: &ValueSet<'_>| {
            let like = like(event, values);
            additions.filled.passing_on_event(&like, augmented.metadata, |event| self.forward(event));
        });
    }

    /// Passes on an event without added fields, because all outputs read the fields themselves.
    #[cfg(feature = "_output")]
    #[inline]
    pub(super) fn forward_as_it_is(&self, event: &Event<'_>) {
        let parent = Parentage::of_event(event);
        if !matches!(parent, Parentage::Explicit(_)) {
            return self.forward(event);
        }
        parent::with_elsewhere(self.core.elsewhere_of(parent), || self.forward(event));
    }

    /// Passes on an event that needs more than the current fields. Not inlined for the same reason.
    #[inline(never)]
    pub(super) fn forward_looking_closer(&self, event: &Event<'_>) {
        let parent = Parentage::of_event(event);
        let elsewhere = self.core.elsewhere_of(parent);
        let ids = Ids::of_event(&self.core.augmentation, parent, &self.core.home);
        let ambient = Ambient::resolve(&self.core.augmentation, elsewhere.as_ref(), ids);
        parent::with_elsewhere(elsewhere, || match ambient.as_ref().map(Ambient::parts) {
            Some((fields, ids)) => self.forward_with(event, fields, ids),
            None => self.forward(event),
        });
    }

    #[inline(never)]
    pub(super) fn new_span_looking_closer(&self, attributes: &Attributes<'_>, augmented: &'static Augmented) -> Id {
        let parent = Parentage::of_span(attributes);
        let elsewhere = self.core.elsewhere_of(parent);
        let ambient = Ambient::resolve(&self.core.augmentation, elsewhere.as_ref(), None);
        let remembered = elsewhere.clone().unwrap_or_else(Remembered::current);
        let id = parent::with_elsewhere(elsewhere, || {
            self.new_span_with(attributes, augmented, ambient.as_ref().map(Ambient::parts))
        });
        match parent {
            Parentage::Explicit(parent) => self.core.remember_with_parent(&id, parent, remembered),
            Parentage::Contextual | Parentage::Root => self.core.remember_all(&id, remembered),
        }
        id
    }
}

/// Returns an event with other values, the same metadata, and the same kind of parent.
pub(in crate::layer) fn like<'a>(event: &Event<'_>, values: &'a ValueSet<'a>) -> Event<'a> {
    if event.is_contextual() {
        Event::new(event.metadata(), values)
    } else {
        Event::new_child_of(event.parent().cloned(), event.metadata(), values)
    }
}

/// Returns attributes with other metadata and values, and the same kind of parent.
pub(in crate::layer) fn with_parent_of<'a>(
    attributes: &Attributes<'_>,
    metadata: &'static Metadata<'static>,
    values: &'a ValueSet<'a>,
) -> Attributes<'a> {
    match attributes.parent() {
        Some(parent) => Attributes::child_of(parent.clone(), metadata, values),
        None if attributes.is_root() => Attributes::new_root(metadata, values),
        None => Attributes::new(metadata, values),
    }
}
