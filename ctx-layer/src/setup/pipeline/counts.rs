//! Counts of what was exported and what was lost.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

/// The counts of one signal since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignalCounts {
    /// The number of spans, log records or exports of metrics that the collector accepted.
    pub exported: u64,
    /// The number of those that were sent and not accepted.
    pub failed: u64,
    /// The number of those that were not queued, because the queue was full or the exports had ended.
    pub dropped: u64,
    /// The number of those that wait or are being sent. After the end they are lost: it took too long.
    pub queued: u64,
}

/// The counts of all signals since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportCounts {
    /// Spans.
    pub traces: SignalCounts,
    /// Log records.
    pub logs: SignalCounts,
    /// Exports of metrics: one is a set of all metrics.
    pub metrics: SignalCounts,
    /// Log lines that could not be written.
    pub lost_lines: u64,
}

/// The counters of one signal, which its processor and its exporter share.
#[derive(Debug)]
pub(crate) struct Counters {
    /// The largest number of `queued`.
    limit: usize,
    is_closed: AtomicBool,
    queued: AtomicUsize,
    exported: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    last_error: Mutex<Option<String>>,
    losses: Arc<Notify>,
}

impl Counters {
    pub(crate) fn new(limit: usize, losses: Arc<Notify>) -> Arc<Self> {
        Arc::new(Counters {
            limit,
            is_closed: AtomicBool::new(false),
            queued: AtomicUsize::new(0),
            exported: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            last_error: Mutex::new(None),
            losses,
        })
    }

    /// Takes a place in the queue. Returns `false`, and counts, if it is full or closed.
    pub(crate) fn try_queue(&self) -> bool {
        if !self.is_closed.load(Ordering::Relaxed) {
            if self.queued.fetch_add(1, Ordering::Relaxed) < self.limit {
                return true;
            }
            self.queued.fetch_sub(1, Ordering::Relaxed);
        }
        // The first of several says that there are some.
        if self.dropped.fetch_add(1, Ordering::Relaxed).is_multiple_of(1024) {
            self.losses.notify_one();
        }
        false
    }

    /// Drops all that comes from now on, since the SDK would without a word.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// Gives back the places of a batch, which it has until it is exported: what is being sent is in memory, too.
    pub(crate) fn dequeue(&self, count: usize) {
        let _ =
            self.queued.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |queued| Some(queued.saturating_sub(count)));
    }

    pub(crate) fn exported(&self, count: usize) {
        self.exported.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self, count: usize, error: String) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.failed.fetch_add(count as u64, Ordering::Relaxed);
        self.losses.notify_one();
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn counts(&self) -> SignalCounts {
        SignalCounts {
            exported: self.exported.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            queued: self.queued.load(Ordering::Relaxed) as u64,
        }
    }
}
