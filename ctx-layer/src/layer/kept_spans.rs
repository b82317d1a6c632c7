//! Spans that a filter switched off, and that carry fields all the same.
//!
//! The log level must not decide whose request it is. So a span that the stack below does not want, up to a level, gets a
//! place in the registry, of which no layer is told. It is entered in this crate's frames alone: what is inside of it
//! belongs, for every output, to the nearest span that exists.

use std::{
    any::TypeId,
    collections::HashSet,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
};

use tracing_core::{
    Dispatch, Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer, Registry,
    layer::Identity,
    registry::{LookupSpan, SpanData},
};

use super::{metadata::is_hint, spans::place, table::Table};

/// The spans of a subscriber that were switched off and are open.
pub(super) struct KeptSpans {
    /// Up to which level spans are kept.
    level: LevelFilter,
    callsites: Table<Callsite>,
    /// How many are open: nearly always none.
    open: AtomicUsize,
    slots: Box<[AtomicU64]>,
    /// Those whose slot has another.
    others: RwLock<HashSet<u64>>,
}

/// What the stack below said of a callsite.
struct Callsite(AtomicU8);

const NEVER: u8 = 0;
const SOMETIMES: u8 = 1;
const ALWAYS: u8 = 2;

/// Span ids are never 0.
const FREE: u64 = 0;
const SLOTS: usize = 512;

impl KeptSpans {
    pub(super) fn new(level: LevelFilter) -> Self {
        let slots = if level == LevelFilter::OFF { 0 } else { SLOTS };
        KeptSpans {
            level,
            callsites: Table::new(),
            open: AtomicUsize::new(0),
            slots: (0..slots).map(|_| AtomicU64::new(FREE)).collect(),
            others: RwLock::default(),
        }
    }

    pub(super) fn level(&self) -> LevelFilter {
        self.level
    }

    /// Whether spans of a callsite are kept where the stack below does not want them.
    #[inline]
    fn is_kept_if_unwanted(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && *metadata.level() <= self.level
    }

    /// Notes what the stack below says of a callsite. Returns what is to be said instead.
    pub(super) fn registered(&self, metadata: &'static Metadata<'static>, interest: Interest) -> Interest {
        if !self.is_kept_if_unwanted(metadata) || is_hint(metadata) {
            return interest;
        }
        let (noted, instead) = match () {
            () if interest.is_always() => (ALWAYS, interest),
            () if interest.is_never() => (NEVER, Interest::sometimes()),
            () => (SOMETIMES, interest),
        };
        self.callsites
            .get_or_insert_with(metadata, || Callsite(AtomicU8::new(noted)))
            .0
            .store(noted, Ordering::Relaxed);
        instead
    }

    /// Returns `true` if a span of this callsite is created whatever the stack below says of it.
    #[inline]
    pub(super) fn is_decided_later(&self, metadata: &Metadata<'_>) -> bool {
        self.is_kept_if_unwanted(metadata)
            && self.callsites.get(metadata).is_some_and(|callsite| callsite.0.load(Ordering::Relaxed) != ALWAYS)
    }

    /// Returns `true` if the stack below never wants spans of a callsite, which are kept.
    pub(super) fn is_never_wanted(&self, metadata: &Metadata<'_>) -> bool {
        self.is_kept_if_unwanted(metadata)
            && self.callsites.get(metadata).is_some_and(|callsite| callsite.0.load(Ordering::Relaxed) == NEVER)
    }

    /// Returns `true` if the stack below does not want a span that is being created. `is_enabled` asks it.
    #[inline]
    pub(super) fn is_unwanted(&self, metadata: &Metadata<'_>, is_enabled: impl FnOnce() -> bool) -> bool {
        if !self.is_kept_if_unwanted(metadata) {
            return false;
        }
        match self.callsites.get(metadata).map(|callsite| callsite.0.load(Ordering::Relaxed)) {
            Some(NEVER) => true,
            Some(SOMETIMES) => !is_enabled(),
            _ => false,
        }
    }

    /// Returns `true` if a span is one of these.
    #[inline]
    pub(super) fn contain(&self, id: &Id) -> bool {
        self.is_any() && self.find(id)
    }

    #[inline]
    pub(super) fn is_any(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    #[inline(never)]
    fn find(&self, id: &Id) -> bool {
        self.slot(id).load(Ordering::Acquire) == id.into_u64()
            || self.others.read().unwrap_or_else(PoisonError::into_inner).contains(&id.into_u64())
    }

    pub(super) fn insert(&self, id: &Id) {
        self.open.fetch_add(1, Ordering::Relaxed);
        let (free, mine) = (FREE, id.into_u64());
        if self.slot(id).compare_exchange(free, mine, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            self.others.write().unwrap_or_else(PoisonError::into_inner).insert(mine);
        }
    }

    pub(super) fn remove(&self, id: &Id) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        let (free, mine) = (FREE, id.into_u64());
        if self.slot(id).compare_exchange(mine, free, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            self.others.write().unwrap_or_else(PoisonError::into_inner).remove(&mine);
        }
    }

    fn slot(&self, id: &Id) -> &AtomicU64 {
        &self.slots[place(id) % SLOTS]
    }

    /// The nearest span that exists for outputs: the span itself, or one around it.
    pub(super) fn nearest(&self, id: &Id, registry: Option<&Registry>) -> Option<Id> {
        let mut id = id.clone();
        while self.contain(&id) {
            id = registry?.span_data(&id)?.parent()?.clone();
        }
        Some(id)
    }
}

/// Closes a span of the registry, of which no layer is told. Returns `true` if it was the last reference.
pub(super) fn close(registry: Dispatch, id: Id) -> bool {
    // Only a layer's stack gives a place in the registry free: so there is one, without a layer.
    Identity::new().with_subscriber(OnlyRegistry(registry)).try_close(id)
}

/// The registry of a subscriber, without its layers.
struct OnlyRegistry(Dispatch);

impl OnlyRegistry {
    fn registry(&self) -> Option<&Registry> {
        self.0.downcast_ref()
    }
}

impl Subscriber for OnlyRegistry {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        // Nothing is created in it.
        Id::from_u64(u64::MAX)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}

    fn try_close(&self, id: Id) -> bool {
        self.registry().is_some_and(|registry| registry.try_close(id))
    }

    // Forced by the trait: a stack of layers finds its registry in no other way.
    #[allow(unsafe_code)]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        // The registry lives as long as the dispatcher, which lives as long as `self`.
        if id == TypeId::of::<Registry>() { self.registry().map(|it| std::ptr::from_ref(it).cast()) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_kept_until_it_is_removed_whatever_else_has_its_slot() {
        let kept = KeptSpans::new(LevelFilter::INFO);
        let ids = [0, 1, 2].map(|turn| Id::from_u64(7 + turn * SLOTS as u64));
        for _ in 0..2 {
            ids.iter().for_each(|id| kept.insert(id));
            for id in &ids {
                assert!(kept.contain(id));
                kept.remove(id);
                assert!(!kept.contain(id));
            }
            assert!(!kept.is_any());
        }
    }
}
