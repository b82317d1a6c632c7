//! Sending and handling messages, as the tests do.

use ctx_layer::{
    propagation::{self, Trust},
    task::InContextExt,
};
use opentelemetry::trace::TraceContextExt;
use tracing::{Instrument, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    Result,
    broker::{Broker, Delivery},
};

/// Sends a message in the current context. Returns the trace and the id of the span that the consumer's belongs to.
pub async fn send<B: Broker>(broker: &B, headers: B::Headers, body: &str) -> Result<(String, String)> {
    let mut headers = headers;
    let span = info_span!("send", otel.kind = "producer");
    let cx = span.context();
    span.in_scope(|| propagation::inject(&mut headers));
    broker.send(headers, body).instrument(span).await?;
    let sent = cx.span().span_context().clone();
    Ok((sent.trace_id().to_string(), sent.span_id().to_string()))
}

/// Runs a handler in a message's context.
pub async fn handle<D: Delivery, F: Future>(delivery: &D, trust: Trust, handler: impl FnOnce() -> F) -> F::Output {
    let extracted = propagation::extract(delivery.headers(), trust);
    let handled = async { handler().instrument(info_span!("process", otel.kind = "consumer")).await };
    handled.in_context(extracted).await
}
