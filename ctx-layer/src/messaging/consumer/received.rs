//! A received message before it is handled.

use std::{fmt, sync::Arc};

use opentelemetry::{Context, trace::SpanContext};

use super::{processing::Processing, receive_options::ReceiveOptions, settings::ConsumerSettings, span::ProcessSpan};
use crate::{
    Fields,
    context::ContextFieldsExt,
    declare_request,
    layer::opentelemetry_layer::add_link,
    messaging::{
        headers::{self, MESSAGE_CAUSE, TRACE_MODE},
        trace_mode::{Cause, TraceMode},
    },
    propagation::Carrier,
    task::Snapshot,
};

/// A received message whose context was read, before it is handled. It has no span yet.
///
/// ```
/// use std::collections::HashMap;
/// use ctx_layer::messaging::{Consumer, Destination};
///
/// let consumer = Consumer::new(Destination::new("rabbitmq", "orders"));
/// let received = consumer.receive(&HashMap::<String, String>::new());
/// assert!(!received.is_continued());
/// received.process().in_scope(|| println!("handling it"));
/// ```
#[must_use = "a received message does nothing until it is processed"]
pub struct Received {
    pub(super) settings: Arc<ConsumerSettings>,
    context: Context,
    options: ReceiveOptions,
    message_id: Option<Box<str>>,
    attempt: u32,
    cause: Cause,
    /// The sender's span, if its trace is not continued.
    linked: Option<SpanContext>,
    /// The span in which the message was received.
    pub(super) within: Option<SpanContext>,
    is_continued: bool,
}

impl Received {
    /// Reads a message.
    pub(super) fn read<C: Carrier + ?Sized>(
        settings: Arc<ConsumerSettings>,
        headers: &C,
        options: ReceiveOptions,
    ) -> Self {
        let cause = headers::parsed(headers, MESSAGE_CAUSE, Cause::parse).unwrap_or_default();
        let trust = settings.trust_for(cause, headers::parsed(headers, TRACE_MODE, TraceMode::parse));
        let mut incoming = settings.boundary.read(headers, trust);
        let linked = incoming.take_linked();
        let mut fields = incoming.take_fields();
        if let Some(set) = &settings.fields {
            fields = set(&headers, fields);
        }
        let is_continued = incoming.is_continued();
        let by_broker = options.message_id.as_deref().filter(|id| headers::is_id(id)).map(Box::from);
        let redelivered = options.delivery.unwrap_or(1).saturating_sub(1);
        Received {
            context: incoming.into_context_of_message(fields),
            message_id: by_broker.or_else(|| headers::message_id(headers)),
            attempt: headers::attempt(headers).saturating_add(redelivered),
            cause,
            linked,
            within: None,
            is_continued,
            options,
            settings,
        }
    }

    /// Starts handling the message: creates its span, of kind `CONSUMER`.
    pub fn process(self) -> Processing {
        let span = ProcessSpan {
            settings: &self.settings,
            options: &self.options,
            message_id: self.message_id.as_deref(),
            attempt: self.attempt,
            cause: self.cause,
        }
        .open(&self.context);
        for link in self.linked.into_iter().chain(self.within) {
            add_link(&span, link);
        }
        // Returns `false` if the span is disabled, or no layer of this crate is installed.
        let _ = declare_request(&span);
        let snapshot = Snapshot::of_span(span, self.context);
        Processing::new(self.settings, snapshot, self.message_id, self.attempt, self.cause)
    }

    /// Returns the context of the message: the sender's span as parent if its trace is continued, the trusted fields and baggage. It
    /// contains nothing of the context in which the message was received.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the trusted fields.
    pub fn fields(&self) -> &Fields {
        self.context.fields()
    }

    /// Returns the context as a snapshot, to handle the message without a span.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::restored(self.context.clone())
    }

    /// Returns the message's id, if it has one.
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_deref()
    }

    /// Returns how often the message was sent or delivered to be handled, this time included: 1 for the first time.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns why the message was sent.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// Returns `true` if the message's span will belong to the sender's trace.
    pub fn is_continued(&self) -> bool {
        self.is_continued
    }

    /// Returns the sender's span, whether its trace is continued or not.
    pub(super) fn sender(&self) -> Option<SpanContext> {
        use opentelemetry::trace::TraceContextExt;

        let parent = || Some(self.context.span().span_context().clone()).filter(SpanContext::is_valid);
        self.linked.clone().or_else(parent)
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("message_id", &self.message_id)
            .field("attempt", &self.attempt)
            .field("cause", &self.cause)
            .field("fields", self.fields())
            .finish_non_exhaustive()
    }
}
