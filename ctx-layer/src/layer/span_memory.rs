//! The values that each open span remembers.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
};

use tracing_core::span::Id;

use super::recorded::Recorded;
use crate::{
    context::{NOTHING, Remembered},
    field::{Call, Fields, Shared},
};

/// Maps spans to what they remember, for spans that were created while there was something to remember.
///
/// Nearly every span has its own [`SpanSlot`]. The others are in a shard of maps: spans whose slot was taken by a newer span,
/// those that remember baggage, and those on which a value was recorded.
pub(super) struct SpanMemory {
    slots: Box<[SpanSlot]>,
    shards: Box<[Shard]>,
    /// `true` if any span ever remembered something: until then no lookup is needed.
    in_use: AtomicBool,
}

/// A property of an open span, one bit.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Mark {
    /// It is the span of a request.
    Request = 1,
    /// It remembers nothing, although its explicit parent has something: the OpenTelemetry context in which a layer created it has
    /// fields that are not the span's.
    WithoutParentsFields = 2,
}

const SLOTS: usize = 1024;
const SHARDS: usize = 64;

impl SpanMemory {
    pub(super) fn new() -> Self {
        SpanMemory {
            slots: (0..SLOTS).map(|_| SpanSlot::default()).collect(),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            in_use: AtomicBool::new(false),
        }
    }

    /// Stores the fields that a new span remembers, which may be empty. Forgets what a closed span of the same id remembered.
    ///
    /// This or [`remember_all`](Self::remember_all) must be called once in every span's life, before its id is known to others.
    pub(super) fn remember(&self, id: &Id, fields: Fields) {
        if !self.in_use.load(Ordering::Relaxed) {
            if fields.is_blank() {
                return;
            }
            self.in_use.store(true, Ordering::Relaxed);
        }
        let (slot, shard) = self.places(id);
        let mut kept = slot.lock();
        if slot.is_free() && !shard.is_used() {
            return slot.give_to(id, fields, &mut kept);
        }
        // Values are dropped after the locks are: they may have destructors that log.
        let forgotten = make_room(id, slot, shard, &mut kept);
        slot.give_to(id, fields, &mut kept);
        drop(kept);
        drop(forgotten);
    }

    /// Stores the fields and the baggage that a new span remembers.
    #[cold]
    pub(super) fn remember_all(&self, id: &Id, remembered: Remembered) {
        if !remembered.has_baggage() {
            return self.remember(id, remembered.fields);
        }
        self.in_use.store(true, Ordering::Relaxed);
        let (slot, shard) = self.places(id);
        let mut kept = slot.lock();
        let forgotten = make_room(id, slot, shard, &mut kept);
        shard.write(|memories| memories.remembered.insert(id.clone(), remembered));
        drop(kept);
        drop(forgotten);
    }

    /// Stores a value that was recorded on an open span.
    ///
    /// A span that remembered nothing counts from then on as created where a value was first recorded on it. If nothing was
    /// current there either, it remembers the value alone, so that the value is not mixed with those of another request.
    ///
    /// Returns the call, to be added to the frames of the span.
    pub(super) fn record(&self, id: &Id, value: &Shared, current: impl FnOnce() -> Remembered) -> Call {
        self.in_use.store(true, Ordering::Relaxed);
        let current = match self.get(id) {
            (remembered, None) if remembered.is_blank() => Some(current()),
            _ => None,
        };
        // If nothing was current, this call identifies the request of the span.
        let is_first = current.as_ref().is_some_and(|current| current.fields.is_blank());
        let call = if is_first { Call::once() } else { Call::repeated() };
        let (slot, shard) = self.places(id);
        let mut kept = slot.lock();
        if slot.is_of(id) {
            slot.move_to(shard, &mut kept);
        }
        let forgotten = shard.write(|memories| {
            if let Some(recorded) = memories.recorded.get(id) {
                let recorded = recorded.and(call, value);
                return memories.recorded.insert(id.clone(), Arc::new(recorded));
            }
            let was_nothing = !memories.remembered.contains_key(id);
            if let Some(current) = current.filter(|_| was_nothing) {
                let first = || current.with_fields(Fields::new().with_recorded(call, value));
                let base = if is_first { first() } else { current.clone() };
                memories.remembered.insert(id.clone(), base);
            }
            let remembered = memories.remembered.get(id).map(|remembered| remembered.fields.clone());
            let recorded = Recorded::on(remembered.unwrap_or_default(), was_nothing).and(call, value);
            memories.recorded.insert(id.clone(), Arc::new(recorded))
        });
        drop(kept);
        drop(forgotten);
        call
    }

    /// Marks an open span.
    pub(super) fn mark(&self, id: &Id, mark: Mark) {
        self.in_use.store(true, Ordering::Relaxed);
        let (slot, shard) = self.places(id);
        let kept = slot.lock();
        if slot.is_of(id) {
            slot.marks.fetch_or(mark as u8, Ordering::Relaxed);
        } else {
            shard.mark(id.clone(), mark as u8);
        }
        drop(kept);
    }

    /// Returns `true` if an open span has a mark.
    pub(super) fn is_marked(&self, id: &Id, mark: Mark) -> bool {
        if !self.in_use.load(Ordering::Relaxed) {
            return false;
        }
        let (slot, shard) = self.places(id);
        let kept = slot.lock();
        let marks = if slot.is_of(id) { slot.marks.load(Ordering::Relaxed) } else { shard.marks_of(id) };
        drop(kept);
        marks & mark as u8 != 0
    }

    /// Forgets what a closed span remembered, and returns its fields.
    #[inline]
    pub(super) fn forget(&self, id: &Id) -> Fields {
        if !self.in_use.load(Ordering::Relaxed) {
            return Fields::new();
        }
        let (slot, shard) = self.places(id);
        if slot.is_of(id) {
            let mut kept = slot.lock();
            // Checked again, because another span may have taken the slot.
            if slot.is_of(id) {
                return slot.free(&mut kept);
            }
        }
        if shard.is_used() { shard.forget(id) } else { Fields::new() }
    }

    /// Returns the address of all that the span remembers, if it is certain and can be found without a lock. Nearly always, a
    /// span that is entered finds its fields current, and then nothing more needs to be known. The span must be open.
    #[inline]
    pub(super) fn known_to_remember(&self, id: &Id) -> Option<usize> {
        if self.in_use.load(Ordering::Relaxed) { self.slot(id).known_to_keep(id) } else { Some(NOTHING) }
    }

    /// Returns what the span remembers, and the values recorded on it since it was created.
    pub(super) fn get(&self, id: &Id) -> (Remembered, Option<Arc<Recorded>>) {
        if !self.in_use.load(Ordering::Relaxed) {
            return (Remembered::default(), None);
        }
        let (slot, shard) = self.places(id);
        if slot.is_of(id) {
            let kept = slot.lock();
            if slot.is_of(id) {
                return (kept.clone().into(), None);
            }
        }
        shard.get(id)
    }

    /// Returns the slot that the span may have, and the shard that it is in otherwise: all spans of a slot share one shard.
    #[inline]
    fn places(&self, id: &Id) -> (&SpanSlot, &Shard) {
        (self.slot(id), &self.shards[place(id) % SHARDS])
    }

    #[inline]
    fn slot(&self, id: &Id) -> &SpanSlot {
        &self.slots[place(id) % SLOTS]
    }
}

/// Returns a number whose lower bits distinguish most of the spans that are open at one time.
///
/// An id of the registry has the span's place in memory in its lower bits, above that its thread, above that how often the
/// place was used. So spans that one thread opens and closes share the same few slots, and other threads' spans have
/// others. Ids of other subscribers are spread well enough.
#[inline]
pub(super) fn place(id: &Id) -> usize {
    const THREAD_SHIFT: u32 = 38;
    // Puts consecutive threads as far from each other as possible.
    const THREAD_STEP: u64 = 633;
    let id = id.into_u64();
    id.wrapping_add((id >> THREAD_SHIFT).wrapping_mul(THREAD_STEP)) as usize
}

/// The values that a closed span remembered, to be dropped.
type Forgotten = (Option<Fields>, Option<Remembered>, Option<Arc<Recorded>>);

/// Frees the slot for a new span, and forgets what a closed one of the same id remembered.
#[cold]
#[inline(never)]
fn make_room(id: &Id, slot: &SpanSlot, shard: &Shard, kept: &mut MutexGuard<'_, Fields>) -> Forgotten {
    let mut forgotten = None;
    if slot.is_of(id) {
        forgotten = Some(slot.free(kept));
    } else if !slot.is_free() {
        slot.move_to(shard, kept);
    }
    let (remembered, recorded) = shard.write(|memories| memories.remove(id));
    (forgotten, remembered, recorded)
}

/// The values that one span remembers. A new span takes its slot from the current holder.
///
/// The slot changes only under its lock. Without the lock, two things are certain about a span that is open:
///
/// - If it no longer holds the slot, its memory is in the shard. It is put there *before* the slot is given up, and the span
///   never gets the slot again.
/// - If it holds the slot before and after the address is read, the address is that of its fields. A slot is freed before the
///   address changes: a thread that has read another span's address does not find this span in the slot when it looks again.
///
/// A cache line wide, so that threads that work on different spans do not share one.
#[repr(align(64))]
struct SpanSlot {
    holder: AtomicU64,
    /// The [marks](Mark) of the holder.
    marks: AtomicU8,
    /// The address of the holder's fields. The holder keeps them alive.
    address: AtomicUsize,
    fields: Mutex<Fields>,
}

/// The holder of a free slot, which keeps nothing. Span ids are never 0.
const FREE: u64 = 0;

impl Default for SpanSlot {
    fn default() -> Self {
        SpanSlot {
            holder: AtomicU64::new(FREE),
            marks: AtomicU8::new(0),
            address: AtomicUsize::new(NOTHING),
            fields: Mutex::new(Fields::new()),
        }
    }
}

impl SpanSlot {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Fields> {
        // Nothing can panic while a lock is held, so the fields behind a poisoned one are still consistent.
        self.fields.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn is_of(&self, id: &Id) -> bool {
        // A thread that sees another holder also sees what was put in the shard.
        self.holder.load(Ordering::Acquire) == id.into_u64()
    }

    #[inline]
    fn is_free(&self) -> bool {
        self.holder.load(Ordering::Relaxed) == FREE
    }

    #[inline]
    fn known_to_keep(&self, id: &Id) -> Option<usize> {
        if !self.is_of(id) {
            return None;
        }
        let address = self.address.load(Ordering::Acquire);
        // If another span wrote the address, the second load sees that the slot was freed for it.
        (self.holder.load(Ordering::Relaxed) == id.into_u64()).then_some(address)
    }

    /// Stores a new holder and its fields. The slot must be free.
    #[inline]
    fn give_to(&self, id: &Id, fields: Fields, kept: &mut MutexGuard<'_, Fields>) {
        self.address.store(fields.address(), Ordering::Release);
        self.marks.store(0, Ordering::Relaxed);
        **kept = fields;
        self.holder.store(id.into_u64(), Ordering::Release);
    }

    /// Frees the slot, and returns its fields.
    #[inline]
    fn free(&self, kept: &mut MutexGuard<'_, Fields>) -> Fields {
        self.holder.store(FREE, Ordering::Release);
        mem::take(&mut **kept)
    }

    /// Moves the fields to the shard, and frees the slot.
    fn move_to(&self, shard: &Shard, kept: &mut MutexGuard<'_, Fields>) {
        let fields = mem::take(&mut **kept);
        let holder = Id::from_u64(self.holder.load(Ordering::Relaxed));
        let marks = self.marks.load(Ordering::Relaxed);
        // The shard has no entry yet: `make_room` removed it when the holder got the slot.
        if marks != 0 {
            shard.mark(holder.clone(), marks);
        }
        if !fields.is_blank() {
            shard.write(|memories| memories.remembered.insert(holder, fields.into()));
        }
        self.holder.store(FREE, Ordering::Release);
    }
}

/// The memories of some of the spans, for those that are in no slot.
///
/// Entries of a span are added while its slot is locked, so the next span of the same id sees them.
///
/// Two cache lines wide, so that threads that work on different spans do not share one.
#[repr(align(128))]
#[derive(Default)]
struct Shard {
    memories: RwLock<Memories>,
    /// The number of entries.
    len: AtomicUsize,
}

#[derive(Default)]
struct Memories {
    remembered: HashMap<Id, Remembered, BuildHasherDefault<IdHasher>>,
    recorded: HashMap<Id, Arc<Recorded>, BuildHasherDefault<IdHasher>>,
    marks: HashMap<Id, u8, BuildHasherDefault<IdHasher>>,
}

impl Memories {
    fn remove(&mut self, id: &Id) -> (Option<Remembered>, Option<Arc<Recorded>>) {
        self.marks.remove(id);
        (self.remembered.remove(id), self.recorded.remove(id))
    }
}

impl Shard {
    #[inline]
    fn is_used(&self) -> bool {
        self.len.load(Ordering::Relaxed) > 0
    }

    fn write<R>(&self, f: impl FnOnce(&mut Memories) -> R) -> R {
        let mut memories: RwLockWriteGuard<'_, Memories> =
            self.memories.write().unwrap_or_else(PoisonError::into_inner);
        let result = f(&mut memories);
        self.len.store(memories.remembered.len() + memories.recorded.len() + memories.marks.len(), Ordering::Relaxed);
        result
    }

    fn get(&self, id: &Id) -> (Remembered, Option<Arc<Recorded>>) {
        let memories = self.memories.read().unwrap_or_else(PoisonError::into_inner);
        (memories.remembered.get(id).cloned().unwrap_or_default(), memories.recorded.get(id).cloned())
    }

    fn mark(&self, id: Id, marks: u8) {
        self.write(|memories| *memories.marks.entry(id).or_default() |= marks);
    }

    fn marks_of(&self, id: &Id) -> u8 {
        self.memories.read().unwrap_or_else(PoisonError::into_inner).marks.get(id).copied().unwrap_or_default()
    }

    #[cold]
    #[inline(never)]
    fn forget(&self, id: &Id) -> Fields {
        match self.write(|memories| memories.remove(id)) {
            (Some(remembered), _) => remembered.fields,
            (None, _) => Fields::new(),
        }
    }
}

/// A hasher for span ids, which are small or packed numbers; multiplying spreads them.
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

fn mix(id: u64) -> u64 {
    let product = u128::from(id ^ 0x243F_6A88_85A3_08D3).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::well_known::TENANT_ID;

    fn tenant(name: &str) -> Fields {
        Fields::new().with(&TENANT_ID, name)
    }

    fn is_tenant(memory: &SpanMemory, id: &Id, name: &str) -> bool {
        matches!(memory.get(id), (remembered, None) if remembered.fields.get(&TENANT_ID).is_some_and(|it| it == name))
    }

    /// Each thread's spans take the slots of the other threads' spans while those are open, read and closed.
    #[test]
    fn a_span_whose_slot_is_taken_is_remembered_until_it_is_closed() {
        let memory = SpanMemory::new();
        let threads = if cfg!(miri) { 2 } else { 4 };
        let (rounds, open) = if cfg!(miri) { (1, 5) } else { (20, 3 * SLOTS as u64) };
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let memory = &memory;
                scope.spawn(move || {
                    let (one, other) = (tenant(&format!("{thread}")), tenant("other"));
                    for _ in 0..rounds {
                        // The same ids in every round, because the registry reuses ids.
                        let ids: Vec<Id> = (1..=open).map(|at| Id::from_u64((thread << 40) + at)).collect();
                        for id in &ids {
                            memory.remember(id, one.clone());
                            assert!(is_tenant(memory, id, &format!("{thread}")));
                        }
                        for id in &ids {
                            assert!(is_tenant(memory, id, &format!("{thread}")));
                            assert!(memory.known_to_remember(id) != Some(other.address()));
                            assert!(memory.forget(id).is_same(&one));
                            assert!(memory.get(id).0.is_blank());
                        }
                    }
                });
            }
        });
        assert!(memory.shards.iter().all(|shard| !shard.is_used()));
    }

    #[test]
    fn a_new_span_does_not_remember_the_fields_of_an_older_one_of_its_id() {
        let memory = SpanMemory::new();
        let (id, same_slot) = (Id::from_u64(7), Id::from_u64(7 + SLOTS as u64));
        memory.remember(&id, tenant("before"));
        memory.remember(&id, tenant("after"));
        assert!(is_tenant(&memory, &id, "after"));
        // The result is the same if the memory was moved to the shard.
        memory.remember(&same_slot, tenant("other"));
        memory.remember(&id, Fields::new());
        assert!(memory.get(&id).0.is_blank() && is_tenant(&memory, &same_slot, "other"));
        assert!(memory.known_to_remember(&id) == Some(NOTHING));
    }

    #[test]
    fn a_request_whose_slot_goes_to_another_is_one_and_no_other_is() {
        let memory = SpanMemory::new();
        let [request, same_slot, neither] = [0, 1, 2].map(|turn| Id::from_u64(7 + turn * SLOTS as u64));
        memory.remember(&request, tenant("acme"));
        memory.mark(&request, Mark::Request);
        let is_request = |id: &Id| memory.is_marked(id, Mark::Request);
        assert!(!memory.is_marked(&request, Mark::WithoutParentsFields));
        memory.remember(&same_slot, tenant("other"));
        assert!(is_request(&request) && !is_request(&same_slot) && !is_request(&neither));
    }

    #[test]
    fn nothing_of_a_span_is_left_once_it_is_forgotten() {
        let memory = SpanMemory::new();
        let (id, same_slot) = (Id::from_u64(7), Id::from_u64(7 + SLOTS as u64));
        memory.remember(&id, tenant("before"));
        memory.remember(&same_slot, tenant("other"));
        // The slot is free again, and what was moved is not forgotten.
        drop(memory.forget(&same_slot));
        memory.remember(&id, tenant("after"));
        assert!(memory.forget(&id).get(&TENANT_ID).is_some_and(|name| name == "after"));
        assert!(memory.get(&id).0.is_blank());
    }
}
