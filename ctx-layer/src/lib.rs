//! Adds context fields to every `tracing` span and every event, in every output, including those of other crates.
//!
//! A program registers fields such as `tenant_id` in a [`Schema`], adds them to its subscriber stack
//! ([`with_context_fields`](SubscriberFieldsExt::with_context_fields), the last call before `.init()`), and sets values where they
//! become known. From then on they appear on all spans and events: those of other crates, of spawned tasks, of other threads.
//!
//! ```standalone_crate
//! use ctx_layer::{field::well_known::{TENANT_ID, USER_ID}, fields_once_per_line, prelude::*};
//! use tracing::{info, info_span};
//! use tracing_subscriber::{fmt, prelude::*};
//!
//! # let (printed, writer) = std::io::pipe()?;
//! let text = fmt::layer().without_time().with_target(false).with_ansi(false);
//! # let text = text.with_writer(std::sync::Mutex::new(writer));
//! tracing_subscriber::registry()
//!     .with(fields_once_per_line(text))
//!     .with_context_fields(Schema::well_known())
//!     .init();
//!
//! let span = TENANT_ID.in_scope("acme", || info_span!("request", path = "/orders"));
//!
//! // The span carries the tenant to another thread.
//! let handled = std::thread::spawn(move || {
//!     let _request = span.entered();
//!     info!("received");
//!     let _ = USER_ID.record("ada"); // Known only here.
//!     info!(rows = 3, "stored");
//! });
//! handled.join().expect("it does not panic");
//! # let printed: Vec<_> = std::io::BufRead::lines(std::io::BufReader::new(printed)).take(2).collect::<Result<_, _>>()?;
//! # assert_eq!(printed, [
//! #     " INFO request{path=\"/orders\"}: received tenant_id=\"acme\"",
//! #     " INFO request{path=\"/orders\"}: stored rows=3 tenant_id=\"acme\" user_id=\"ada\"",
//! # ]);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! It prints:
//!
//! ```text
//!  INFO request{path="/orders"}: received tenant_id="acme"
//!  INFO request{path="/orders"}: stored rows=3 tenant_id="acme" user_id="ada"
//! ```
//!
//! | to | see |
//! |---|---|
//! | declare fields | [`context_fields!`], [`ContextField::declare`] |
//! | choose where a field appears, and how it is shown | [`Policy`], [`Schema`] |
//! | set, read and carry values; the rules for which value is current | [`context`](mod@context), and `docs/semantics.md` in the repository |
//! | add fields to a whole stack, or to one output | [`SubscriberFieldsExt`]; [`ContextLayer`], [`fields_once_per_line`] |
//! | write lines for people, or JSON lines for collectors | [`output::text`], [`output::json`], [`output::auto`] |
//! | create a span for a function, log its calls, and set its status | [`with_observability`](macro@with_observability) |
//! | carry fields across tasks, threads and channels | [`task`], [`propagate`](macro@propagate) |
//! | send fields to other processes, and receive them | [`propagation`] |
//! | propagate fields over HTTP and gRPC | [`http`] |
//! | propagate fields over brokers, queues and job tables | [`messaging`] |
//! | assert in tests what is propagated | [`testing`] |
//!
//! # Features
//!
//! - `full`: all features but `messaging-outbox` and the carriers of brokers and databases.
//! - `fmt` (on by default): [`SeparateSpanFields`], which separates two `fmt` outputs of the same format.
//! - `json`, `text` (both on by default): [`output::json`], an output of one JSON object per line; [`output::text`], an output of lines for
//!   people. With both, [`output::auto`] chooses.
//! - `tracing-opentelemetry` (on by default): for stacks with the layer of that crate. Sets the status of spans, links spans to
//!   a sender's span, and adds `trace_id` and `span_id` to events with an explicit parent and where the layer does not activate
//!   its contexts. Without this feature, only the OpenTelemetry API is compiled, in whose `Context` the fields are stored.
//! - `hashed`: fields that are shown as a salted SHA-256, with the policy [`hashed`].
//! - `opentelemetry_sdk`: [`UniqueAttributes`], an exporter that exports each attribute once, with its last value.
//! - `tokio`: [`spawn`], [`spawn_blocking`], [`spawn_local`] and [`JoinSetExt`] in [`task`].
//! - `http`, `serde_json`, `tokio-process`, and `amqp`, `apalis`, `async-nats`, `bson`, `k8s-openapi`, `rdkafka`, `redis`, `sqlx`:
//!   the [`carriers`](propagation::carriers) of these crates.
//! - `database`: spans of calls of databases, and comments in SQL statements.
//! - `http-server`, `http-client`: [`ServerLayer`] and [`ClientLayer`], `tower` layers for HTTP and gRPC. `axum`: its routes, and
//!   [fields as arguments of handlers][extractors]. `reqwest`: a [middleware][`ClientMiddleware`].
//! - `messaging`: producers and consumers of [messages][`messaging`]; with `tokio`, a [`Worker`]. `messaging-outbox`: an
//!   [outbox][outbox] with `sqlx`, which needs Rust 1.94.
//! - `serde`: [`Captured`](propagation::Captured) implements `Serialize` and `Deserialize`.
//! - `setup`: [`setup::init`], the whole start-up in one call: settings, log lines, export of traces, logs and metrics, and a clean end.
//!   `setup-tls`, `setup-http-json`, `setup-gzip`, `setup-b3`, `setup-xray`, `setup-config-file`: parts of it that need more crates.
//! - `testing`: a [test kit][`testing`] and [`#[ctx_layer::test]`][test]. `testing-proptest`: its strategies of `proptest`.
//! - `metrics`: OpenTelemetry metrics of what [boundaries](propagation::Boundary) extract, inject and reject.
//!
// If a feature is disabled, links to its items lead to the list above.
#![cfg_attr(feature = "json", doc = "[`output::json`]: output::json")]
#![cfg_attr(not(feature = "json"), doc = "[`output::json`]: #features")]
#![cfg_attr(feature = "text", doc = "[`output::text`]: output::text")]
#![cfg_attr(not(feature = "text"), doc = "[`output::text`]: #features")]
#![cfg_attr(all(feature = "json", feature = "text"), doc = "[`output::auto`]: output::auto")]
#![cfg_attr(not(all(feature = "json", feature = "text")), doc = "[`output::auto`]: #features")]
#![cfg_attr(feature = "fmt", doc = "[`SeparateSpanFields`]: SeparateSpanFields")]
#![cfg_attr(not(feature = "fmt"), doc = "[`SeparateSpanFields`]: #features")]
#![cfg_attr(feature = "hashed", doc = "[`hashed`]: Policy::hashed")]
#![cfg_attr(not(feature = "hashed"), doc = "[`hashed`]: #features")]
#![cfg_attr(feature = "opentelemetry_sdk", doc = "[`UniqueAttributes`]: UniqueAttributes")]
#![cfg_attr(not(feature = "opentelemetry_sdk"), doc = "[`UniqueAttributes`]: #features")]
#![cfg_attr(feature = "tokio", doc = "[`spawn`]: task::spawn")]
#![cfg_attr(not(feature = "tokio"), doc = "[`spawn`]: #features")]
#![cfg_attr(feature = "tokio", doc = "[`spawn_blocking`]: task::spawn_blocking")]
#![cfg_attr(not(feature = "tokio"), doc = "[`spawn_blocking`]: #features")]
#![cfg_attr(feature = "tokio", doc = "[`spawn_local`]: task::spawn_local")]
#![cfg_attr(not(feature = "tokio"), doc = "[`spawn_local`]: #features")]
#![cfg_attr(feature = "tokio", doc = "[`JoinSetExt`]: task::JoinSetExt")]
#![cfg_attr(not(feature = "tokio"), doc = "[`JoinSetExt`]: #features")]
#![cfg_attr(any(feature = "http-server", feature = "http-client"), doc = "[`http`]: mod@crate::http")]
#![cfg_attr(not(any(feature = "http-server", feature = "http-client")), doc = "[`http`]: #features")]
#![cfg_attr(feature = "http-server", doc = "[`ServerLayer`]: crate::http::ServerLayer")]
#![cfg_attr(not(feature = "http-server"), doc = "[`ServerLayer`]: #features")]
#![cfg_attr(feature = "http-client", doc = "[`ClientLayer`]: crate::http::ClientLayer")]
#![cfg_attr(not(feature = "http-client"), doc = "[`ClientLayer`]: #features")]
#![cfg_attr(feature = "messaging", doc = "[`messaging`]: mod@crate::messaging")]
#![cfg_attr(not(feature = "messaging"), doc = "[`messaging`]: #features")]
#![cfg_attr(all(feature = "messaging", feature = "tokio"), doc = "[`Worker`]: crate::messaging::Worker")]
#![cfg_attr(not(all(feature = "messaging", feature = "tokio")), doc = "[`Worker`]: #features")]
#![cfg_attr(feature = "messaging-outbox", doc = "[outbox]: crate::messaging::outbox")]
#![cfg_attr(not(feature = "messaging-outbox"), doc = "[outbox]: #features")]
#![cfg_attr(feature = "reqwest", doc = "[`ClientMiddleware`]: crate::http::ClientMiddleware")]
#![cfg_attr(not(feature = "reqwest"), doc = "[`ClientMiddleware`]: #features")]
#![cfg_attr(feature = "setup", doc = "[`setup::init`]: crate::setup::init")]
#![cfg_attr(not(feature = "setup"), doc = "[`setup::init`]: #features")]
#![cfg_attr(feature = "testing", doc = "[`testing`]: crate::testing")]
#![cfg_attr(not(feature = "testing"), doc = "[`testing`]: #features")]
#![cfg_attr(feature = "testing", doc = "[test]: macro@crate::test")]
#![cfg_attr(not(feature = "testing"), doc = "[test]: #features")]
#![cfg_attr(feature = "axum", doc = "[extractors]: crate::http::axum")]
#![cfg_attr(not(feature = "axum"), doc = "[extractors]: #features")]
#![warn(missing_docs)]
// On docs.rs each item shows the feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[allow(missing_docs, missing_debug_implementations)]
#[doc(hidden)]
pub mod __private;
#[cfg(feature = "_spans")]
mod attribute;
mod buffers;
pub mod context;
#[cfg(feature = "database")]
pub mod database;
#[cfg(feature = "_spans")]
mod error_type;
#[cfg(feature = "opentelemetry_sdk")]
mod export;
pub mod field;
#[cfg(any(feature = "http-server", feature = "http-client"))]
pub mod http;
pub mod layer;
#[cfg(feature = "messaging")]
pub mod messaging;
#[allow(missing_docs, missing_debug_implementations, reason = "used by expansions of the macros only")]
mod observe;
#[cfg(feature = "_output")]
pub mod output;
mod panic;
pub mod prelude;
pub mod propagation;
#[cfg(feature = "setup")]
pub mod setup;
#[allow(missing_docs, reason = "used by expansions of the macros only")]
mod site;
#[cfg(feature = "_spans")]
mod span_string;
pub mod task;
#[cfg(feature = "testing")]
pub mod testing;
mod thread_probe;
#[cfg(feature = "_received")]
mod unique_id;
mod warning;

pub use context::{ContextFieldsExt, FieldsGuard, FutureFieldsExt};
#[cfg(feature = "opentelemetry_sdk")]
pub use export::UniqueAttributes;
pub use field::{ContextField, Fields, Policy, Schema};
#[cfg(feature = "fmt")]
pub use layer::SeparateSpanFields;
pub use layer::{ContextLayer, ContextSubscriber, SubscriberFieldsExt, declare_request, fields_once_per_line};
pub use task::InContextExt;

/// The OpenTelemetry API in the version that this crate's own API uses.
pub use opentelemetry;

#[doc = include_str!("propagate.md")]
pub use ctx_macros::propagate;
#[cfg(feature = "testing")]
#[doc = include_str!("test.md")]
pub use ctx_macros::test;
#[doc = include_str!("with_observability.md")]
pub use ctx_macros::with_observability;

/// Parses the declarations given to [`context_fields!`].
#[doc(hidden)]
pub use ctx_macros::context_fields as __context_fields;

/// Expands to nothing if the feature `hashed` is enabled.
#[cfg(feature = "hashed")]
#[doc(hidden)]
#[macro_export]
macro_rules! __require_hashed {
    () => {};
}

/// Expands to a compile error if the feature `hashed` is disabled.
#[cfg(not(feature = "hashed"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __require_hashed {
    () => {
        ::core::compile_error!(
            "`hashed` needs the feature `hashed` of `ctx-layer`: add it to its `features` in Cargo.toml"
        );
    };
}
