//! The captures that are in progress, and what belongs to each.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use opentelemetry::{SpanId, TraceId};

use super::store::Store;

static LIVE: Mutex<Option<Live>> = Mutex::new(None);

/// An owner, or several that claim the same thing: then nothing is known.
type Claimed = Option<Arc<Store>>;

#[derive(Default)]
pub(super) struct Live {
    /// The number of captures since the process started.
    begun: u64,
    captures: Vec<Arc<Store>>,
    spans: HashMap<SpanId, Arc<Store>>,
    traces: HashMap<TraceId, Claimed>,
    #[cfg(feature = "tokio")]
    runtimes: HashMap<tokio::runtime::Id, Claimed>,
}

/// Calls `f` with the captures. It must not call other code.
pub(super) fn with_live<R>(f: impl FnOnce(&mut Live) -> R) -> R {
    let mut live: MutexGuard<'_, _> = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    f(live.get_or_insert_default())
}

fn claim<K: Hash + Eq>(claims: &mut HashMap<K, Claimed>, key: K, store: &Arc<Store>) {
    match claims.entry(key) {
        Entry::Vacant(vacant) => {
            vacant.insert(Some(Arc::clone(store)));
        }
        Entry::Occupied(mut occupied) => {
            if occupied.get().as_ref().is_some_and(|known| !Arc::ptr_eq(known, store)) {
                occupied.insert(None);
            }
        }
    }
}

impl Live {
    pub(super) fn begin(&mut self) -> Arc<Store> {
        self.begun += 1;
        let store = Arc::new(Store::new(self.begun));
        self.captures.push(Arc::clone(&store));
        store
    }

    /// Forgets a capture. What still happens for it is lost.
    pub(super) fn end(&mut self, store: &Arc<Store>) {
        let is_other = |other: &Arc<Store>| !Arc::ptr_eq(other, store);
        self.captures.retain(is_other);
        self.spans.retain(|_, other| is_other(other));
        // What was claimed by several stays unknown.
        self.traces.retain(|_, other| other.as_ref().is_none_or(is_other));
        #[cfg(feature = "tokio")]
        self.runtimes.retain(|_, other| other.as_ref().is_none_or(is_other));
    }

    pub(super) fn claim_span(&mut self, trace: TraceId, span: SpanId, store: &Arc<Store>) {
        if self.captures.iter().any(|live| Arc::ptr_eq(live, store)) {
            self.spans.insert(span, Arc::clone(store));
            claim(&mut self.traces, trace, store);
        }
    }

    #[cfg(feature = "tokio")]
    pub(super) fn claim_runtime(&mut self, runtime: tokio::runtime::Id, store: &Arc<Store>) {
        if self.captures.iter().any(|live| Arc::ptr_eq(live, store)) {
            claim(&mut self.runtimes, runtime, store);
        }
    }

    pub(super) fn of_span(&self, span: SpanId) -> Option<Arc<Store>> {
        self.spans.get(&span).cloned()
    }

    pub(super) fn of_trace(&self, trace: TraceId) -> Option<Arc<Store>> {
        self.traces.get(&trace).cloned().flatten()
    }

    #[cfg(feature = "tokio")]
    pub(super) fn of_runtime(&self, runtime: tokio::runtime::Id) -> Option<Arc<Store>> {
        self.runtimes.get(&runtime).cloned().flatten()
    }

    pub(super) fn of_number(&self, number: u64) -> Option<Arc<Store>> {
        self.captures.iter().find(|store| store.number == number).cloned()
    }

    /// Returns the capture, if it is the only one that this process ever began.
    pub(super) fn only(&self) -> Option<Arc<Store>> {
        self.captures.first().filter(|_| self.begun == 1).cloned()
    }
}
