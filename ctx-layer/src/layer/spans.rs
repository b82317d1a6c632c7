//! What each open span remembers.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use opentelemetry::{Context, baggage::BaggageExt};
use tracing_core::span::Id;

use crate::{
    context::ContextFieldsExt,
    field::{Entry, Fields},
};

/// What a span remembers of the context in which it was made: its fields, and baggage if there was some.
#[derive(Clone)]
pub(super) enum Remembered {
    Fields(Fields),
    WithBaggage(Box<Context>),
}

impl Default for Remembered {
    fn default() -> Self {
        Remembered::Fields(Fields::new())
    }
}

impl Remembered {
    /// What there is to remember of a context, if anything.
    #[inline]
    pub(super) fn of(cx: &Context) -> Option<Self> {
        if !cx.baggage().is_empty() {
            Some(Remembered::WithBaggage(Box::new(cx.clone())))
        } else if !cx.fields().is_blank() {
            Some(Remembered::Fields(cx.fields().clone()))
        } else {
            None
        }
    }

    /// The same with other values set besides.
    pub(super) fn with(self, late: &Fields) -> Self {
        match self {
            Remembered::Fields(fields) => Remembered::Fields(fields.with_all(late)),
            Remembered::WithBaggage(cx) => {
                Remembered::WithBaggage(Box::new(cx.with_fields(cx.fields().clone().with_all(late))))
            }
        }
    }

    pub(super) fn fields(&self) -> &Fields {
        match self {
            Remembered::Fields(fields) => fields,
            Remembered::WithBaggage(cx) => cx.fields(),
        }
    }
}

/// From span to what it remembers, for the spans that were made while there was something.
pub(super) struct SpanMemory {
    shards: Box<[Shard]>,
    index: Index,
    /// Whether any span ever remembered something: until then nobody needs to look.
    in_use: AtomicBool,
}

/// Two cache lines wide, so that threads that work on different spans do not share one.
#[repr(align(128))]
#[derive(Default)]
struct Shard(RwLock<Memories>);

#[derive(Default)]
struct Memories {
    remembered: HashMap<Id, Remembered, BuildHasherDefault<IdHasher>>,
    /// What was added to spans that were open.
    late: HashMap<Id, Fields, BuildHasherDefault<IdHasher>>,
}

impl Memories {
    fn take_late(&mut self, id: &Id) -> Option<Fields> {
        if self.late.is_empty() { None } else { self.late.remove(id) }
    }
}

const SHARDS: usize = 64;

/// The address of the empty set.
const NOTHING: usize = 0;
/// No set's address.
const NOT_TO_BE_KNOWN: usize = usize::MAX;

impl SpanMemory {
    pub(super) fn new() -> Self {
        SpanMemory {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            index: Index::new(),
            in_use: AtomicBool::new(false),
        }
    }

    /// Has a new span remember something, or nothing. What a closed span of the same id remembered is forgotten.
    pub(super) fn remember(&self, id: &Id, remembered: Option<Remembered>) {
        match remembered {
            Some(remembered) => {
                if !self.in_use.load(Ordering::Relaxed) {
                    self.in_use.store(true, Ordering::Relaxed);
                }
                self.index.insert(
                    id,
                    match &remembered {
                        Remembered::Fields(fields) => fields.address(),
                        Remembered::WithBaggage(_) => NOT_TO_BE_KNOWN,
                    },
                );
                self.insert(id, remembered);
            }
            None if self.in_use.load(Ordering::Relaxed) => {
                self.forget(id);
                self.index.insert(id, NOTHING);
            }
            None => {}
        }
    }

    /// Has a span that is open already remember another value besides.
    pub(super) fn add(&self, id: &Id, entry: &Arc<Entry>) {
        // The index is told of each span once, and of this one no more.
        self.index.remove(id);
        self.in_use.store(true, Ordering::Relaxed);
        let mut shard = self.write(id);
        let late = shard.late.entry(id.clone()).or_default();
        let forgotten = late.clone();
        *late = std::mem::take(late).with_entry(entry.clone());
        drop(shard);
        drop(forgotten);
    }

    fn insert(&self, id: &Id, remembered: Remembered) {
        let mut shard = self.write(id);
        // What was there is dropped after the lock is: values may have destructors that log.
        let forgotten = (shard.remembered.insert(id.clone(), remembered), shard.take_late(id));
        drop(shard);
        drop(forgotten);
    }

    /// Forgets what a closed span remembered, and gives it back if that was fields.
    pub(super) fn forget(&self, id: &Id) -> Option<Fields> {
        if !self.in_use.load(Ordering::Relaxed) {
            return None;
        }
        let mut shard = self.write(id);
        let forgotten = (shard.remembered.remove(id), shard.take_late(id));
        drop(shard);
        match forgotten {
            (Some(Remembered::Fields(fields)), _) => Some(fields),
            _ => None,
        }
    }

    /// Whether the span certainly remembers the fields at this address and no baggage (or, for the empty set's address,
    /// nothing). Takes no lock. The span must be open.
    #[inline]
    pub(super) fn is_known_to_remember(&self, id: &Id, fields: usize) -> bool {
        self.index.contains(id, fields) || (fields == NOTHING && !self.in_use.load(Ordering::Relaxed))
    }

    /// What the span remembers, and what was added since it was made.
    pub(super) fn get(&self, id: &Id) -> (Option<Remembered>, Option<Fields>) {
        if !self.in_use.load(Ordering::Relaxed) {
            return (None, None);
        }
        // Nothing can panic while a lock is held, so a poisoned shard is still whole.
        let shard = self.shard(id).0.read().unwrap_or_else(PoisonError::into_inner);
        (shard.remembered.get(id).cloned(), shard.late.get(id).cloned())
    }

    fn write(&self, id: &Id) -> RwLockWriteGuard<'_, Memories> {
        self.shard(id).0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn shard(&self, id: &Id) -> &Shard {
        &self.shards[(mix(id.into_u64()) >> 32) as usize % SHARDS]
    }
}

/// Which fields a span remembers, for most of the open spans, without a lock: nearly always, a span that is entered
/// finds its fields in force, and then nothing more needs to be known.
///
/// A direct-mapped cache: a new span takes its slot from whichever had it. A slot holds a span's id and the address of
/// its fields, which the span keeps alive. A closed span may stay in its slot: nobody asks for it, and a new one of the
/// same id takes that very slot.
struct Index {
    slots: Box<[IndexSlot]>,
}

struct IndexSlot {
    id: AtomicU64,
    fields: AtomicUsize,
}

const INDEX_SLOTS: usize = 1024;
/// Span ids are never 0.
const FREE: u64 = 0;
/// A slot that is being written. No registry gives this id.
const BUSY: u64 = u64::MAX;

impl Index {
    fn new() -> Self {
        let free = || IndexSlot { id: AtomicU64::new(FREE), fields: AtomicUsize::new(0) };
        Index { slots: (0..INDEX_SLOTS).map(|_| free()).collect() }
    }

    /// Must be called once in every span's life, before anybody else knows its id: so no reader can mistake what another
    /// span put in the slot for this one's, and the slot cannot come to name this span again once another has it.
    fn insert(&self, id: &Id, fields: usize) {
        let slot = self.slot(id);
        let holder = slot.id.load(Ordering::Relaxed);
        // Whoever loses a race for the slot does without.
        if holder != BUSY && slot.id.compare_exchange(holder, BUSY, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            slot.fields.store(fields, Ordering::Release);
            slot.id.store(id.into_u64(), Ordering::Release);
        }
    }

    fn remove(&self, id: &Id) {
        let slot = self.slot(id);
        if slot.id.load(Ordering::Relaxed) == id.into_u64() {
            // Fails where another span is just taking the slot.
            let _ = slot.id.compare_exchange(id.into_u64(), FREE, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    #[inline]
    fn contains(&self, id: &Id, fields: usize) -> bool {
        let slot = self.slot(id);
        // If `fields` is what another span wrote, then that span's `BUSY` is seen by the second look at the id.
        slot.id.load(Ordering::Acquire) == id.into_u64()
            && slot.fields.load(Ordering::Acquire) == fields
            && slot.id.load(Ordering::Relaxed) == id.into_u64()
    }

    #[inline]
    fn slot(&self, id: &Id) -> &IndexSlot {
        &self.slots[mix(id.into_u64()) as usize % INDEX_SLOTS]
    }
}

/// Span ids are small numbers or packed ones; multiplying spreads them.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = mix(id);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = mix(self.0 ^ u64::from(*byte));
        }
    }
}

#[inline]
fn mix(id: u64) -> u64 {
    let product = u128::from(id ^ 0x243F_6A88_85A3_08D3).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    (product as u64) ^ ((product >> 64) as u64)
}
