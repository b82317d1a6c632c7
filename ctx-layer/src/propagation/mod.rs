//! Propagating context between processes: trace context, fields and baggage, in any carrier, with explicit trust.
//!
//! Context is written as the headers `traceparent` and `tracestate` ([W3C Trace Context Level
//! 2](https://www.w3.org/TR/trace-context-2/)) and `baggage` ([W3C Baggage](https://www.w3.org/TR/baggage/)), so every
//! service that supports these can read it.
//!
//! ```
//! use std::collections::HashMap;
//! use ctx_layer::{Schema, field::well_known::TENANT_ID, propagation::{self, Trust}};
//!
//! # let _stack = ctx_layer::SubscriberFieldsExt::with_context_fields(tracing_subscriber::registry(), Schema::well_known());
//! // The sender:
//! let mut headers = HashMap::new();
//! TENANT_ID.in_scope("acme", || propagation::inject(&mut headers));
//! assert_eq!(headers["baggage"], "tenant_id=acme");
//!
//! // The receiver, which trusts this sender:
//! propagation::extract(&headers, Trust::internal()).in_scope(|| {
//!     assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
//! });
//! ```
//!
//! | to | write |
//! |---|---|
//! | send the current context | [`inject`]`(&mut carrier)` |
//! | send it to a URL that may be external | [`Boundary::inject`], with the answer of a [`DestinationPolicy`] |
//! | receive | [`extract`]`(&carrier, Trust::external())`, then `.in_scope(..)`, or `future.`[`in_context`](crate::task::InContextExt::in_context)`(it)` |
//! | store it in a payload and restore it | [`capture`]`()`, [`extract`]`(&captured, Trust::internal())` |
//! | use another type's values, with a feature or without | [`carriers`] |
//! | use a custom carrier | [`inject_with`], [`extract_with`], or implement [`Carrier`] and [`CarrierMut`] |
//! | pass it to a child process and restore it there | [`inject`]`(&mut command)`, [`from_environment`] |
//! | let other libraries propagate it | [`ContextPropagator`], as OpenTelemetry's global propagator |
//! | count losses | [`Boundary`], [`boundaries`] |
//!
//! # Sent context
//!
//! - `traceparent` and `tracestate` of the active OpenTelemetry span. Each outgoing call should have its own span,
//!   which is the parent of the recipient's. Spans of `tracing` are active where `tracing-opentelemetry` activates its
//!   contexts, as it does by default.
//! - Fields with [`propagated`](crate::Policy::propagated), under their [baggage keys](crate::Policy::baggage_key).
//!   Sensitive ones only with [`propagated_in_plaintext`](crate::Policy::propagated_in_plaintext). Properties that were
//!   received with a value are sent with it.
//! - OpenTelemetry baggage under other keys.
//!
//! At most 64 members and 8192 bytes of baggage are sent. Members that do not fit are dropped and counted. Fields have
//! priority, in the order of registration, then received baggage, in the order received, then baggage that was added
//! here, by key.
//!
//! Context of another request in the carrier is replaced, and its `baggage` is removed even if there is none to send.
//!
//! # Received context
//!
//! A `traceparent` that is invalid or appears twice is ignored, together with `tracestate`. An invalid `tracestate` is
//! ignored. Invalid members of baggage are ignored one by one. Of duplicate keys, the last one counts in baggage, and
//! the first one, which is the most recent, in `tracestate`.
#![doc = include_str!("trust.md")]

mod baggage;
mod baggage_keys;
mod boundary;
mod captured;
mod carrier;
pub mod carriers;
mod destination;
mod dropped;
mod extracted;
mod inbound;
mod list;
#[cfg(feature = "metrics")]
mod metrics;
pub(crate) mod names;
mod outbound;
mod outgoing;
mod percent;
mod propagator;
mod span_context;
mod traceparent;
mod tracestate;
mod trust;
#[cfg(feature = "testing")]
mod witness;

use opentelemetry::Context;

pub use baggage::BaggageError;
pub use boundary::{Boundary, Counts, boundaries};
pub use captured::Captured;
pub use carrier::{Carrier, CarrierMut};
pub use destination::{DestinationError, DestinationPolicy};
pub use dropped::{DropReason, Dropped, Invalid};
pub use extracted::{Extracted, ExtractedGuard};
#[cfg(feature = "metrics")]
pub use metrics::observe;
pub use outbound::Outbound;
#[cfg(feature = "testing")]
pub(crate) use percent::decode as percent_decoded;
pub use propagator::ContextPropagator;
pub use traceparent::TraceParentError;
pub use tracestate::TraceStateError;
pub use trust::Trust;
#[cfg(feature = "testing")]
pub(crate) use witness::{Crossing, set_witness};

use carriers::{
    Environment,
    closures::{Getter, Setter},
};

/// Writes the current context to a carrier.
///
/// Writes everything that may leave the process, for an internal recipient. For other recipients use
/// [`Boundary::inject`] with a [`DestinationPolicy`].
pub fn inject(carrier: &mut (impl CarrierMut + ?Sized)) {
    Boundary::unnamed().inject(carrier, Outbound::Everything);
}

/// Writes the current context with a closure that sets a key to a value.
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, propagation};
///
/// let mut frame = String::new();
/// TENANT_ID.in_scope("acme", || {
///     propagation::inject_with(|key, value| frame += &format!("{key}: {value}\n"));
/// });
/// assert_eq!(frame, "baggage: tenant_id=acme\n");
/// ```
pub fn inject_with(set: impl FnMut(&str, &str)) {
    inject(&mut Setter(set));
}

/// Writes a given context to a carrier.
pub fn inject_context(cx: &Context, carrier: &mut (impl CarrierMut + ?Sized), outbound: Outbound) {
    outgoing::inject(cx, carrier, outbound, &outgoing::DEFAULTS, Boundary::unnamed());
}

/// Reads context from a carrier, as far as the caller is trusted.
///
/// Reads the fields of all layers in use and of [registered](register) schemas. The carrier's
/// [boundary](Carrier::boundary) counts it.
pub fn extract(carrier: &(impl Carrier + ?Sized), trust: Trust) -> Extracted {
    carrier.boundary().extract(carrier, trust)
}

/// Reads context with a closure that returns the values of a key in lower case: an `Option`, a `Vec` or any other
/// iterator of strings or bytes.
///
/// ```
/// use ctx_layer::propagation::{self, Trust};
///
/// let frame = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n";
/// let get = |key: &str| {
///     frame.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
/// };
/// assert!(propagation::extract_with(get, Trust::internal()).is_continued());
/// ```
pub fn extract_with<L, V>(get: impl Fn(&str) -> L, trust: Trust) -> Extracted
where
    L: IntoIterator<Item = V>,
    V: AsRef<[u8]>,
{
    extract(&Getter(get), trust)
}

/// Captures the current context, to be stored in a payload. [`extract`] restores it.
///
/// ```
/// use ctx_layer::{Schema, field::well_known::TENANT_ID, propagation::{self, Trust}};
///
/// # let _stack = ctx_layer::SubscriberFieldsExt::with_context_fields(tracing_subscriber::registry(), Schema::well_known());
/// let captured = TENANT_ID.in_scope("acme", propagation::capture);
/// // Elsewhere, at another time:
/// propagation::extract(&captured, Trust::internal()).in_scope(|| {
///     assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
/// });
/// ```
pub fn capture() -> Captured {
    let mut captured = Captured::new();
    Boundary::captured().inject(&mut captured, Outbound::Everything);
    captured
}

/// Reads the context that this process was started with, from the variables `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`.
///
/// Call it once at the start of a job or a child process:
///
/// ```
/// use ctx_layer::propagation::{self, Trust};
///
/// let _context = propagation::from_environment(Trust::internal()).attach();
/// ```
pub fn from_environment(trust: Trust) -> Extracted {
    extract(&Environment::of_process(), trust)
}

/// Registers the fields of a schema, where no layer does it.
pub fn register(schema: &crate::Schema) {
    crate::context::register(schema.fields().map(|(declaration, _)| declaration));
}
