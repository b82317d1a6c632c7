//! The context that each open span remembers.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use opentelemetry::{Context, baggage::BaggageExt};
use tracing_core::span::Id;

use crate::context::ContextFieldsExt;

/// From span to context, for the spans that were made while there was something to remember.
pub(super) struct SpanContexts {
    shards: Box<[Shard]>,
    /// How many spans remember something: while none does, nobody needs to look.
    remembering: AtomicUsize,
}

/// Aligned to a cache line's pair, so that threads that work on different spans do not share one.
#[repr(align(128))]
#[derive(Default)]
struct Shard(RwLock<Contexts>);

type Contexts = HashMap<Id, Context, BuildHasherDefault<IdHasher>>;

/// Each open span's lock is shared with one in so many others.
const SHARDS: usize = 64;

impl SpanContexts {
    pub(super) fn new() -> Self {
        SpanContexts { shards: (0..SHARDS).map(|_| Shard::default()).collect(), remembering: AtomicUsize::new(0) }
    }

    /// Has a span remember `cx`, if there is anything in it to remember. What a closed span of the same id remembered
    /// is forgotten.
    pub(super) fn remember(&self, id: &Id, cx: Option<Context>) {
        match cx.filter(|cx| !cx.fields().is_empty() || !cx.baggage().is_empty()) {
            Some(cx) => {
                if self.write(id).insert(id.clone(), cx).is_none() {
                    self.remembering.fetch_add(1, Ordering::Relaxed);
                }
            }
            None => self.forget(id),
        }
    }

    pub(super) fn forget(&self, id: &Id) {
        if self.remembering.load(Ordering::Relaxed) > 0 {
            // The context is dropped after the lock is: values may have destructors that log.
            let forgotten = self.write(id).remove(id);
            if forgotten.is_some() {
                self.remembering.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// Calls `f` with what the span remembers. `f` must not call foreign code.
    #[inline]
    pub(super) fn with<R>(&self, id: &Id, f: impl FnOnce(Option<&Context>) -> R) -> R {
        if self.remembering.load(Ordering::Relaxed) == 0 {
            return f(None);
        }
        f(self.read(id).get(id))
    }

    fn read(&self, id: &Id) -> RwLockReadGuard<'_, Contexts> {
        // Nothing can panic while a lock is held, so poisoned contexts are still whole.
        self.shard(id).0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, id: &Id) -> RwLockWriteGuard<'_, Contexts> {
        self.shard(id).0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn shard(&self, id: &Id) -> &Shard {
        &self.shards[(mix(id.into_u64()) >> 32) as usize % SHARDS]
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
