//! The worker.

use std::{
    fmt,
    future::{Pending, pending, poll_fn},
    num::NonZeroUsize,
    pin::pin,
    sync::Arc,
    task::Poll,
};

use futures_core::Stream;
use tokio::task::JoinSet;

use super::{
    delivery::Delivery,
    message::Message,
    settle::{FailurePolicy, handle},
    summary::WorkerSummary,
};
use crate::messaging::{Consumer, Outcome, Settlement};

/// A loop that takes messages from a stream, handles each in its own context, and settles it by the result.
///
/// | the handler | the message is |
/// |---|---|
/// | returns `()` or `Ok(())` | acked |
/// | returns a [`Settlement`], or `Ok` of one | settled like that |
/// | returns an error | nacked, or as [`on_error`](Self::on_error) decides |
/// | panics | nacked, or as [`on_panic`](Self::on_panic) says |
/// | fails for the [last time](Self::max_attempts) | dead-lettered |
///
/// The context is restored before the handler is called, and is current at each of its polls, while what it owns is dropped, and
/// while the message is settled. Each message is a task of its own: whatever happens to one, the others keep theirs.
///
/// ```
/// # use std::{collections::HashMap, convert::Infallible};
/// # use ctx_layer::{messaging::{Delivery, Settlement}, propagation::Carrier};
/// # struct Order { id: u64, headers: HashMap<String, String> }
/// # impl Delivery for Order {
/// #     type Error = Infallible;
/// #     fn headers(&self) -> impl Carrier { &self.headers }
/// #     async fn settle(&self, _: Settlement) -> Result<(), Infallible> { Ok(()) }
/// # }
/// use ctx_layer::{messaging::{Consumer, Destination, Message, Worker}, prelude::*, propagation::Trust};
///
/// #[with_observability]
/// async fn handle(message: Message<Order>) -> Result<(), std::io::Error> {
///     tracing::info!(order = message.id, attempt = message.attempt(), "handling it");
///     Ok(())
/// }
///
/// # fn stop() -> impl Future<Output = ()> + Send { std::future::pending() }
/// # async fn run(orders: impl futures_core::Stream<Item = Result<Order, Infallible>>) -> Result<(), Infallible> {
/// let consumer = Consumer::new(Destination::new("rabbitmq", "orders")).trust(Trust::internal());
/// let summary = Worker::new(consumer, handle).concurrency(8).max_attempts(5).shutdown(stop()).run(orders).await?;
/// println!("{summary:?}");
/// # Ok(())
/// # }
/// ```
///
/// # Limits
///
/// It needs a runtime of `tokio`, and handlers that are `Send`. Messages are taken from the stream in order; with a
/// [concurrency](Self::concurrency) of more than one they end in any order. How many messages the client fetches ahead is the client's
/// setting.
#[must_use = "a worker does nothing until it runs"]
pub struct Worker<H, R, S = Pending<()>, L = fn() -> Pending<()>> {
    consumer: Consumer,
    handler: H,
    concurrency: NonZeroUsize,
    policy: FailurePolicy<R>,
    shutdown: S,
    drain_limit: L,
}

impl<H, R> Worker<H, R> {
    /// Creates a worker that handles one message after another.
    pub fn new<D, F>(consumer: Consumer, handler: H) -> Self
    where
        D: Delivery,
        H: Fn(Message<D>) -> F + Send + Sync + 'static,
        F: Future<Output = R> + Send + 'static,
        R: Outcome,
    {
        Worker {
            consumer,
            handler,
            concurrency: NonZeroUsize::MIN,
            policy: FailurePolicy { on_error: None, on_panic: Settlement::Nack, max_attempts: None },
            shutdown: pending(),
            drain_limit: pending,
        }
    }
}

impl<H, R, S, L> Worker<H, R, S, L> {
    /// Sets how many messages are handled at once. Defaults to 1, which keeps their order; 0 is taken as 1.
    pub fn concurrency(mut self, messages: usize) -> Self {
        self.concurrency = NonZeroUsize::new(messages).unwrap_or(NonZeroUsize::MIN);
        self
    }

    /// Sets how a message is settled whose handler returned an error. The closure receives the result and the attempt. Defaults to
    /// [`Settlement::Nack`].
    pub fn on_error(mut self, settle: impl Fn(&R, u32) -> Settlement + Send + Sync + 'static) -> Self {
        self.policy.on_error = Some(Arc::new(settle));
        self
    }

    /// Sets how a message is settled whose handler panicked. Defaults to [`Settlement::Nack`].
    pub fn on_panic(mut self, settlement: Settlement) -> Self {
        self.policy.on_panic = settlement;
        self
    }

    /// Sets how often a message is tried. One that fails in this attempt or a later one is dead-lettered instead of being delivered
    /// again. By default there is no limit.
    ///
    /// It needs a broker that counts deliveries ([`ReceiveOptions::delivery`](crate::messaging::ReceiveOptions::delivery)), or retries
    /// by [`Producer::resend`](crate::messaging::Producer::resend).
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.policy.max_attempts = Some(attempts);
        self
    }

    /// Sets a future that ends the worker: it takes no more messages, waits for those that are being handled, and returns. By
    /// default it runs until the stream ends.
    pub fn shutdown<N: Future<Output = ()>>(self, signal: N) -> Worker<H, R, N, L> {
        let Worker { consumer, handler, concurrency, policy, drain_limit, .. } = self;
        Worker { consumer, handler, concurrency, policy, shutdown: signal, drain_limit }
    }

    /// Sets how long the worker waits for messages that are being handled when it ends: until the future is ready that `limit`
    /// returns then. Handlers that still run are dropped, and their messages are not settled, so that the broker delivers them again.
    /// By default there is no limit.
    ///
    /// ```
    /// # use ctx_layer::messaging::{Delivery, Outcome, Worker};
    /// # use std::time::Duration;
    /// # fn with<H, R>(worker: Worker<H, R>) {
    /// let worker = worker.drain_limit(|| tokio::time::sleep(Duration::from_secs(30)));
    /// # drop(worker);
    /// # }
    /// ```
    pub fn drain_limit<W, M>(self, limit: M) -> Worker<H, R, S, M>
    where
        M: FnOnce() -> W,
        W: Future<Output = ()>,
    {
        let Worker { consumer, handler, concurrency, policy, shutdown, .. } = self;
        Worker { consumer, handler, concurrency, policy, shutdown, drain_limit: limit }
    }

    /// Handles the messages of a stream until it ends, fails, or the worker is [shut down](Self::shutdown).
    ///
    /// If this future is dropped, handlers that still run are dropped, too, and their messages are not settled.
    ///
    /// # Errors
    /// Returns the first error of the stream, after the messages that were being handled.
    ///
    /// # Panics
    /// Panics outside of a runtime of `tokio`.
    pub async fn run<D, F, E, W>(self, messages: impl Stream<Item = Result<D, E>>) -> Result<WorkerSummary, E>
    where
        D: Delivery,
        H: Fn(Message<D>) -> F + Send + Sync + 'static,
        F: Future<Output = R> + Send + 'static,
        R: Outcome + Send + 'static,
        S: Future<Output = ()>,
        L: FnOnce() -> W,
        W: Future<Output = ()>,
    {
        let Worker { consumer, handler, concurrency, policy, shutdown, drain_limit } = self;
        let (mut messages, mut shutdown) = (pin!(messages), pin!(shutdown));
        let handler = Arc::new(handler);
        let mut running = JoinSet::new();
        let mut summary = WorkerSummary::default();
        let ended = loop {
            let next = poll_fn(|task| {
                while let Poll::Ready(Some(ended)) = running.poll_join_next(task) {
                    summary.add(ended);
                }
                if shutdown.as_mut().poll(task).is_ready() {
                    return Poll::Ready(None);
                }
                if running.len() >= concurrency.get() {
                    return Poll::Pending;
                }
                messages.as_mut().poll_next(task)
            });
            match next.await {
                Some(Ok(delivery)) => {
                    // Nothing of this task's context goes along: the message has its own.
                    running.spawn(handle(consumer.clone(), delivery, handler.clone(), policy.clone()));
                }
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
        };
        let mut limit = pin!(drain_limit());
        let drained = poll_fn(|task| {
            while let Poll::Ready(ended) = running.poll_join_next(task) {
                match ended {
                    Some(ended) => summary.add(ended),
                    None => return Poll::Ready(()),
                }
            }
            limit.as_mut().poll(task)
        });
        drained.await;
        // Those whose time is over.
        running.abort_all();
        while let Some(ended) = running.join_next().await {
            summary.add(ended);
        }
        ended.map(|()| summary)
    }
}

impl<H, R, S, L> fmt::Debug for Worker<H, R, S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("consumer", &self.consumer)
            .field("concurrency", &self.concurrency)
            .field("on_panic", &self.policy.on_panic)
            .field("max_attempts", &self.policy.max_attempts)
            .finish_non_exhaustive()
    }
}
