//! Values that cross a channel with their context.

use std::{fmt, future::Future};

use super::{
    in_context::{InContext, InContextExt},
    snapshot::Snapshot,
};

/// A value together with the context and the span in which it was created, for channels inside a process.
///
/// The receiver runs code [in the sender's context](Self::in_scope), or stays in its own and [links to the sender][link_to], as
/// is usual for a batch.
///
/// ```
/// use std::{sync::mpsc, thread};
///
/// use ctx_layer::{field::well_known::TENANT_ID, task::Carried};
///
/// let (sender, receiver) = mpsc::channel();
/// let worker = thread::spawn(move || {
///     let handle = |order: Carried<u32>| order.in_scope(|id| (id, TENANT_ID.get().unwrap()));
///     receiver.iter().map(handle).collect::<Vec<_>>()
/// });
///
/// TENANT_ID.in_scope("acme", || sender.send(Carried::new(1)).unwrap());
/// TENANT_ID.in_scope("globex", || sender.send(Carried::new(2)).unwrap());
/// drop(sender);
/// assert_eq!(worker.join().unwrap(), [(1, "acme".into()), (2, "globex".into())]);
/// ```
///
/// # Limits
///
/// The sender's `tracing` span is kept open until the value is handled or dropped, and its exported duration includes the time
/// in the channel. If values may wait for long, and in a `watch` channel, which keeps the last one for ever, create them
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
    /// Creates a value with the current context, including the `tracing` span.
    ///
    /// In its scope events are on that span, new spans are its children, and [`record`](crate::ContextField::record) sets values
    /// on it, and never on a span of the receiver.
    ///
    /// ```standalone_crate
    /// use std::{sync::mpsc, thread};
    ///
    /// use ctx_layer::{field::well_known::TENANT_ID, fields_once_per_line, prelude::*};
    /// use ctx_layer::task::Carried;
    /// use tracing::{info, info_span};
    /// use tracing_subscriber::{fmt, prelude::*};
    ///
    /// # let (printed, writer) = std::io::pipe()?;
    /// let text = fmt::layer().without_time().with_target(false).with_ansi(false);
    /// # let text = text.with_writer(std::sync::Mutex::new(writer));
    /// tracing_subscriber::registry()
    ///     .with(fields_once_per_line(text))
    ///     .with_context_fields(Schema::well_known())
    ///     .init();
    ///
    /// let (sender, receiver) = mpsc::channel();
    /// let worker = thread::spawn(move || {
    ///     receiver.iter().for_each(|order: Carried<u32>| order.in_scope(|id| info!(id, "packed")))
    /// });
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

    /// Creates a value with the current context, without the `tracing` span, which is not kept open.
    ///
    /// Use it for values that may wait for long. In exported traces, spans that are created in the scope still have the sender's
    /// span as their parent (if the OpenTelemetry layer activates its contexts, as it does by default). The receiver's own
    /// `tracing` span stays current.
    pub fn without_span(value: T) -> Self {
        Self::with_snapshot(value, Snapshot::capture_context())
    }

    /// Creates a value with a context captured elsewhere.
    pub fn with_snapshot(value: T, snapshot: impl Into<Snapshot>) -> Self {
        Carried { value, snapshot: snapshot.into() }
    }

    /// Returns the value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Returns the value for changing it.
    pub fn value_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// Returns the context that was captured with the value.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the value and its context.
    pub fn into_parts(self) -> (T, Snapshot) {
        (self.value, self.snapshot)
    }

    /// Converts the value with `f`, which runs in its context, and keeps the context.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Carried<U> {
        let Carried { value, snapshot } = self;
        let value = snapshot.in_scope(|| f(value));
        Carried { value, snapshot }
    }

    /// Calls `f` with the value, in its context.
    pub fn in_scope<R>(self, f: impl FnOnce(T) -> R) -> R {
        let Carried { value, snapshot } = self;
        snapshot.in_scope(|| f(value))
    }

    /// Calls `f` with the value, and returns a future. Both `f` and every poll run in the value's context.
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
    /// assert_eq!(handled.await, (7, Some("acme".into())));
    /// # });
    /// ```
    pub fn in_scope_async<F: Future>(self, f: impl FnOnce(T) -> F) -> InContext<F> {
        let Carried { value, snapshot } = self;
        let future = snapshot.in_scope(|| f(value));
        future.in_context(snapshot)
    }

    /// Links a span to the span that sent the value, in exported traces.
    ///
    /// Use it in a receiver that stays in its own trace, such as one that handles a batch.
    ///
    /// Returns `true` if there is a span to link to. No link is added if `span` is disabled, or its subscriber has no
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

        let sender = self.snapshot.context().span().span_context().clone();
        let is_one = sender.is_valid();
        if is_one {
            crate::layer::opentelemetry_layer::add_link(span, sender);
        }
        is_one
    }
}

impl<T: fmt::Debug> fmt::Debug for Carried<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").field("value", &self.value).field("snapshot", &self.snapshot).finish()
    }
}
