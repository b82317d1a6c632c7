//! The producer of messages.

use std::{borrow::Cow, fmt, sync::Arc};

use opentelemetry::trace::SpanContext;

use super::{send_options::SendOptions, sending::Sending, settings::ProducerSettings, span::ProducerSpan};
use crate::{
    layer::opentelemetry_layer::add_link,
    messaging::{
        destination::Destination,
        headers::{self, MESSAGE_ATTEMPT, MESSAGE_CAUSE, MESSAGE_ID, TRACE_MODE},
        metrics::{Composed, Metrics},
        trace_mode::{Cause, TraceMode},
    },
    propagation::{Boundary, Carrier, CarrierMut, Outbound, Trust, carriers::TraceOnly},
    unique_id::unique_id,
};

static BOUNDARY: Boundary = Boundary::new("messaging.producer");

/// A producer of messages. Each message has a span, carries the context in its headers, and has a unique id.
///
/// Create it once for each queue or topic. Clones share everything.
///
/// | setting | default |
/// |---|---|
/// | [`outbound`](Self::outbound) | [`Outbound::Everything`]: the trace, the fields with [`propagated`](crate::Policy::propagated), and baggage |
/// | [`operation_name`](Self::operation_name) | `send` |
/// | [`boundary`](Self::boundary) | one named `messaging.producer` |
#[cfg_attr(
    feature = "metrics",
    doc = "| [`meter`](Self::meter) | that of the global meter provider, as it is at the process's first message |"
)]
///
/// ```
/// use std::collections::HashMap;
/// use ctx_layer::{field::well_known::TENANT_ID, messaging::{Destination, Producer}};
///
/// # fn publish(_: &HashMap<String, String>) -> Result<(), std::io::Error> { Ok(()) }
/// let orders = Producer::new(Destination::new("rabbitmq", "orders"));
///
/// let mut headers = HashMap::new();
/// TENANT_ID.in_scope("acme", || orders.inject(&mut headers).in_scope(|| publish(&headers)))?;
///
/// assert_eq!(headers["baggage"], "tenant_id=acme");
/// assert!(headers.contains_key("message_id"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Producer {
    pub(super) settings: Arc<ProducerSettings>,
}

impl Producer {
    /// Creates a producer with the defaults.
    pub fn new(destination: Destination) -> Self {
        let mut settings = ProducerSettings {
            send_name: String::new(),
            create_name: String::new(),
            composed: Composed::default(),
            destination,
            operation: Cow::Borrowed("send"),
            boundary: &BOUNDARY,
            outbound: Outbound::Everything,
            metrics: Metrics::global(),
        };
        settings.compose();
        Producer { settings: Arc::new(settings) }
    }

    fn with(mut self, change: impl FnOnce(&mut ProducerSettings)) -> Self {
        let settings = Arc::make_mut(&mut self.settings);
        change(settings);
        settings.compose();
        self
    }

    /// Sets how much context the consumers get. Defaults to [`Outbound::Everything`]. For topics that others than internal services
    /// read, use [`Outbound::TraceParentOnly`].
    pub fn outbound(self, outbound: Outbound) -> Self {
        self.with(|settings| settings.outbound = outbound)
    }

    /// Sets the system's name of the operation, such as `publish`. Defaults to `send`.
    pub fn operation_name(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(|settings| settings.operation = name.into())
    }

    /// Sets the boundary that counts. Defaults to a boundary named `messaging.producer`.
    pub fn boundary(self, boundary: &'static Boundary) -> Self {
        self.with(|settings| settings.boundary = boundary)
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

    /// Writes the current context to the headers of a message that is about to be sent.
    ///
    /// Creates a span of kind `PRODUCER`, which becomes the parent of the consumer's, and ends with the [`Sending`]. Sets the header
    /// `message_id` to a new UUID of version 7, unless there is one. Other headers stay as they are.
    ///
    /// If the span is disabled, the caller's span is sent.
    pub fn inject<C: Carrier + CarrierMut + ?Sized>(&self, headers: &mut C) -> Sending {
        self.inject_with(headers, &SendOptions::new())
    }

    /// Writes the current context to the headers of a message with these properties. See [`inject`](Self::inject).
    pub fn inject_with<C: Carrier + CarrierMut + ?Sized>(&self, headers: &mut C, options: &SendOptions) -> Sending {
        let message_id = set_headers(headers, options);
        let span = self.span_of("producer", options, &message_id).send();
        span.in_scope(|| self.settings.boundary.inject(headers, self.settings.outbound));
        Sending::new(self.settings.clone(), 1, span, Some(message_id))
    }

    /// Writes the current context to the headers of a message, without a span. Sets the message's id like [`inject`](Self::inject),
    /// and returns it.
    ///
    /// Use it where another library creates the span of the send, or where the message is stored rather than sent.
    pub fn inject_context<C: Carrier + CarrierMut + ?Sized>(&self, headers: &mut C, options: &SendOptions) -> Box<str> {
        let message_id = set_headers(headers, options);
        self.settings.boundary.inject(headers, self.settings.outbound);
        message_id
    }

    /// Prepares a received message to be sent again: for another attempt, to a dead-letter queue, to other consumers.
    ///
    /// The message keeps its context, its fields and its id: whatever is current here, it goes on for its first sender. A
    /// [`Cause::Retry`] increments the header `message_attempt`. The span has the kind `CLIENT`, and is linked to that of the first
    /// sender.
    pub fn resend<C: Carrier + CarrierMut + ?Sized>(&self, headers: &mut C, cause: Cause) -> Sending {
        self.resend_with(headers, cause, cause.default_mode())
    }

    /// Prepares a received message to be sent again, with a mode that is not the default of the cause. See
    /// [`resend`](Self::resend).
    pub fn resend_with<C: Carrier + CarrierMut + ?Sized>(
        &self,
        headers: &mut C,
        cause: Cause,
        mode: TraceMode,
    ) -> Sending {
        let attempt = headers::attempt(headers).saturating_add(u32::from(cause == Cause::Retry));
        set_mode(headers, cause, mode);
        if attempt > 1 {
            headers.set(MESSAGE_ATTEMPT, &attempt.to_string());
        }
        let message_id = headers::message_id(headers);
        let first = self.settings.boundary.extract(&TraceOnly(&*headers), Trust::external().link_only());
        let attempt = Some(attempt).filter(|attempt| *attempt > 1);
        self.forward(message_id.as_deref(), cause, attempt, first.remote().cloned())
    }

    /// Starts sending a message that has its context already. The span is linked to its first sender's.
    pub(in crate::messaging) fn forward(
        &self,
        message_id: Option<&str>,
        cause: Cause,
        attempt: Option<u32>,
        sender: Option<SpanContext>,
    ) -> Sending {
        let span =
            ProducerSpan { message_id, cause: cause.unusual(), attempt, ..ProducerSpan::new(&self.settings, "client") }
                .send();
        if let Some(sender) = sender {
            add_link(&span, sender);
        }
        Sending::new(self.settings.clone(), 1, span, message_id.map(Box::from))
    }

    /// Writes the current context to the headers of a message that is sent later, with a span of its own that ends at once.
    #[cfg(feature = "messaging-outbox")]
    pub(in crate::messaging) fn create<C: Carrier + CarrierMut + ?Sized>(
        &self,
        headers: &mut C,
        options: &SendOptions,
    ) -> Box<str> {
        let message_id = set_headers(headers, options);
        let span = self.span_of("producer", options, &message_id).create();
        span.in_scope(|| self.settings.boundary.inject(headers, self.settings.outbound));
        message_id
    }

    /// Returns the span of a message that is about to be sent.
    pub(super) fn span_of<'a>(
        &'a self,
        kind: &'static str,
        options: &'a SendOptions,
        message_id: &'a str,
    ) -> ProducerSpan<'a> {
        ProducerSpan {
            message_id: Some(message_id),
            conversation_id: options.conversation_id.as_deref(),
            partition: options.partition.as_deref(),
            body_size: options.body_size,
            cause: options.cause.unusual(),
            ..ProducerSpan::new(&self.settings, kind)
        }
    }
}

/// Sets the headers beside those of the context, and returns the message's id.
pub(super) fn set_headers<C: Carrier + CarrierMut + ?Sized>(headers: &mut C, options: &SendOptions) -> Box<str> {
    set_mode(headers, options.cause, options.chosen_mode());
    headers.remove(MESSAGE_ATTEMPT);
    if let Some(id) = options.message_id.as_deref().filter(|id| headers::is_id(id)) {
        headers.set(MESSAGE_ID, id);
        return id.into();
    }
    headers::message_id(headers).unwrap_or_else(|| {
        let id = unique_id().into_boxed_str();
        headers.set(MESSAGE_ID, &id);
        id
    })
}

fn set_mode<C: Carrier + CarrierMut + ?Sized>(headers: &mut C, cause: Cause, mode: TraceMode) {
    let is_linked = mode != TraceMode::default();
    headers::set_or_remove(headers, TRACE_MODE, is_linked.then(|| mode.as_str()));
    headers::set_or_remove(headers, MESSAGE_CAUSE, cause.unusual());
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}
