//! What these tests share.

use std::collections::HashMap;

use ctx_layer::{
    Fields, Schema,
    propagation::{self, Carrier, Extracted, Outbound, Trust, inject_context},
};
use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt, TraceState},
};

ctx_layer::context_fields! {
    /// Sensitive, and not told to leave.
    pub(crate) static SSN: String = "ssn" => masked, propagated;
    /// Sensitive, and told to leave.
    pub(crate) static TOKEN: String = "token" => masked, propagated_in_plaintext;
    /// Hashed, and told to leave.
    pub(crate) static ACCOUNT: String = "account" => hashed, propagated_in_plaintext;
    /// For tests of limits.
    pub(crate) static LONG: String = "long" => propagated, max_len(100_000);
}

pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The fields that only these tests have, and all others.
pub(crate) fn schema() -> Schema {
    Schema::builder()
        .all_of(&ctx_tests::schema())
        .field(&ctx_tests::EMAIL)
        .field(&SSN)
        .field(&TOKEN)
        .field(&ACCOUNT)
        .field(&LONG)
        .build()
        .expect("no name is in it twice")
}

pub(crate) type Headers = Vec<(String, String)>;

pub(crate) fn headers<const N: usize>(pairs: [(&str, &str); N]) -> Headers {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

pub(crate) fn extract(carrier: &(impl Carrier + ?Sized), trust: Trust) -> Extracted {
    propagation::register(&schema());
    propagation::extract(carrier, trust)
}

/// What a context has to send.
pub(crate) fn injected(cx: &Context) -> HashMap<String, String> {
    propagation::register(&schema());
    let mut carrier = HashMap::new();
    inject_context(cx, &mut carrier, Outbound::Everything);
    carrier
}

/// What is sent on of what came in.
pub(crate) fn passed_on(carrier: &(impl Carrier + ?Sized), trust: Trust) -> HashMap<String, String> {
    injected(extract(carrier, trust).context())
}

/// The baggage that is sent with these fields in force.
pub(crate) fn sent(fields: Fields) -> Option<String> {
    propagation::register(&schema());
    let mut carrier = HashMap::new();
    fields.in_scope(|| propagation::inject(&mut carrier));
    carrier.remove("baggage")
}

/// A context with a span that came from elsewhere.
pub(crate) fn with_remote_span(flags: u8, state: TraceState) -> Context {
    let trace_id = TraceId::from_hex(TRACE).expect("it is one");
    let span = SpanContext::new(trace_id, SpanId::from(0xb7ad6b7169203331), TraceFlags::new(flags), true, state);
    Context::new().with_remote_span_context(span)
}
