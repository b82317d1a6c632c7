//! Values that cross a channel with their context.

use std::{fmt, future::Future};

use super::{InContext, InContextExt, Snapshot};

/// A value together with the context and the span in which it was created, for channels inside a process.
///
/// The receiver runs [under the sender's context](Self::in_scope), or stays in its own and [links to it][link_to], as one
/// does with a batch.
///
/// ```
/// use std::{sync::mpsc, thread};
///
/// use ctx_layer::{field::well_known::TENANT_ID, task::Carried};
///
/// let (sender, receiver) = mpsc::channel();
/// let worker = thread::spawn(move || {
///     receiver.iter().map(|order: Carried<u32>| order.in_scope(|id| (id, TENANT_ID.get().unwrap()))).collect::<Vec<_>>()
/// });
///
/// TENANT_ID.in_scope("acme", || sender.send(Carried::new(1)).unwrap());
/// TENANT_ID.in_scope("globex", || sender.send(Carried::new(2)).unwrap());
/// drop(sender);
/// assert_eq!(worker.join().unwrap(), [(1, "acme".to_owned()), (2, "globex".to_owned())]);
/// ```
///
/// # Limits
///
/// The sender's `tracing` span is held open until the value is handled or dropped, and its exported duration includes the time
/// in the channel. Where values may lie for long, and in a `watch` channel, which keeps the last one for ever, create them
/// [without the span](Self::without_span).
///
#[cfg_attr(feature = "tracing-opentelemetry", doc = "[link_to]: Self::link_to")]
#[cfg_attr(not(feature = "tracing-opentelemetry"), doc = "[link_to]: crate::task#features")]
#[derive(Clone)]
pub struct Carried<T> {
    value: T,
    snapshot: Snapshot,
}

impl<T> Carried<T> {
    /// Creates a value with all that is current here, the `tracing` span included.
    ///
    /// In its scope events are on that span, spans are its children, and [`record`](crate::ContextField::record) sets values on
    /// it, and never on a span of the receiver.
    ///
    /// ```standalone_crate
    /// use std::{sync::mpsc, thread};
    ///
    /// use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::TENANT_ID, fields_once_per_line, task::Carried};
    /// use tracing::{info, info_span};
    /// use tracing_subscriber::prelude::*;
    ///
    /// # let (printed, writer) = std::io::pipe()?;
    /// let text = tracing_subscriber::fmt::layer().without_time().with_target(false).with_ansi(false);
    /// # let text = text.with_writer(std::sync::Mutex::new(writer));
    /// tracing_subscriber::registry().with(fields_once_per_line(text)).with_context_fields(Schema::well_known()).init();
    ///
    /// let (sender, receiver) = mpsc::channel();
    /// let worker = thread::spawn(move || receiver.iter().for_each(|order: Carried<u32>| order.in_scope(|id| info!(id, "packed"))));
    /// TENANT_ID.in_scope("acme", || {
    ///     let _request = info_span!("request").entered();
    ///     sender.send(Carried::new(7)).unwrap();
    ///     sender.send(Carried::without_span(8)).unwrap();
    /// });
    /// drop(sender);
    /// worker.join().unwrap();
    /// # let printed: Vec<_> = std::io::BufRead::lines(std::io::BufReader::new(printed)).take(2).collect::<Result<_, _>>()?;
    /// # assert_eq!(printed, [
    /// #     " INFO request: packed id=7 tenant_id=\"acme\"",
    /// #     " INFO packed id=8 tenant_id=\"acme\"",
    /// # ]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// It prints:
    ///
    /// ```text
    ///  INFO request: packed id=7 tenant_id="acme"
    ///  INFO packed id=8 tenant_id="acme"
    /// ```
    pub fn new(value: T) -> Self {
        Self::with_snapshot(value, Snapshot::capture())
    }

    /// Creates a value with all that is current here but the `tracing` span, which so is not held open.
    ///
    /// For values that may lie for long. Spans that are created in the scope have the sender's as their parent in exported traces all
    /// the same (where the OpenTelemetry layer activates its contexts, as it does by default); the receiver's own `tracing`
    /// span stays current.
    pub fn without_span(value: T) -> Self {
        Self::with_snapshot(value, Snapshot::capture_context())
    }

    /// Puts a context captured elsewhere beside a value.
    pub fn with_snapshot(value: T, snapshot: impl Into<Snapshot>) -> Self {
        Carried { value, snapshot: snapshot.into() }
    }

    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The value, to be changed.
    pub fn value_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The context it came with.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The value and its context.
    pub fn into_parts(self) -> (T, Snapshot) {
        (self.value, self.snapshot)
    }

    /// Another value with the same context.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Carried<U> {
        let Carried { value, snapshot } = self;
        let value = snapshot.in_scope(|| f(value));
        Carried { value, snapshot }
    }

    /// Calls `f` with the value, under its context.
    pub fn in_scope<R>(self, f: impl FnOnce(T) -> R) -> R {
        let Carried { value, snapshot } = self;
        snapshot.in_scope(|| f(value))
    }

    /// The future that `f` makes of the value, under its context: both `f` and every poll.
    ///
    /// ```
    /// use ctx_layer::{field::well_known::TENANT_ID, task::Carried};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    /// let order = TENANT_ID.in_scope("acme", || Carried::new(7));
    /// sender.send(order).await.unwrap();
    ///
    /// let order = receiver.recv().await.unwrap();
    /// let handled = order.in_scope_async(|id| async move { (id, TENANT_ID.get()) });
    /// assert_eq!(handled.await, (7, Some("acme".to_owned())));
    /// # });
    /// ```
    pub fn in_scope_async<F: Future>(self, f: impl FnOnce(T) -> F) -> InContext<F> {
        let Carried { value, snapshot } = self;
        let future = snapshot.in_scope(|| f(value));
        future.in_context(snapshot)
    }

    /// Links a span to the one in which the value was sent, in exported traces. For a receiver that stays in its own trace: one
    /// that handles a batch, for instance.
    ///
    /// Returns whether there is a span to link to. The link is not made where `span` is disabled, or its subscriber has no
    /// OpenTelemetry layer.
    ///
    /// ```
    /// # fn handle(batch: Vec<ctx_layer::task::Carried<u32>>) {
    /// let span = tracing::info_span!("batch");
    /// for order in &batch {
    ///     order.link_to(&span);
    /// }
    /// # }
    /// ```
    #[cfg(feature = "tracing-opentelemetry")]
    pub fn link_to(&self, span: &tracing::Span) -> bool {
        use opentelemetry::trace::TraceContextExt;
        use tracing_opentelemetry::OpenTelemetrySpanExt;

        let sender = self.snapshot.context().span().span_context().clone();
        let is_one = sender.is_valid();
        if is_one {
            span.add_link(sender);
        }
        is_one
    }
}

impl<T: fmt::Debug> fmt::Debug for Carried<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").field("value", &self.value).field("snapshot", &self.snapshot).finish()
    }
}
