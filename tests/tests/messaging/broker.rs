//! A broker in memory: a queue, redelivery, dead letters.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use ctx_layer::{
    messaging::{Delivery, ReceiveOptions, Settlement},
    propagation::Carrier,
};
use futures_util::{Stream, stream};
use tokio::sync::Notify;

use crate::shared::Headers;

/// A queue whose messages are delivered until they are settled.
#[derive(Debug, Default)]
pub(crate) struct Broker {
    state: Mutex<State>,
    /// A message waits.
    queued: Notify,
    /// A message was settled, and none waits.
    emptied: Notify,
    /// Settling returns an error.
    pub(crate) refuses: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Envelope>,
    acked: Vec<u64>,
    dead: Vec<u64>,
    delivered: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) headers: Headers,
    pub(crate) body: u64,
    deliveries: u32,
}

impl Broker {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn send(&self, headers: Headers, body: u64) {
        self.deliver(Envelope { headers, body, deliveries: 0 });
    }

    fn deliver(&self, envelope: Envelope) {
        self.state().queue.push_back(envelope);
        self.queued.notify_one();
    }

    /// Returns what was acked, in order.
    pub(crate) fn acked(&self) -> Vec<u64> {
        self.state().acked.clone()
    }

    pub(crate) fn dead(&self) -> Vec<u64> {
        self.state().dead.clone()
    }

    /// Returns how many messages wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state().queue.len()
    }

    /// Returns how many deliveries there were.
    pub(crate) fn delivered(&self) -> u64 {
        self.state().delivered
    }

    /// Waits until this many messages are settled for good.
    pub(crate) async fn settled(self: Arc<Self>, count: usize) {
        self.until(&self.emptied, |state| (state.acked.len() + state.dead.len() >= count).then_some(())).await;
    }

    async fn until<T>(&self, changed: &Notify, mut found: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let changed = changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if let Some(found) = found(&mut self.state()) {
                return found;
            }
            changed.await;
        }
    }

    /// Returns the messages, as they come.
    pub(crate) fn messages(self: &Arc<Self>) -> impl Stream<Item = Result<Delivered, Refused>> + use<> {
        stream::unfold(self.clone(), |broker| async {
            let mut envelope = broker
                .until(&broker.queued, |state| {
                    state.delivered += u64::from(!state.queue.is_empty());
                    state.queue.pop_front()
                })
                .await;
            envelope.deliveries += 1;
            let delivered = Delivered { broker: broker.clone(), envelope, is_settled: AtomicBool::new(false) };
            Some((Ok(delivered), broker))
        })
    }
}

/// A message that is settled, or goes back to the queue when it is dropped.
#[derive(Debug)]
pub(crate) struct Delivered {
    broker: Arc<Broker>,
    pub(crate) envelope: Envelope,
    is_settled: AtomicBool,
}

impl Delivery for Delivered {
    type Error = Refused;

    fn headers(&self) -> impl Carrier {
        assert!(!self.envelope.headers.contains_key("panics"), "these headers cannot be read");
        &self.envelope.headers
    }

    fn options(&self) -> ReceiveOptions {
        ReceiveOptions::new().delivery(self.envelope.deliveries)
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), Refused> {
        tokio::task::yield_now().await;
        if self.broker.refuses.load(Ordering::Relaxed) {
            return Err(Refused);
        }
        assert!(!self.is_settled.swap(true, Ordering::Relaxed), "it is settled twice");
        match settlement {
            Settlement::Ack => self.broker.state().acked.push(self.envelope.body),
            Settlement::DeadLetter => self.broker.state().dead.push(self.envelope.body),
            Settlement::Nack | Settlement::Requeue => self.broker.deliver(self.envelope.clone()),
        }
        if self.broker.state().queue.is_empty() {
            self.broker.emptied.notify_waiters();
        }
        Ok(())
    }
}

impl Drop for Delivered {
    fn drop(&mut self) {
        if !self.is_settled.swap(true, Ordering::Relaxed) {
            self.broker.deliver(self.envelope.clone());
        }
    }
}

/// The broker does not answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the broker is gone")
    }
}
