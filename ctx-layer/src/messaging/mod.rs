//! Messages: producers and consumers keep the context across brokers and queues.
//!
//! A message is anything with headers that a [`Carrier`](crate::propagation::Carrier) reads and a
//! [`CarrierMut`](crate::propagation::CarrierMut) writes. [`Producer::inject`] writes the context to a message, and
//! [`Consumer::activate_from_headers`] or [`Consumer::process`] makes it current where the message is handled.
//!
//! ```
//! use std::collections::HashMap;
//! use ctx_layer::{Schema, field::well_known::TENANT_ID, messaging::{Consumer, Destination, Producer}, propagation::Trust};
//!
//! # let _stack = ctx_layer::SubscriberFieldsExt::with_context_fields(tracing_subscriber::registry(), Schema::well_known());
//! let orders = Destination::new("rabbitmq", "orders");
//!
//! // The producer:
//! let producer = Producer::new(orders.clone());
//! let mut headers = HashMap::new();
//! TENANT_ID.in_scope("acme", || drop(producer.inject(&mut headers))); // Send it here.
//!
//! // The consumer, which trusts this queue:
//! let consumer = Consumer::new(orders).trust(Trust::internal());
//! consumer.process(&headers).in_scope(|| {
//!     assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
//! });
//! ```
//!
//! | to | write |
//! |---|---|
//! | send a message | [`producer.inject(&mut headers)`](Producer::inject), and the send in [`run`](Sending::run) or [`in_scope`](Sending::in_scope) |
//! | send one at another time, or many for one operation | [`inject_with`](Producer::inject_with), with a [`Cause`] |
//! | send a received one again | [`resend`](Producer::resend) |
//! | send several by one call | [`Producer::batch`] |
//! | write the context without a span | [`Producer::inject_context`] |
//! | handle a message | [`consumer.process(&headers)`](Consumer::process), and the handler in [`run`](Processing::run) or [`in_scope`](Processing::in_scope) |
//! | handle a message until the end of a block | [`consumer.activate_from_headers(&headers)`](Consumer::activate_from_headers) |
//! | handle several that were received together | [`Consumer::receive_batch`] |
//! | read the context without a span | [`Consumer::extract_context`] |
//!
//! # The headers of a message
//!
//! | header | content |
//! |---|---|
//! | `traceparent`, `tracestate`, `baggage` | the context, by [`propagation`](crate::propagation) |
//! | `message_id` | a UUID of version 7, unless the message has an id |
//! | `trace_mode` | `link` if the consumer's span is linked to the sender's; without it, it is a child |
//! | `message_cause` | the [`Cause`], unless it is the usual one |
//! | `message_attempt` | how often the program sent the message to be handled, if more than once |
//!
//! Other headers stay as they are. [`headers`] has the names. A carrier with a fixed set of keys, such as
//! [`Captured`](crate::propagation::Captured), keeps the context alone.
//!
//! # Parent or link
//!
//! The consumer's span is a child of the sender's, unless the [`Cause`] of the message, the sender's
//! [`SendOptions::trace_mode`], [`Consumer::trace_mode`] or [`Trust::link_only`](crate::propagation::Trust::link_only) makes it
//! a root that is linked to it. In both cases the fields and the baggage are the sender's, as far as it is trusted. A message that
//! the broker delivers again has the same parent each time.
//!
//! Where a message is handled inside another local span, such as that of an HTTP request that brought it, the consumer's span is
//! linked to that one as well.
//!
//! # Spans
//!
//! Names, kinds and attributes are those of OpenTelemetry's [semantic conventions for messaging][conventions], version 1.42.0,
//! in which they have the status *Development*.
//!
//! | span | name | kind | operation type |
//! |---|---|---|---|
//! | one message sent | `send {destination}` | `PRODUCER` | `send` |
//! | a message of a batch | `create {destination}` | `PRODUCER` | `create` |
//! | a batch sent; a message sent again | `send {destination}` | `CLIENT` | `send`, with links |
//! | a batch received | `receive {destination}` | `CLIENT` | `receive`, with links |
//! | a message handled | `process {destination}` | `CONSUMER` | `process` |
//!
//! `{destination}` is the [template](Destination::template), or the name unless it is [temporary](Destination::temporary) or
//! [anonymous](Destination::anonymous). Two attributes are not in the conventions: `ctx.messaging.attempt`, from the second attempt
//! on, and `ctx.messaging.cause`. A span that is a child of the sender's has no link to it as well, which the conventions recommend.
//!
//! The spans have the level `INFO`, and the targets `ctx_layer::messaging::producer::span` and
//! `ctx_layer::messaging::consumer::span`.
//!
//! # Metrics
//!
//! With the feature `metrics`: `messaging.client.sent.messages`, `messaging.client.consumed.messages`,
//! `messaging.client.operation.duration` and `messaging.process.duration`. Fields are never among their attributes.
//!
//! [conventions]: https://github.com/open-telemetry/semantic-conventions/tree/v1.42.0/docs/messaging

mod active_span;
mod client_operation;
mod consumer;
mod destination;
mod failure;
pub mod headers;
mod metrics;
#[cfg(feature = "messaging-outbox")]
pub mod outbox;
mod producer;
mod settlement;
mod trace_mode;
#[cfg(feature = "tokio")]
mod worker;

pub use consumer::{ActiveMessage, Consumer, ProcessFuture, Processing, ReceiveOptions, Received, ReceivedBatch};
pub use destination::Destination;
pub use producer::{Producer, SendBatch, SendFuture, SendOptions, Sending};
pub use settlement::{Outcome, Settlement};
pub use trace_mode::{Cause, TraceMode};
#[cfg(feature = "tokio")]
pub use worker::{Delivery, Message, Worker, WorkerSummary};
