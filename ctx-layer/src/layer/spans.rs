//! What each open span remembers.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use tracing_core::span::Id;

use super::recorded::Recorded;
use crate::{
    context::{NOTHING, Remembered},
    field::{Call, Fields, Shared},
};

/// From span to what it remembers, for the spans that were made while there was something.
///
/// Nearly every span has a [`Slot`] to itself. Some have not, and are in a shard of maps: those whose slot went to a newer
/// span, those that remember baggage, and those to which something was added when they were open.
pub(super) struct SpanMemory {
    slots: Box<[Slot]>,
    shards: Box<[Shard]>,
    /// Whether any span ever remembered something: until then nobody needs to look.
    in_use: AtomicBool,
}

const SLOTS: usize = 1024;
const SHARDS: usize = 64;

impl SpanMemory {
    pub(super) fn new() -> Self {
        SpanMemory {
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            in_use: AtomicBool::new(false),
        }
    }

    /// Has a new span remember fields, or nothing. What a closed span of the same id remembered is forgotten.
    ///
    /// Must be called once in every span's life, before anybody else knows its id, by this name or the next.
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

    /// The same where there may be baggage.
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

    /// Has a span that is open already remember a value that was recorded on it.
    ///
    /// A span that remembered nothing counts from then on as created where it was first recorded on. Where nothing was
    /// current there either, the value alone is what it remembers: so it is not mixed with those of another request.
    ///
    /// Returns the call, to be added to the frames of the span.
    pub(super) fn record(&self, id: &Id, value: &Shared, current: impl FnOnce() -> Remembered) -> Call {
        self.in_use.store(true, Ordering::Relaxed);
        let current = match self.get(id) {
            (remembered, None) if remembered.is_blank() => Some(current()),
            _ => None,
        };
        // On nothing, it is what the request of the span is known by.
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

    /// Notes that an open span is that of a request.
    pub(super) fn mark_request(&self, id: &Id) {
        self.in_use.store(true, Ordering::Relaxed);
        let (slot, shard) = self.places(id);
        let kept = slot.lock();
        if slot.is_of(id) {
            slot.is_request.store(true, Ordering::Relaxed);
        } else {
            shard.write(|memories| memories.requests.insert(id.clone()));
        }
        drop(kept);
    }

    /// Returns `true` if an open span is that of a request.
    pub(super) fn is_request(&self, id: &Id) -> bool {
        if !self.in_use.load(Ordering::Relaxed) {
            return false;
        }
        let (slot, shard) = self.places(id);
        let kept = slot.lock();
        let is_request = if slot.is_of(id) { slot.is_request.load(Ordering::Relaxed) } else { shard.has_request(id) };
        drop(kept);
        is_request
    }

    /// Forgets what a closed span remembered, and gives it back if that was fields.
    #[inline]
    pub(super) fn forget(&self, id: &Id) -> Fields {
        if !self.in_use.load(Ordering::Relaxed) {
            return Fields::new();
        }
        let (slot, shard) = self.places(id);
        if slot.is_of(id) {
            let mut kept = slot.lock();
            // Not if it just went to another span.
            if slot.is_of(id) {
                return slot.free(&mut kept);
            }
        }
        if shard.is_used() { shard.forget(id) } else { Fields::new() }
    }

    /// The address of all that the span remembers, where that is certain and takes no lock to find: nearly always, a span
    /// that is entered finds its fields current, and then nothing more needs to be known. The span must be open.
    #[inline]
    pub(super) fn known_to_remember(&self, id: &Id) -> Option<usize> {
        if self.in_use.load(Ordering::Relaxed) { self.slot(id).known_to_keep(id) } else { Some(NOTHING) }
    }

    /// What the span remembers, and what was recorded on it since it was created.
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

    /// The slot that the span may have, and the shard that it is in otherwise: one for all spans of the slot.
    #[inline]
    fn places(&self, id: &Id) -> (&Slot, &Shard) {
        (self.slot(id), &self.shards[place(id) % SHARDS])
    }

    #[inline]
    fn slot(&self, id: &Id) -> &Slot {
        &self.slots[place(id) % SLOTS]
    }
}

/// Tells spans apart that are open at one time, for the most part, by its lower bits.
///
/// The registry's ids have the span's place in memory at the lower end, above that its thread, above that how often the
/// place was used. So spans that one thread opens and closes have the same few slots, and other threads' spans have
/// others. Ids of another make are spread well enough.
#[inline]
pub(super) fn place(id: &Id) -> usize {
    const THREAD_SHIFT: u32 = 38;
    // Consecutive threads come to stand as far from each other as can be.
    const THREAD_STEP: u64 = 633;
    let id = id.into_u64();
    id.wrapping_add((id >> THREAD_SHIFT).wrapping_mul(THREAD_STEP)) as usize
}

/// What was remembered of a closed span: to be dropped.
type Forgotten = (Option<Fields>, Option<Remembered>, Option<Arc<Recorded>>);

/// Makes the slot free for a new span, and forgets what a closed one of the same id remembered.
#[cold]
#[inline(never)]
fn make_room(id: &Id, slot: &Slot, shard: &Shard, kept: &mut MutexGuard<'_, Fields>) -> Forgotten {
    let mut forgotten = None;
    if slot.is_of(id) {
        forgotten = Some(slot.free(kept));
    } else if !slot.is_free() {
        slot.move_to(shard, kept);
    }
    let (remembered, recorded) = shard.write(|memories| memories.remove(id));
    (forgotten, remembered, recorded)
}

/// What one span remembers. A new span takes its slot from whichever has it.
///
/// Who holds the lock may change the slot. Without it one can tell two things of a span that is open:
///
/// - It has the slot no more, and so its memory is in the shard. Where it is put *before* the slot is given up; and the
///   span never has the slot again.
/// - Its fields stand at a certain address. A slot is made free before the address is changed: so who has read another
///   span's address does not find this span in the slot when looking again.
///
/// A cache line wide, so that threads that work on different spans do not share one.
#[repr(align(64))]
struct Slot {
    holder: AtomicU64,
    /// The holder is the span of a request.
    is_request: AtomicBool,
    /// Where the holder's fields stand. The holder keeps them alive.
    address: AtomicUsize,
    fields: Mutex<Fields>,
}

/// The holder of a free slot, in which nothing is kept. Span ids are never 0.
const FREE: u64 = 0;

impl Default for Slot {
    fn default() -> Self {
        Slot {
            holder: AtomicU64::new(FREE),
            is_request: AtomicBool::new(false),
            address: AtomicUsize::new(NOTHING),
            fields: Mutex::new(Fields::new()),
        }
    }
}

impl Slot {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Fields> {
        // Nothing can panic while a lock is held, so what is behind a poisoned one is still whole.
        self.fields.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn is_of(&self, id: &Id) -> bool {
        // Who sees that it is another's sees what was put in the shard.
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
        // If that is what another span wrote, then that the slot was made free for it is seen by the second look.
        (self.holder.load(Ordering::Relaxed) == id.into_u64()).then_some(address)
    }

    /// The slot must be free.
    #[inline]
    fn give_to(&self, id: &Id, fields: Fields, kept: &mut MutexGuard<'_, Fields>) {
        self.address.store(fields.address(), Ordering::Release);
        self.is_request.store(false, Ordering::Relaxed);
        **kept = fields;
        self.holder.store(id.into_u64(), Ordering::Release);
    }

    /// Makes the slot free, and gives back what was kept.
    #[inline]
    fn free(&self, kept: &mut MutexGuard<'_, Fields>) -> Fields {
        self.holder.store(FREE, Ordering::Release);
        mem::take(&mut **kept)
    }

    /// Puts what is kept in the shard, and makes the slot free.
    fn move_to(&self, shard: &Shard, kept: &mut MutexGuard<'_, Fields>) {
        let fields = mem::take(&mut **kept);
        let holder = Id::from_u64(self.holder.load(Ordering::Relaxed));
        let is_request = self.is_request.load(Ordering::Relaxed);
        // Nothing is there yet: it was looked for when the holder got the slot.
        if is_request {
            shard.write(|memories| memories.requests.insert(holder.clone()));
        }
        if !fields.is_blank() {
            shard.write(|memories| memories.remembered.insert(holder, fields.into()));
        }
        self.holder.store(FREE, Ordering::Release);
    }
}

/// The memories that are in no slot, for some of the spans.
///
/// What concerns a span is added while its slot is locked. So the next span of the same id sees it.
///
/// Two cache lines wide, so that threads that work on different spans do not share one.
#[repr(align(128))]
#[derive(Default)]
struct Shard {
    memories: RwLock<Memories>,
    /// How many there are.
    len: AtomicUsize,
}

#[derive(Default)]
struct Memories {
    remembered: HashMap<Id, Remembered, BuildHasherDefault<IdHasher>>,
    recorded: HashMap<Id, Arc<Recorded>, BuildHasherDefault<IdHasher>>,
    /// The spans of requests.
    requests: HashSet<Id, BuildHasherDefault<IdHasher>>,
}

impl Memories {
    fn remove(&mut self, id: &Id) -> (Option<Remembered>, Option<Arc<Recorded>>) {
        self.requests.remove(id);
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
        self.len
            .store(memories.remembered.len() + memories.recorded.len() + memories.requests.len(), Ordering::Relaxed);
        result
    }

    fn get(&self, id: &Id) -> (Remembered, Option<Arc<Recorded>>) {
        let memories = self.memories.read().unwrap_or_else(PoisonError::into_inner);
        (memories.remembered.get(id).cloned().unwrap_or_default(), memories.recorded.get(id).cloned())
    }

    fn has_request(&self, id: &Id) -> bool {
        self.memories.read().unwrap_or_else(PoisonError::into_inner).requests.contains(id)
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

    /// Each thread's spans take the slots of all others' while those are open, looked at and closed.
    #[test]
    fn a_span_whose_slot_goes_to_another_is_remembered_until_it_is_closed() {
        let memory = SpanMemory::new();
        let threads = if cfg!(miri) { 2 } else { 4 };
        let (rounds, open) = if cfg!(miri) { (1, 5) } else { (20, 3 * SLOTS as u64) };
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let memory = &memory;
                scope.spawn(move || {
                    let (one, other) = (tenant(&format!("{thread}")), tenant("other"));
                    for _ in 0..rounds {
                        // The same ids in every round, as the registry gives them again some day.
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
    fn what_was_not_forgotten_is_not_remembered_by_the_next_span_of_the_same_id() {
        let memory = SpanMemory::new();
        let (id, same_slot) = (Id::from_u64(7), Id::from_u64(7 + SLOTS as u64));
        memory.remember(&id, tenant("before"));
        memory.remember(&id, tenant("after"));
        assert!(is_tenant(&memory, &id, "after"));
        // The same where the memory was moved.
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
        memory.mark_request(&request);
        memory.remember(&same_slot, tenant("other"));
        assert!(memory.is_request(&request) && !memory.is_request(&same_slot) && !memory.is_request(&neither));
    }

    #[test]
    fn nothing_of_a_span_is_left_once_it_is_forgotten() {
        let memory = SpanMemory::new();
        let (id, same_slot) = (Id::from_u64(7), Id::from_u64(7 + SLOTS as u64));
        memory.remember(&id, tenant("before"));
        memory.remember(&same_slot, tenant("other"));
        // The slot is free again, and what was moved is not forgotten.
        memory.forget(&same_slot);
        memory.remember(&id, tenant("after"));
        assert!(memory.forget(&id).get(&TENANT_ID).is_some_and(|name| name == "after"));
        assert!(memory.get(&id).0.is_blank());
    }
}
