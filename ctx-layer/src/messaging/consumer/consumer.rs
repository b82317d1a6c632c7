//! The consumer of messages.

use std::{borrow::Cow, fmt, sync::Arc};

use super::{
    active_message::ActiveMessage, processing::Processing, receive_options::ReceiveOptions, received::Received,
    received_batch::ReceivedBatch, settings::ConsumerSettings,
};
use crate::{
    Fields,
    messaging::{
        active_span::active_span,
        destination::Destination,
        headers::{self, MESSAGE_CAUSE, TRACE_MODE},
        metrics::{Composed, Metrics},
        trace_mode::{Cause, TraceMode},
    },
    propagation::{Boundary, Carrier, Extracted, Trust},
};

static BOUNDARY: Boundary = Boundary::new("messaging.consumer");

/// A consumer of messages. Each message is handled in the context that its sender wrote to the headers, and has a span.
///
/// Create it once for each queue or topic. Clones share everything.
///
/// | setting | default |
/// |---|---|
/// | [`trust`](Self::trust) | [`Trust::external`]: no field is trusted |
/// | [`fields`](Self::fields) | none are set |
/// | [`trace_mode`](Self::trace_mode), [`trace_mode_by`](Self::trace_mode_by) | the sender's choice, otherwise a child |
/// | [`group`](Self::group), [`subscription`](Self::subscription) | not recorded |
/// | [`operation_name`](Self::operation_name) | `process` |
/// | [`boundary`](Self::boundary) | one named `messaging.consumer` |
#[cfg_attr(
    feature = "metrics",
    doc = "| [`meter`](Self::meter) | that of the global meter provider, as it is at the process's first message |"
)]
///
/// ```
/// use std::collections::HashMap;
/// use ctx_layer::{messaging::{Consumer, Destination}, propagation::Trust};
///
/// let orders = Consumer::new(Destination::new("rabbitmq", "orders")).trust(Trust::internal());
///
/// let headers: HashMap<String, String> = HashMap::new();
/// orders.process(&headers).in_scope(|| println!("handling it"));
/// ```
#[derive(Clone)]
pub struct Consumer {
    pub(super) settings: Arc<ConsumerSettings>,
}

impl Consumer {
    /// Creates a consumer with the defaults.
    pub fn new(destination: Destination) -> Self {
        let mut settings = ConsumerSettings {
            process_name: String::new(),
            receive_name: String::new(),
            composed: Composed::default(),
            destination,
            operation: Cow::Borrowed("process"),
            group: None,
            subscription: None,
            trust: Trust::external(),
            boundary: &BOUNDARY,
            fields: None,
            mode: None,
            metrics: Metrics::global(),
        };
        settings.compose();
        Consumer { settings: Arc::new(settings) }
    }

    fn with(mut self, change: impl FnOnce(&mut ConsumerSettings)) -> Self {
        let settings = Arc::make_mut(&mut self.settings);
        change(settings);
        settings.compose();
        self
    }

    /// Sets how far the senders of this queue or topic are trusted. Defaults to [`Trust::external`].
    ///
    /// Use [`Trust::internal`] only where internal services alone can send.
    pub fn trust(self, trust: Trust) -> Self {
        self.with(|settings| settings.trust = trust)
    }

    /// Sets the boundary that counts. Defaults to a boundary named `messaging.consumer`.
    pub fn boundary(self, boundary: &'static Boundary) -> Self {
        self.with(|settings| settings.boundary = boundary)
    }

    /// Sets the name of the consumer group.
    pub fn group(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(|settings| settings.group = Some(name.into()))
    }

    /// Sets the name of the subscription.
    pub fn subscription(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(|settings| settings.subscription = Some(name.into()))
    }

    /// Sets fields from the headers. The closure receives the headers and the trusted fields of the sender, and returns the fields
    /// of the message.
    ///
    /// ```
    /// use ctx_layer::{field::well_known::TENANT_ID, messaging::{Consumer, Destination}};
    ///
    /// let consumer = Consumer::new(Destination::new("kafka", "orders")).fields(|headers, fields| {
    ///     let mut tenant = None;
    ///     headers.lines("x-tenant", &mut |line| tenant = std::str::from_utf8(line).ok().map(str::to_owned));
    ///     match tenant {
    ///         Some(tenant) => fields.with(&TENANT_ID, tenant),
    ///         None => fields,
    ///     }
    /// });
    /// ```
    pub fn fields(self, set: impl Fn(&dyn Carrier, Fields) -> Fields + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.fields = Some(Arc::new(set)))
    }

    /// Sets whether spans are children of the senders' or are linked to them, whatever the senders choose.
    pub fn trace_mode(self, mode: TraceMode) -> Self {
        self.trace_mode_by(move |_, _| mode)
    }

    /// Sets how it is decided whether a span is a child of the sender's or is linked to it: from the cause, and from what the
    /// sender chose, if it did. Defaults to the sender's choice, otherwise a child.
    ///
    /// Where [`Trust::link_only`] applies, all are linked.
    ///
    /// ```
    /// use ctx_layer::messaging::{Cause, Consumer, Destination, TraceMode};
    ///
    /// let consumer = Consumer::new(Destination::new("nats", "orders")).trace_mode_by(|cause, by_sender| match cause {
    ///     Cause::Retry => TraceMode::Child,
    ///     _ => by_sender.unwrap_or_default(),
    /// });
    /// ```
    pub fn trace_mode_by(self, choose: impl Fn(Cause, Option<TraceMode>) -> TraceMode + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.mode = Some(Arc::new(choose)))
    }

    /// Sets the system's name of the operation, such as `consume`. Defaults to `process`.
    pub fn operation_name(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(|settings| settings.operation = name.into())
    }

    /// Sets the meter of the metrics. Defaults to that of the global meter provider,
    /// as it is at the process's first message.
    #[cfg(feature = "metrics")]
    pub fn meter(self, meter: &opentelemetry::metrics::Meter) -> Self {
        self.with(|settings| settings.metrics = Metrics::of(meter))
    }

    /// Returns the queue or topic.
    pub fn destination(&self) -> &Destination {
        &self.settings.destination
    }

    /// Makes the context of a message current on this thread, and enters a span of kind `CONSUMER`, until the guard is dropped.
    ///
    /// For asynchronous handlers use [`process`](Self::process).
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use ctx_layer::messaging::{Consumer, Destination};
    ///
    /// fn handle(consumer: &Consumer, headers: &HashMap<String, String>) {
    ///     let _message = consumer.activate_from_headers(headers);
    ///     tracing::info!("handling it");
    /// }
    /// # handle(&Consumer::new(Destination::new("nats", "orders")), &HashMap::new());
    /// ```
    pub fn activate_from_headers<C: Carrier + ?Sized>(&self, headers: &C) -> ActiveMessage {
        self.process(headers).activate()
    }

    /// Starts handling a message: reads its context, and creates a span of kind `CONSUMER`.
    ///
    /// The handler runs in [`Processing::run`] or [`Processing::in_scope`].
    pub fn process<C: Carrier + ?Sized>(&self, headers: &C) -> Processing {
        self.receive(headers).process()
    }

    /// Reads the context of a message, which is handled at another time or in another place.
    pub fn receive<C: Carrier + ?Sized>(&self, headers: &C) -> Received {
        self.receive_with(headers, ReceiveOptions::new())
    }

    /// Reads the context of a message with these properties.
    pub fn receive_with<C: Carrier + ?Sized>(&self, headers: &C, options: ReceiveOptions) -> Received {
        let mut received = self.receive_apart(headers, options);
        received.within = active_span();
        received
    }

    /// Reads the context of a message that belongs to no span of this process.
    pub(in crate::messaging) fn receive_apart<C: Carrier + ?Sized>(
        &self,
        headers: &C,
        options: ReceiveOptions,
    ) -> Received {
        Received::read(self.settings.clone(), headers, options)
    }

    /// Reads the contexts of messages that were received together, and creates a span of the batch.
    pub fn receive_batch<'a, C: Carrier + ?Sized + 'a>(&self, batch: impl IntoIterator<Item = &'a C>) -> ReceivedBatch {
        let read = |headers| self.receive_apart(headers, ReceiveOptions::new());
        self.batch_of(batch.into_iter().map(read).collect())
    }

    /// Creates a span of a batch of messages that were read one by one, with [`receive_with`](Self::receive_with).
    pub fn batch_of(&self, messages: Vec<Received>) -> ReceivedBatch {
        ReceivedBatch::new(self.settings.clone(), messages)
    }

    /// Reads the context of a message, without a span.
    ///
    /// Use it where another library creates the span, or where none is wanted.
    pub fn extract_context<C: Carrier + ?Sized>(&self, headers: &C) -> Extracted {
        let cause = headers::parsed(headers, MESSAGE_CAUSE, Cause::parse).unwrap_or_default();
        let trust = self.settings.trust_for(cause, headers::parsed(headers, TRACE_MODE, TraceMode::parse));
        self.settings.boundary.extract(headers, trust)
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}
