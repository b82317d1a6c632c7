//! What the subscriber, the outputs and late binding share: the schema at work and what the open spans remember.

use opentelemetry::{Context, baggage::BaggageExt};
use tracing_core::{Metadata, span::Id};

use super::{
    ambient::{Ambient, Parentage},
    entered,
    home::Home,
    metadata::Augmentation,
    spans::{Remembered, SpanMemory},
};
use crate::{
    context::{ContextFieldsExt, Lease, active_ids, read},
    field::Fields,
};

/// The state of a [`ContextSubscriber`](super::ContextSubscriber) that does not depend on what it wraps.
pub(super) struct Core {
    pub(super) augmentation: Augmentation,
    pub(super) home: Home,
    spans: SpanMemory,
}

impl Core {
    pub(super) fn new(augmentation: Augmentation) -> Self {
        Core { augmentation, home: Home::new(), spans: SpanMemory::new() }
    }

    /// Tells this subscriber's spans from another's.
    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The values for something with the given parent, where looking at the fields in force is not enough.
    ///
    /// Something with an explicit parent gets what its parent remembers, unless all of that is in force here anyway.
    #[cold]
    #[inline(never)]
    pub(super) fn ambient(&self, parent: Parentage<'_>) -> Option<Ambient> {
        let elsewhere = match parent {
            Parentage::Explicit(parent) => self.elsewhere(parent),
            Parentage::Contextual | Parentage::Root => None,
        };
        match elsewhere {
            None => Ambient::current(&self.augmentation, parent, &self.home),
            Some(remembered) => Ambient::of(&self.augmentation, &remembered, parent, &self.home),
        }
    }

    /// What a span remembers, where that is not in force here.
    pub(super) fn elsewhere(&self, id: &Id) -> Option<Remembered> {
        let remembered = self.spans.get(id)?;
        let in_force = read(|cx| is_in_force(&remembered, cx)).unwrap_or(true);
        (!in_force).then_some(remembered)
    }

    /// Has a new span remember something, or nothing.
    #[inline]
    pub(super) fn remember(&self, id: &Id, remembered: Option<Remembered>) {
        self.spans.remember(id, remembered);
    }

    /// Has a new span with the given parent remember what was in force for it.
    #[cold]
    pub(super) fn remember_for(&self, id: &Id, parent: Parentage<'_>) {
        let elsewhere = match parent {
            Parentage::Explicit(parent) => self.elsewhere(parent),
            Parentage::Contextual | Parentage::Root => None,
        };
        self.remember(id, elsewhere.or_else(|| read(Remembered::of).flatten()));
    }

    pub(super) fn forget(&self, id: &Id) {
        if let Some(fields) = self.spans.forget(id) {
            Lease::give_back(fields);
        }
    }

    /// Enters a span by `enter`, and sees to it that what it remembers is in force afterwards.
    ///
    /// An OpenTelemetry layer below attaches the context in which *it* saw the span made. So what is wanted is decided
    /// before, and compared after.
    #[inline]
    pub(super) fn enter(&self, id: &Id, enter: impl FnOnce()) {
        let Some(before) = read(|cx| cx.fields().address()) else { return enter() };
        if !self.spans.is_known_to_remember(id, before) {
            return self.enter_elsewhere(id, enter);
        }
        enter();
        if read(|cx| cx.fields().address()) == Some(before) {
            entered::enter_again(self.key(), id);
        } else if let Some(cx) = self.spans.get(id).and_then(|remembered| read(|cx| restored(cx, &remembered, true))) {
            entered::attach(self.key(), id, cx);
        }
    }

    /// The same for a span of which it is not known at once that all it remembers is in force.
    #[inline(never)]
    fn enter_elsewhere(&self, id: &Id, enter: impl FnOnce()) {
        let remembered = self.spans.get(id);
        let wanted = read(|cx| {
            let wanted = match remembered {
                Some(remembered) if !is_in_force(&remembered, cx) => Some(remembered),
                // What is in force was made from what the span remembers, and stays.
                _ => Remembered::of(cx),
            };
            wanted.map(|wanted| (wanted, active_ids(cx)))
        });
        enter();
        let attach = wanted.flatten().and_then(|(wanted, span_before)| {
            read(|cx| {
                let span_changed = active_ids(cx) != span_before;
                let as_wanted = match &wanted {
                    Remembered::Fields(fields) => {
                        fields.is_same(cx.fields()) && (span_changed || cx.baggage().is_empty())
                    }
                    Remembered::WithBaggage(wanted) => {
                        wanted.fields().is_same(cx.fields()) && std::ptr::eq(wanted.baggage(), cx.baggage())
                    }
                };
                (!as_wanted).then(|| restored(cx, &wanted, span_changed))
            })
            .flatten()
        });
        match attach {
            Some(cx) => entered::attach(self.key(), id, cx),
            None => entered::enter_again(self.key(), id),
        }
    }

    #[inline]
    pub(super) fn exit(&self, id: &Id) {
        entered::exit(self.key(), id);
    }

    /// Puts `change`d fields in force until the span is left, and has it remember them.
    pub(super) fn change(&self, id: &Id, change: impl FnOnce(Fields) -> Fields) {
        let Some(current) = read(Context::clone) else { return };
        let changed = current.with_fields(change(current.fields().clone()));
        if let Some(remembered) = Remembered::of(&changed) {
            self.spans.change(id, remembered);
        }
        entered::attach_more(self.key(), id, changed);
    }
}

/// Whether all that a span remembers is in force.
///
/// Then the context is the one the span was made in, or was made from it by setting more, and there is nothing to
/// change. Otherwise the two belong to different requests, and are never mixed: one tenant with another's user would be
/// neither's.
fn is_in_force(remembered: &Remembered, cx: &Context) -> bool {
    match remembered {
        Remembered::Fields(fields) => fields.is_within(cx.fields()),
        Remembered::WithBaggage(remembered) => {
            let (wanted, present) = (remembered.baggage(), cx.baggage());
            remembered.fields().is_within(cx.fields())
                && (std::ptr::eq(wanted, present)
                    || wanted.iter().all(|(key, value)| present.get_with_metadata(key.as_str()) == Some(value)))
        }
    }
}

/// The current context with what a span remembers in force. All else in it is kept.
///
/// Where entering the span changed the active OpenTelemetry span, baggage came with that, and is right.
fn restored(cx: &Context, remembered: &Remembered, span_changed: bool) -> Context {
    let restored = cx.with_fields(remembered.fields().clone());
    match remembered {
        _ if span_changed => restored,
        Remembered::Fields(_) if cx.baggage().is_empty() => restored,
        Remembered::Fields(_) => restored.with_cleared_baggage(),
        Remembered::WithBaggage(remembered) => {
            restored.with_baggage(remembered.baggage().iter().map(|(key, (value, metadata))| {
                opentelemetry::baggage::KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone())
            }))
        }
    }
}

/// Events of the `opentelemetry` crate itself are passed on untouched: it warns about its context stack while that is
/// borrowed, and reading the context then would panic (`ContextStack::push` and `pop_id` in opentelemetry 0.33).
#[inline]
pub(super) fn is_about_the_context(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "opentelemetry"
}
