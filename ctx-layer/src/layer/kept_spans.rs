//! Disabled spans that carry fields.
//!
//! The log level must not change which request an event belongs to. So a span that the stack below disables is stored in the
//! registry without any layer seeing it, up to a level. It is entered in this crate's frames alone: for every output, what is
//! inside it belongs to the nearest enabled span.

use std::{
    any::TypeId,
    collections::HashSet,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
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

use super::{address_map::AddressMap, metadata::is_hint, span_memory::place};

/// The open spans of a subscriber that are disabled.
pub(super) struct KeptSpans {
    /// The level up to which spans are kept.
    level: LevelFilter,
    callsites: AddressMap<Callsite>,
    /// `true` if there is a callsite that the stack below does not always enable.
    may_be_unwanted: AtomicBool,
    /// The number of open spans: nearly always 0.
    open: AtomicUsize,
    slots: Box<[AtomicU64]>,
    /// Spans whose slot is taken by another.
    others: RwLock<HashSet<u64>>,
}

/// The interest of the stack below in a callsite.
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
            callsites: AddressMap::new(),
            may_be_unwanted: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            slots: (0..slots).map(|_| AtomicU64::new(FREE)).collect(),
            others: RwLock::default(),
        }
    }

    pub(super) fn level(&self) -> LevelFilter {
        self.level
    }

    /// Returns `true` if spans of a callsite are kept when the stack below disables them.
    #[inline]
    fn is_kept_if_unwanted(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && *metadata.level() <= self.level
    }

    /// Stores the interest of the stack below in a callsite. Returns the interest to return instead.
    pub(super) fn registered(&self, metadata: &'static Metadata<'static>, interest: Interest) -> Interest {
        if !self.is_kept_if_unwanted(metadata) || is_hint(metadata) {
            return interest;
        }
        let (noted, instead) = match () {
            () if interest.is_always() => (ALWAYS, interest),
            () if interest.is_never() => (NEVER, Interest::sometimes()),
            () => (SOMETIMES, interest),
        };
        if noted != ALWAYS {
            self.may_be_unwanted.store(true, Ordering::Relaxed);
        }
        self.callsites
            .get_or_insert_with(metadata, || Callsite(AtomicU8::new(noted)))
            .0
            .store(noted, Ordering::Relaxed);
        instead
    }

    /// Returns `true` if `enabled` has to return `true` for this callsite, so that `new_span` can decide.
    #[inline]
    pub(super) fn is_decided_later(&self, metadata: &Metadata<'_>) -> bool {
        self.is_kept_if_unwanted(metadata)
            && self.callsites.get(metadata).is_some_and(|callsite| callsite.0.load(Ordering::Relaxed) != ALWAYS)
    }

    /// Returns `true` if the stack below never enables spans of a callsite, and they are kept.
    pub(super) fn is_never_wanted(&self, metadata: &Metadata<'_>) -> bool {
        self.is_kept_if_unwanted(metadata)
            && self.callsites.get(metadata).is_some_and(|callsite| callsite.0.load(Ordering::Relaxed) == NEVER)
    }

    /// Returns `true` if the stack below disables a span that is being created. `is_enabled` returns its answer.
    #[inline]
    pub(super) fn is_unwanted(&self, metadata: &Metadata<'_>, is_enabled: impl FnOnce() -> bool) -> bool {
        if !self.may_be_unwanted.load(Ordering::Relaxed) || !self.is_kept_if_unwanted(metadata) {
            return false;
        }
        match self.callsites.get(metadata).map(|callsite| callsite.0.load(Ordering::Relaxed)) {
            Some(NEVER) => true,
            Some(SOMETIMES) => !is_enabled(),
            _ => false,
        }
    }

    /// Returns `true` if a span is kept.
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

    /// Returns the nearest enabled span: the span itself, or one around it.
    pub(super) fn nearest(&self, id: &Id, registry: Option<&Registry>) -> Option<Id> {
        let mut id = id.clone();
        while self.contain(&id) {
            id = registry?.span_data(&id)?.parent()?.clone();
        }
        Some(id)
    }
}

/// Closes a span of the registry that no layer has seen. Returns `true` if this was the last reference.
pub(super) fn close(registry: Dispatch, id: Id) -> bool {
    // The registry frees a span only through a stack of layers, so this one has a layer that does nothing.
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

    // Required by the trait: a stack of layers finds its registry in no other way.
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
