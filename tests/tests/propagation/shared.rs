//! Shared code of these tests.

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
    /// A masked field that is not propagated.
    pub(crate) static SSN: String = "ssn" => masked, propagated;
    /// A masked field that is propagated in plaintext.
    pub(crate) static TOKEN: String = "token" => masked, propagated_in_plaintext;
    /// A hashed field that is propagated in plaintext.
    pub(crate) static ACCOUNT: String = "account" => hashed, propagated_in_plaintext;
    /// A field for tests of limits.
    pub(crate) static LONG: String = "long" => propagated, max_len(100_000);
}

pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Returns the fields of these tests and all others.
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

/// Returns the headers that a context sends.
pub(crate) fn injected(cx: &Context) -> HashMap<String, String> {
    propagation::register(&schema());
    let mut carrier = HashMap::new();
    inject_context(cx, &mut carrier, Outbound::Everything);
    carrier
}

/// Returns the headers that are sent on for received ones.
pub(crate) fn passed_on(carrier: &(impl Carrier + ?Sized), trust: Trust) -> HashMap<String, String> {
    injected(extract(carrier, trust).context())
}

/// Returns the baggage that is sent with these fields.
pub(crate) fn sent(fields: Fields) -> Option<String> {
    propagation::register(&schema());
    let mut carrier = HashMap::new();
    fields.in_scope(|| propagation::inject(&mut carrier));
    carrier.remove("baggage")
}

/// Creates a context with a remote span.
pub(crate) fn with_remote_span(flags: u8, state: TraceState) -> Context {
    let trace_id = TraceId::from_hex(TRACE).expect("it is one");
    let span = SpanContext::new(trace_id, SpanId::from(0xb7ad6b7169203331), TraceFlags::new(flags), true, state);
    Context::new().with_remote_span_context(span)
}
