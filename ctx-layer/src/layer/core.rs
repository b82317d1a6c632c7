//! What the subscriber and late binding share: the schema at work and the open spans' contexts.

use opentelemetry::{Context, baggage::BaggageExt};
use tracing_core::{
    Metadata,
    span::{Attributes, Id},
};

use super::{
    ambient::{Ambient, Parentage},
    entered,
    home::Home,
    metadata::Augmentation,
    spans::SpanContexts,
};
use crate::context::{ContextFieldsExt, Identity, attach_over, is_in_force, read};

/// The state of a [`ContextSubscriber`](super::ContextSubscriber) that does not depend on what it wraps.
pub(super) struct Core {
    pub(super) augmentation: Augmentation,
    pub(super) home: Home,
    spans: SpanContexts,
}

impl Core {
    pub(super) fn new(augmentation: Augmentation) -> Self {
        Core { augmentation, home: Home::new(), spans: SpanContexts::new() }
    }

    /// Tells this subscriber's spans from another's.
    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The values for something with the given parent.
    ///
    /// Something with an explicit parent gets what its parent remembers, unless all of that is in force here anyway.
    #[inline]
    pub(super) fn ambient(&self, parent: Parentage<'_>) -> Option<Ambient> {
        let elsewhere = match parent {
            Parentage::Explicit(parent) => self.elsewhere(parent),
            Parentage::Contextual | Parentage::Root => None,
        };
        match elsewhere {
            None => Ambient::current(&self.augmentation, parent, &self.home),
            Some(cx) => Ambient::of(&self.augmentation, &cx, parent, &self.home),
        }
    }

    /// Has a new span remember what is in force for it.
    pub(super) fn remember(&self, id: &Id, attributes: &Attributes<'_>) {
        let cx = attributes.parent().and_then(|parent| self.elsewhere(parent)).or_else(|| {
            // Cloned only where there is something to remember.
            read(|cx| (!cx.fields().is_empty() || !cx.baggage().is_empty()).then(|| cx.clone())).flatten()
        });
        self.spans.remember(id, cx);
    }

    pub(super) fn forget(&self, id: &Id) {
        self.spans.forget(id);
    }

    /// What a span remembers, where that is not in force here.
    pub(super) fn elsewhere(&self, id: &Id) -> Option<Context> {
        self.spans.with(id, |remembered| {
            let remembered = remembered?;
            let in_force = read(|cx| is_in_force(remembered, cx)).unwrap_or(true);
            (!in_force).then(|| remembered.clone())
        })
    }

    /// Enters a span by `enter`, and sees to it that what it remembers is in force afterwards.
    ///
    /// An OpenTelemetry layer below attaches the context in which *it* saw the span made. So what is wanted is decided
    /// before, and compared after.
    #[inline]
    pub(super) fn enter(&self, id: &Id, enter: impl FnOnce()) {
        let wanted = self.wanted(id);
        enter();
        let attach = match wanted {
            Wanted::Nothing => None,
            Wanted::AsIs(identity) => match read(|cx| Identity::of(cx) == identity) {
                Some(false) => self.spans.with(id, |remembered| remembered.cloned()),
                _ => None,
            },
            Wanted::Context(wanted) => {
                read(|cx| Identity::of(cx) != Identity::of(&wanted)).unwrap_or_default().then_some(wanted)
            }
        };
        match attach.and_then(|wanted| read(|cx| attach_over(cx, &wanted))) {
            Some(cx) => entered::attach(self.key(), id, cx),
            None => entered::enter_again(self.key(), id),
        }
    }

    /// What is to be in force in a span.
    #[inline]
    fn wanted(&self, id: &Id) -> Wanted {
        self.spans.with(id, |remembered| {
            read(|cx| match remembered {
                None if cx.fields().is_empty() => Wanted::Nothing,
                None => Wanted::Context(cx.clone()),
                Some(remembered) => {
                    let identity = Identity::of(cx);
                    if identity == Identity::of(remembered) {
                        Wanted::AsIs(identity)
                    } else if is_in_force(remembered, cx) {
                        Wanted::Context(cx.clone())
                    } else {
                        Wanted::Context(remembered.clone())
                    }
                }
            })
            .unwrap_or(Wanted::Nothing)
        })
    }

    #[inline]
    pub(super) fn exit(&self, id: &Id) {
        entered::exit(self.key(), id);
    }

    /// Puts `change`d fields in force until the span is left, and has it remember them.
    pub(super) fn change(&self, id: &Id, change: impl FnOnce(crate::Fields) -> crate::Fields) {
        let Some(current) = read(|cx| cx.clone()) else { return };
        let changed = current.with_fields(change(current.fields().clone()));
        self.spans.remember(id, Some(changed.clone()));
        entered::attach_more(self.key(), id, changed);
    }
}

/// What is to be in force in a span that is being entered.
enum Wanted {
    /// Nothing was remembered and nothing is in force.
    Nothing,
    /// What is in force, which is what the span remembers.
    AsIs(Identity),
    Context(Context),
}

/// Events of the `opentelemetry` crate itself are passed on untouched: it warns about its context stack while that is
/// borrowed, and reading the context then would panic (`ContextStack::push` and `pop_id` in opentelemetry 0.33).
#[inline]
pub(super) fn is_about_the_context(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "opentelemetry"
}
