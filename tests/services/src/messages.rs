//! Sending and handling messages, as the tests do.

use ctx_layer::{
    messaging::{Cause, Consumer, Delivery, Destination, Producer, Settlement},
    propagation::{Carrier, CarrierMut, Trust},
};
use opentelemetry::trace::TraceContextExt;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    Result,
    broker::{Broker, dead_letters_of},
};

/// The trace and the id of a span.
pub type SpanIds = (String, String);

/// Sends a message in the current context. Returns the span to which the consumer's belongs.
pub async fn send<B: Broker>(broker: &B, headers: B::Headers, body: &str) -> Result<SpanIds> {
    send_by(Destination::new(B::SYSTEM, broker.queue().to_owned()), headers, |headers| broker.send(headers, body)).await
}

/// Sends a message in the current context, by a future that gets the headers. Returns the span to which the consumer's belongs.
pub async fn send_by<H, F>(destination: Destination, mut headers: H, send: impl FnOnce(H) -> F) -> Result<SpanIds>
where
    H: Carrier + CarrierMut,
    F: Future<Output = Result>,
{
    let sending = Producer::new(destination).inject(&mut headers);
    let cx = sending.span().context();
    sending.run(send(headers)).await?;
    let sent = cx.span().span_context().clone();
    Ok((sent.trace_id().to_string(), sent.span_id().to_string()))
}

/// Sends a received message to the dead letters, for a server that does not do it, by a future that gets the queue and the headers.
pub async fn send_to_dead_letters<B: Broker, H, F>(
    queue: &str,
    mut headers: H,
    send: impl FnOnce(String, H) -> F,
) -> Result
where
    H: Carrier + CarrierMut,
    F: Future<Output = Result>,
{
    let dead = dead_letters_of(queue);
    let sending = Producer::new(Destination::new(B::SYSTEM, dead.clone())).resend(&mut headers, Cause::DeadLetter);
    sending.run(send(dead, headers)).await
}

/// Returns a consumer.
pub fn consumer<B: Broker>(queue: &str, trust: Trust) -> Consumer {
    Consumer::new(Destination::new(B::SYSTEM, queue.to_owned())).trust(trust)
}

/// Runs a handler in a message's context, without settling it.
pub async fn handle<B: Broker, F>(delivery: &B::Delivery, trust: Trust, handler: F) -> F::Output
where
    F: Future,
    F::Output: ctx_layer::messaging::Outcome,
{
    let received = consumer::<B>("received", trust).receive_with(&delivery.headers(), delivery.options());
    received.process().run(handler).await
}

/// Settles a message: it is done.
pub async fn ack<D: Delivery>(delivery: D) -> Result {
    delivery.settle(Settlement::Ack).await.map_err(|error| error.to_string().into())
}
