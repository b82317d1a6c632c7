//! What the subscriber, the outputs and late binding share: the schema at work and what the open spans remember.

use opentelemetry::{Context, baggage::BaggageExt, trace::TraceContextExt};
use tracing::Span;
use tracing_core::{Dispatch, Metadata, span::Id};

use super::{
    ambient::Ambient,
    entered,
    home::Home,
    metadata::Augmentation,
    parent::Parentage,
    spans::{Remembered, SpanMemory},
};
use crate::{
    context::{ContextFieldsExt, NOTHING, active_ids, address_alone, give_back, late, read, registered},
    field::{Fields, Shared},
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
    pub(super) fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// What an explicit parent remembers, where that is not in force here.
    pub(super) fn elsewhere_of(&self, parent: Parentage<'_>) -> Option<Remembered> {
        match parent {
            Parentage::Explicit(parent) => self.elsewhere(parent),
            Parentage::Contextual | Parentage::Root => None,
        }
    }

    /// What is to be in force for a span, where that is not what is in force here.
    fn elsewhere(&self, id: &Id) -> Option<Remembered> {
        let (remembered, late) = self.spans.get(id);
        let elsewhere =
            remembered.clone().filter(|remembered| read(|cx| !is_in_force(remembered, cx)).unwrap_or(false));
        let Some(late) = late else { return elsewhere };
        if let Some(elsewhere) = elsewhere {
            return Some(elsewhere.with(&late));
        }
        let current = read(|cx| (late::effective(cx), Remembered::of(cx).unwrap_or_default()))?;
        match current {
            (current, _) if late.is_part_of(&current) => None,
            // Another request's: the two are not mixed.
            (current, _) if late.conflicts_with(&current) => Some(remembered.unwrap_or_default().with(&late)),
            (_, current) => Some(current.with(&late)),
        }
    }

    /// Has a new span remember fields, or nothing.
    #[inline]
    pub(super) fn remember(&self, id: &Id, fields: Fields) {
        self.spans.remember(id, fields);
    }

    /// The same where there may be baggage.
    pub(super) fn remember_all(&self, id: &Id, remembered: Option<Remembered>) {
        self.spans.remember_all(id, remembered);
    }

    /// Returns the fields that a span was created with.
    pub(super) fn created_with(&self, id: &Id) -> Option<Fields> {
        let (remembered, _) = self.spans.get(id);
        Some(Ambient::resolve(&self.augmentation, Some(&remembered?), None)?.parts().0.clone())
    }

    pub(super) fn forget(&self, id: &Id) {
        let fields = self.spans.forget(id);
        // Where nobody else has them no event will: they are dropped now, and not when the next request's are there too.
        if fields.is_shared() {
            give_back(fields);
        }
    }

    /// Enters a span by `enter`, and sees to it that what it remembers is in force afterwards.
    ///
    /// An OpenTelemetry layer below attaches the context in which *it* saw the span made. So what is wanted is decided
    /// before, and compared after.
    #[inline]
    pub(super) fn enter(&self, id: &Id, enter: impl FnOnce()) {
        if late::is_any() {
            late::enter(self.owner(id));
            return self.enter_elsewhere(id, enter);
        }
        let before = read(|cx| (address_alone(cx), cx.has_active_span()));
        let Some((fields, has_span)) = before else { return self.enter_elsewhere(id, enter) };
        let wanted = match fields {
            // A server's task, between requests: what the span remembers is not in force, and will be once an OpenTelemetry
            // layer has entered it.
            NOTHING => self.spans.known_to_remember(id),
            _ => Some(fields).filter(|fields| self.spans.is_known_to_remember(id, *fields)),
        };
        let Some(wanted) = wanted else { return self.enter_elsewhere(id, enter) };
        enter();
        // What an OpenTelemetry layer attaches has a span.
        let unchanged = (wanted == fields && !has_span && read(|cx| !cx.has_active_span()) == Some(true))
            || read(|cx| cx.fields().address() == wanted) == Some(true);
        if unchanged {
            entered::enter_again(self.key(), id);
        } else if let Some(cx) = self.spans.get(id).0.and_then(|remembered| read(|cx| restored(cx, &remembered, true)))
        {
            entered::attach(self.key(), id, cx);
        }
    }

    /// The same for a span of which it is not known at once that all it remembers is in force.
    #[inline(never)]
    fn enter_elsewhere(&self, id: &Id, enter: impl FnOnce()) {
        let elsewhere = self.elsewhere(id);
        let wanted = read(|cx| {
            let wanted = match elsewhere {
                Some(elsewhere) => Some(elsewhere),
                // What is in force was made from what the span remembers, and stays.
                None => Remembered::of(cx),
            };
            wanted.map(|wanted| (wanted, active_ids(cx)))
        });
        enter();
        let attach = wanted.flatten().and_then(|(wanted, span_before)| {
            read(|cx| {
                let span_changed = active_ids(cx) != span_before;
                let as_wanted = match &wanted {
                    Remembered::Fields(fields) => {
                        fields.is_same(&late::effective(cx)) && (span_changed || cx.baggage().is_empty())
                    }
                    Remembered::WithBaggage(wanted) => {
                        wanted.fields().is_same(&late::effective(cx)) && std::ptr::eq(wanted.baggage(), cx.baggage())
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

    /// Has an open span remember a value besides what it does, and puts that in force until the span is left.
    pub(super) fn bind(&self, id: &Id, value: &Shared) {
        let all = self.spans.add(id, value);
        late::bind(self.owner(id), value, &all);
    }

    /// Takes out of force what was bound to a span that was left, unless it is entered still.
    pub(super) fn release(&self, id: &Id, is_current: impl FnOnce() -> bool) {
        late::exit(self.owner(id), is_current);
    }

    fn owner(&self, id: &Id) -> late::Owner {
        (self.key(), id.into_u64())
    }
}

/// Whether a span certainly brings nothing when it is entered: nothing was in force when it was made, and nothing was recorded
/// on it since. Spans remember only under a [`ContextSubscriber`](super::ContextSubscriber).
#[inline]
pub(crate) fn remembers_nothing(span: &Span) -> bool {
    let look = |(id, subscriber): (&Id, &Dispatch)| {
        subscriber.downcast_ref::<Core>().is_none_or(|core| core.spans.is_known_to_remember(id, NOTHING))
    };
    span.with_subscriber(look).unwrap_or(true)
}

/// Whether all that a span remembers is in force.
///
/// Then the context is the one the span was made in, or was made from it by setting more, and there is nothing to
/// change. Otherwise the two belong to different requests, and are never mixed: one tenant with another's user would be
/// neither's.
fn is_in_force(remembered: &Remembered, cx: &Context) -> bool {
    let fields = remembered.fields();
    let current = late::effective(cx);
    fields.is_within(&current)
        && match remembered {
            Remembered::Fields(_) => true,
            Remembered::WithBaggage(remembered) => {
                let (wanted, present) = (remembered.baggage(), cx.baggage());
                let is_present = std::ptr::eq(wanted, present)
                    || wanted.iter().all(|(key, value)| present.get_with_metadata(key.as_str()) == Some(value));
                // A value that the program sets comes before baggage, and would hide it.
                let is_hidden = || {
                    registered().into_iter().any(|declaration| {
                        fields.entry(declaration).is_none()
                            && current.entry(declaration).is_some()
                            && wanted.get(declaration.baggage_key()).is_some()
                    })
                };
                is_present && (fields.is_same(&current) || !is_hidden())
            }
        }
}

/// The current context with what a span remembers in force. All else in it is kept.
///
/// Where entering the span changed the active OpenTelemetry span, and baggage came with that, then that is right: an
/// OpenTelemetry layer was told of a remote parent.
fn restored(cx: &Context, remembered: &Remembered, span_changed: bool) -> Context {
    let restored = cx.with_fields(remembered.fields().clone());
    match remembered {
        _ if span_changed && !cx.baggage().is_empty() => restored,
        Remembered::Fields(_) if cx.baggage().is_empty() => restored,
        Remembered::Fields(_) => restored.with_cleared_baggage(),
        Remembered::WithBaggage(remembered) => {
            restored.with_baggage(remembered.baggage().iter().map(|(key, (value, metadata))| {
                opentelemetry::baggage::KeyValueMetadata::new(key.clone(), value.clone(), metadata.clone())
            }))
        }
    }
}

/// What the `opentelemetry` crate says of its context stack is passed on untouched: it says so while that is borrowed,
/// and reading the context then would panic (`ContextStack::push` and `pop_id` in opentelemetry 0.33).
#[inline]
pub(super) fn is_about_the_context(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "opentelemetry" && metadata.name().starts_with("Context.")
}
