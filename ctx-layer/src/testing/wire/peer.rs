use std::fmt::Write;

use opentelemetry::{
    SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceState},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use crate::{propagation::CarrierMut, testing::captured::FieldName};

/// A service in another language, or one that is not trusted, as a test's counterpart: writes the headers that it would send.
///
/// ```
/// use std::collections::HashMap;
/// use ctx_layer::{field::well_known::TENANT_ID, propagation::{self, Trust}, testing::{self, wire::Peer}};
///
/// let telemetry = testing::capture();
/// let peer = Peer::python().with_field(&TENANT_ID, "acme inc");
/// let mut headers = HashMap::<String, String>::new();
/// peer.write(&mut headers);
/// assert_eq!(headers["baggage"], "tenant_id=acme+inc"); // Python writes a blank as `+`.
///
/// propagation::extract(&headers, Trust::internal()).in_scope(|| tracing::info_span!("handle").in_scope(|| {}));
/// let span = telemetry.span("handle");
/// assert_eq!(span.trace_id(), peer.trace_id());
/// assert_eq!(span.parent_span_id(), Some(peer.span_id()));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a peer does nothing until its headers are written"]
pub struct Peer {
    encoding: Encoding,
    context: Option<SpanContext>,
    /// The members of the baggage: names and values, not encoded.
    fields: Vec<(String, String)>,
}

/// How a language's OpenTelemetry SDK writes the values of baggage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// `urllib.parse.quote_plus`: a blank is `+`.
    QuotePlus,
    /// `encodeURIComponent`: leaves `! ' ( ) *`.
    UriComponent,
    /// All but `A-Z a-z 0-9 - . _ ~`.
    Percent,
    /// The set of opentelemetry-rust, which does not encode `%` itself.
    StockRust,
    /// As it is.
    None,
}

impl Peer {
    fn new(encoding: Encoding) -> Self {
        let ids = RandomIdGenerator::default();
        let (trace_id, span_id) = (ids.new_trace_id(), ids.new_span_id());
        let context = SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, TraceState::NONE);
        Peer { encoding, context: Some(context), fields: Vec::new() }
    }

    /// Creates a service with OpenTelemetry's SDK for Python.
    pub fn python() -> Self {
        Self::new(Encoding::QuotePlus)
    }

    /// Creates a service with OpenTelemetry's SDK for Node.js.
    pub fn node() -> Self {
        Self::new(Encoding::UriComponent)
    }

    /// Creates a service with OpenTelemetry's SDK for Java.
    pub fn java() -> Self {
        Self::new(Encoding::Percent)
    }

    /// Creates a service with the propagators of opentelemetry-rust.
    pub fn stock_rust() -> Self {
        Self::new(Encoding::StockRust)
    }

    /// Creates an external caller, who writes what he likes: the values of [`with_field`](Self::with_field) are not encoded.
    pub fn external() -> Self {
        Self::new(Encoding::None)
    }

    /// Creates an old version of a service, which has a trace and knows no fields.
    pub fn old_version() -> Self {
        Self::new(Encoding::Percent)
    }

    /// Creates a service that sends no context.
    pub fn without_context() -> Self {
        Peer { encoding: Encoding::None, context: None, fields: Vec::new() }
    }

    /// Adds a field, as a member of the baggage.
    pub fn with_field(mut self, field: impl FieldName, value: &str) -> Self {
        self.fields.push((field.as_name().to_owned(), value.to_owned()));
        self
    }

    /// Makes the trace one that is not sampled.
    pub fn not_sampled(self) -> Self {
        let context = self.context.map(|context| {
            let state = context.trace_state().clone();
            SpanContext::new(context.trace_id(), context.span_id(), TraceFlags::default(), true, state)
        });
        Peer { context, ..self }
    }

    /// Returns the id of the trace. All zeros if the peer sends no context.
    pub fn trace_id(&self) -> TraceId {
        self.context.as_ref().map_or(TraceId::INVALID, SpanContext::trace_id)
    }

    /// Returns the id of the peer's span. All zeros if the peer sends no context.
    pub fn span_id(&self) -> SpanId {
        self.context.as_ref().map_or(SpanId::INVALID, SpanContext::span_id)
    }

    /// Returns the headers.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if let Some(context) = &self.context {
            let flags = context.trace_flags().to_u8();
            headers.push(("traceparent", format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id())));
        }
        if !self.fields.is_empty() {
            let members = self.fields.iter().map(|(name, value)| format!("{name}={}", self.encoding.encode(value)));
            headers.push(("baggage", members.collect::<Vec<_>>().join(",")));
        }
        headers
    }

    /// Writes the headers to a carrier.
    pub fn write(&self, carrier: &mut (impl CarrierMut + ?Sized)) {
        for (name, value) in self.headers() {
            carrier.set(name, &value);
        }
    }
}

impl Encoding {
    fn encode(self, value: &str) -> String {
        let mut encoded = String::new();
        for byte in value.bytes() {
            match byte {
                b' ' if self == Encoding::QuotePlus => encoded.push('+'),
                _ if self.is_kept(byte) => encoded.push(char::from(byte)),
                // Writing to a string does not fail.
                _ => drop(write!(encoded, "%{byte:02X}")),
            }
        }
        if self == Encoding::None { value.to_owned() } else { encoded }
    }

    fn is_kept(self, byte: u8) -> bool {
        let is_unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match self {
            Encoding::QuotePlus | Encoding::Percent => is_unreserved,
            Encoding::UriComponent => is_unreserved || b"!'()*".contains(&byte),
            Encoding::StockRust => byte.is_ascii_graphic() && !b"\";,=".contains(&byte),
            Encoding::None => true,
        }
    }
}
