//! Futures, streams and sinks that run in a captured context.

use std::{
    future::Future,
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use futures_core::Stream;
use futures_sink::Sink;
use pin_project_lite::pin_project;

use super::{snapshot::Snapshot, snapshot_guard::SnapshotGuard};

/// An extension trait that runs futures, streams and sinks in a captured or given context.
///
/// Its names avoid OpenTelemetry's `FutureExt`, whose `with_context` carries an OpenTelemetry context alone. Both traits apply to
/// every type, so a common name would be ambiguous wherever both are imported.
pub trait InContextExt: Sized {
    /// Runs the future, stream or sink in the context that is current *here*: at every poll, on any thread, and while it is dropped.
    ///
    /// The context is captured now, not at the first poll, so the result can be spawned or sent anywhere. See [`Snapshot`] for
    /// what is captured, and for how long the current span is kept open.
    ///
    /// ```
    /// use ctx_layer::{field::well_known::TENANT_ID, task::InContextExt};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let work = || async { TENANT_ID.get() };
    /// let (bare, propagated) = TENANT_ID.in_scope("acme", || (work(), work().in_current_context()));
    /// assert_eq!(tokio::spawn(bare).await.unwrap(), None);
    /// assert_eq!(tokio::spawn(propagated).await.unwrap().as_deref(), Some("acme"));
    /// # });
    /// ```
    #[inline]
    fn in_current_context(self) -> InContext<Self> {
        InContext::new(self, Snapshot::capture())
    }

    /// Runs it in another context: one [extracted](crate::propagation::extract()) from a message, a [`Snapshot`] captured elsewhere,
    /// or an OpenTelemetry [`Context`](opentelemetry::Context).
    ///
    /// In an extracted context, no `tracing` span around it is current: its spans and events belong to the sender alone.
    ///
    /// ```
    /// use ctx_layer::{field::well_known::TENANT_ID, propagation::{self, Trust}, task::InContextExt};
    /// use std::collections::HashMap;
    ///
    /// # let schema = ctx_layer::Schema::well_known();
    /// # let _stack = ctx_layer::SubscriberFieldsExt::with_context_fields(tracing_subscriber::registry(), schema);
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let message = HashMap::from([("baggage".to_owned(), "tenant_id=acme".to_owned())]);
    /// let extracted = propagation::extract(&message, Trust::internal());
    /// let handled = async { TENANT_ID.get() }.in_context(extracted);
    /// assert_eq!(tokio::spawn(handled).await.unwrap().as_deref(), Some("acme"));
    /// # });
    /// ```
    fn in_context(self, context: impl Into<Snapshot>) -> InContext<Self> {
        InContext::new(self, context.into().wrapped_here())
    }

    /// Runs it in an empty context, as a new root. It has neither the context that is current here, nor the one where it is
    /// polled. Use it for background jobs.
    ///
    /// For closures use the function [`isolated`](super::isolated()).
    ///
    /// ```
    /// use ctx_layer::{FutureFieldsExt, field::well_known::TENANT_ID, task::InContextExt};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let refresh_cache = async { assert_eq!(TENANT_ID.get(), None) };
    /// async { refresh_cache.isolated().await }.with_field(&TENANT_ID, "acme").await;
    /// # });
    /// ```
    fn isolated(self) -> InContext<Self> {
        self.in_context(Snapshot::isolated())
    }
}

impl<T> InContextExt for T {}

pin_project! {
    /// A future, stream or sink that runs in a context of its own. Created by [`InContextExt`].
    ///
    /// A future is dropped as soon as it is ready, and releases its context: its span can close.
    #[derive(Debug)]
    #[must_use = "futures, streams and sinks do nothing unless polled"]
    pub struct InContext<T> {
        // `None` once a future is ready, or while it is being dropped.
        #[pin]
        inner: Option<T>,
        snapshot: Snapshot,
    }

    impl<T> PinnedDrop for InContext<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                let mut entered = SnapshotGuard::nothing();
                this.snapshot.enter_in(&mut entered);
                this.inner.set(None);
            }
        }
    }
}

impl<T> InContext<T> {
    /// Wraps a value to run in a snapshot that was captured for it.
    #[inline]
    pub(super) fn new(inner: T, snapshot: Snapshot) -> Self {
        InContext { inner: Some(inner), snapshot }
    }

    /// Returns the context in which it runs.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the wrapped value, or `None` if it is a future that was ready.
    pub fn get_ref(&self) -> Option<&T> {
        self.inner.as_ref()
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Pending };
        if !this.snapshot.is_nothing_here() {
            return poll_within(this.inner, this.snapshot, task);
        }
        let polled = inner.poll(task);
        if polled.is_ready() {
            this.inner.set(None);
        }
        polled
    }
}

/// Polls a future in a snapshot. Not inlined, so that futures without a context do not pay for its stack frame.
#[inline(never)]
fn poll_within<F: Future>(
    mut inner: Pin<&mut Option<F>>,
    snapshot: &mut Snapshot,
    task: &mut TaskContext<'_>,
) -> Poll<F::Output> {
    snapshot.update();
    let polled = {
        let mut entered = SnapshotGuard::nothing();
        snapshot.enter_in(&mut entered);
        let Some(future) = inner.as_mut().as_pin_mut() else { return Poll::Pending };
        let polled = future.poll(task);
        if polled.is_ready() {
            inner.set(None);
        }
        polled
    };
    if polled.is_ready() {
        snapshot.release_span();
    }
    polled
}

impl<S: Stream> Stream for InContext<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let _entered = this.snapshot.enter();
        match this.inner.as_pin_mut() {
            Some(inner) => inner.poll_next(task),
            // Unreachable, as are the defaults below: only futures are dropped when ready.
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<I, S: Sink<I>> Sink<I> for InContext<S> {
    type Error = S::Error;

    fn poll_ready(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        let this = self.project();
        let _entered = this.snapshot.enter();
        this.inner.as_pin_mut().map_or(Poll::Ready(Ok(())), |inner| inner.poll_ready(task))
    }

    fn start_send(self: Pin<&mut Self>, item: I) -> Result<(), S::Error> {
        let this = self.project();
        let _entered = this.snapshot.enter();
        this.inner.as_pin_mut().map_or(Ok(()), |inner| inner.start_send(item))
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        let this = self.project();
        let _entered = this.snapshot.enter();
        this.inner.as_pin_mut().map_or(Poll::Ready(Ok(())), |inner| inner.poll_flush(task))
    }

    fn poll_close(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        let this = self.project();
        let _entered = this.snapshot.enter();
        this.inner.as_pin_mut().map_or(Poll::Ready(Ok(())), |inner| inner.poll_close(task))
    }
}
