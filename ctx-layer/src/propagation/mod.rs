//! Carrying context over the wire: trace context, fields and baggage, in any carrier, believing no strangers.
//!
//! Context is written as the headers `traceparent` and `tracestate` ([W3C Trace Context Level
//! 2](https://www.w3.org/TR/trace-context-2/)) and `baggage` ([W3C Baggage](https://www.w3.org/TR/baggage/)), so every
//! service that knows these understands it.
//!
//! ```
//! use std::collections::HashMap;
//! use ctx_layer::{Schema, field::well_known::TENANT_ID, propagation::{self, Trust}};
//!
//! # let _stack = ctx_layer::SubscriberFieldsExt::with_context_fields(tracing_subscriber::registry(), Schema::well_known());
//! // Who sends.
//! let mut headers = HashMap::new();
//! TENANT_ID.in_scope("acme", || propagation::inject(&mut headers));
//! assert_eq!(headers["baggage"], "tenant_id=acme");
//!
//! // Who receives, from one of its own.
//! propagation::extract(&headers, Trust::internal()).in_scope(|| {
//!     assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
//! });
//! ```
//!
//! | to | write |
//! |---|---|
//! | send what is in force | [`inject`]`(&mut carrier)` |
//! | send it to a URL that may not be one's own | `boundary.inject(&mut carrier, destinations.for_url(url))`: [`DestinationPolicy`] |
//! | receive | [`extract`]`(&carrier, Trust::external()).attach()`, or `future.`[`in_context`](crate::task::InContextExt::in_context)`(extracted)` |
//! | put it in a payload, and take it out | [`capture`]`()`, [`extract`]`(&captured, Trust::internal())` |
//! | use a carrier that nobody has heard of | [`inject_with`], [`extract_with`], or implement [`Carrier`] and [`CarrierMut`] |
//! | give it to a child process, and take it up there | [`inject`]`(&mut command)`, [`from_environment`] |
//! | have other libraries do so | [`global::set_text_map_propagator`](opentelemetry::global::set_text_map_propagator)`(`[`ContextPropagator`]`::new())` |
//! | count what is lost | [`Boundary`], [`boundaries`] |
//!
//! # What is sent
//!
//! - `traceparent` and `tracestate` of the active OpenTelemetry span. Each outgoing call should have a span of its own:
//!   it is the parent of what is done there. Spans of `tracing` are active where `tracing-opentelemetry` activates its
//!   contexts, as it does by default.
//! - Fields with [`propagated`](crate::Policy::propagated), under their [baggage keys](crate::Policy::baggage_key);
//!   sensitive ones only with [`propagated_in_plaintext`](crate::Policy::propagated_in_plaintext). The properties that came with a
//!   value go on with it.
//! - OpenTelemetry baggage under other keys.
//!
//! At most 64 members and 8192 bytes of baggage. What does not fit is left out, member by member, and counted. What
//! comes first has priority: the fields, in the order in which they were registered, then baggage, in the order in which
//! it came, then what was added to it here, by key.
//!
//! What stands in the carrier from another request is replaced, and its `baggage` taken away even if there is none to
//! send.
//!
//! # What is received
//!
//! A `traceparent` that is not valid, or stands there twice, is ignored, and `tracestate` with it. A `tracestate` that is
//! not valid is ignored. Of baggage each member that is not valid is ignored, and of members with one key the last
//! counts; of `tracestate` the first, which was written last.
#![doc = include_str!("trust.md")]

mod baggage;
mod baggage_keys;
mod blank;
mod boundary;
mod captured;
mod carrier;
mod destination;
mod dropped;
mod extracted;
mod inbound;
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

use opentelemetry::Context;

pub use baggage::BaggageError;
pub use boundary::{Boundary, Counts, boundaries};
pub use captured::Captured;
pub(crate) use carrier::TraceOnly;
pub use carrier::{Carrier, CarrierMut, OtelExtractor, OtelInjector};
pub use destination::{DestinationError, DestinationPolicy};
pub use dropped::{DropReason, Dropped, Invalid};
pub use extracted::{Extracted, ExtractedGuard};
#[cfg(feature = "metrics")]
pub use metrics::observe;
pub use outbound::Outbound;
pub use propagator::ContextPropagator;
pub use traceparent::TraceParentError;
pub use tracestate::TraceStateError;
pub use trust::Trust;

use crate::carriers::Environment;

/// Writes the context in force to a carrier.
///
/// Everything that may leave, for a recipient of one's own. For others there is [`Boundary::inject`] with a
/// [`DestinationPolicy`].
pub fn inject(carrier: &mut (impl CarrierMut + ?Sized)) {
    Boundary::unnamed().inject(carrier, Outbound::Everything);
}

/// Writes the context in force by a closure that takes a key and a value.
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, propagation};
///
/// let mut frame = String::new();
/// TENANT_ID.in_scope("acme", || propagation::inject_with(|key, value| frame += &format!("{key}: {value}\n")));
/// assert_eq!(frame, "baggage: tenant_id=acme\n");
/// ```
pub fn inject_with(set: impl FnMut(&str, &str)) {
    inject(&mut carrier::Setter(set));
}

/// Writes another context than that in force to a carrier.
pub fn inject_context(cx: &Context, carrier: &mut (impl CarrierMut + ?Sized), outbound: Outbound) {
    outgoing::inject(cx, carrier, outbound, &outgoing::DEFAULTS, Boundary::unnamed());
}

/// Reads context from a carrier, as far as the caller is believed.
///
/// Fields are read that a layer in use knows, or [`register`] was told of. It is counted under the carrier's
/// [boundary](Carrier::boundary).
pub fn extract(carrier: &(impl Carrier + ?Sized), trust: Trust) -> Extracted {
    carrier.boundary().extract(carrier, trust)
}

/// Reads context by a closure that takes a key, in lower case, and gives its values: an `Option`, a `Vec`, any of text or
/// bytes.
///
/// ```
/// use ctx_layer::propagation::{self, Trust};
///
/// let frame = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n";
/// let get = |key: &str| frame.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
/// assert!(propagation::extract_with(get, Trust::internal()).is_continued());
/// ```
pub fn extract_with<L, V>(get: impl Fn(&str) -> L, trust: Trust) -> Extracted
where
    L: IntoIterator<Item = V>,
    V: AsRef<[u8]>,
{
    extract(&carrier::Getter(get), trust)
}

/// Captures the context in force, to be put in a payload. [`extract`] takes it out again.
///
/// ```
/// use ctx_layer::{Schema, field::well_known::TENANT_ID, propagation::{self, Trust}};
///
/// # let _stack = ctx_layer::SubscriberFieldsExt::with_context_fields(tracing_subscriber::registry(), Schema::well_known());
/// let captured = TENANT_ID.in_scope("acme", propagation::capture);
/// // Later, elsewhere:
/// propagation::extract(&captured, Trust::internal()).in_scope(|| {
///     assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
/// });
/// ```
pub fn capture() -> Captured {
    let mut captured = Captured::new();
    Boundary::captured().inject(&mut captured, Outbound::Everything);
    captured
}

/// Reads the context that this process was started with: from the variables `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`.
///
/// One call at the start of a job or a child process:
///
/// ```
/// use ctx_layer::propagation::{self, Trust};
///
/// let _context = propagation::from_environment(Trust::internal()).attach();
/// ```
pub fn from_environment(trust: Trust) -> Extracted {
    extract(&Environment::of_process(), trust)
}

/// Makes the fields of a schema known, where no layer does it.
pub fn register(schema: &crate::Schema) {
    crate::context::register(schema.fields().map(|(declaration, _)| declaration));
}
