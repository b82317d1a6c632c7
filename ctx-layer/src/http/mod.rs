//! HTTP and gRPC: requests keep their context across services.
//!
//! [`ServerLayer`] is a `tower` layer for `axum`, `hyper` and `tonic`. [`ClientLayer`] is one for clients, including
//! `tonic` channels. [`ClientMiddleware`] is the same for `reqwest`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::{Router, body::Body, routing::get};
//! use ctx_layer::{fields_once_per_line, prelude::*};
//! use ctx_layer::http::{HeaderRule, ServerLayer, axum::{Field, RequestId}};
//! use http::Request;
//! use tower_service::Service;
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
//! async fn order(Field(id): Field<RequestId>) -> String {
//!     tracing::info!("looking it up");
//!     format!("for {id}")
//! }
//!
//! let mut app: Router = Router::new()
//!     .route("/orders/{id}", get(order))
//!     .layer(ServerLayer::new().header(HeaderRule::request_id()));
//!
//! let request = Request::get("/orders/7").header("x-request-id", "req-1").body(Body::empty())?;
//! let response = app.call(request).await?;
//! assert_eq!(response.headers()["x-request-id"], "req-1");
//! # let mut line = String::new();
//! # std::io::BufRead::read_line(&mut std::io::BufReader::new(printed), &mut line)?;
//! # assert_eq!(line.trim_end(), r#" INFO request{otel.name="GET /orders/{id}" otel.kind="server" http.request.method="GET" http.route="/orders/{id}" url.scheme="http" url.path="/orders/7" network.protocol.version="1.1"}: looking it up request_id="req-1""#);
//! # Ok(()) }
//! ```
//!
//! It prints, on one line:
//!
//! ```text
//!  INFO request{otel.name="GET /orders/{id}" otel.kind="server" http.request.method="GET"
//!       http.route="/orders/{id}" url.scheme="http" url.path="/orders/7"
//!       network.protocol.version="1.1"}:
//!       looking it up request_id="req-1"
//! ```
//!
//! | to | see |
//! |---|---|
//! | serve requests | [`ServerLayer`] |
//! | set fields from a request or from its headers | [`ServerLayer::fields`], [`HeaderRule`] |
//! | receive fields as arguments of `axum` handlers | [`axum`] |
//! | send requests | [`ClientLayer`], [`ClientMiddleware`] |
//! | count their attempts | [`Attempts`] |
//! | choose which hosts receive the fields | [`DestinationPolicy`](crate::propagation::DestinationPolicy) |
//! | keep secrets in URLs off spans | [`QueryPolicy`] |
//! | log each request once | [`ServerLayer::log_requests`], [`ClientLayer::log_requests`] |
//! | migrate from another crate | [`replacing`] |
//!
//! # Where to add the layer
//!
//! With `axum`, use `Router::layer`, so that routes are known. A layer around the whole router names its spans by the
//! method only. Layers that log within the request's span go inside it: `.layer(inner).layer(ServerLayer::new())`.
//!
//! Add it once. A second layer inside treats the request as a new one, with its own span and without the fields that
//! the first one set.
//!
//! For the client's address, `axum` has to be configured to keep it: `axum::serve(listener,
//! app.into_make_service_with_connect_info::<SocketAddr>())`.
//!
//! # The context of a request
//!
//! The context of a request consists of its headers, as far as [`Trust`](crate::propagation::Trust) accepts them, and
//! of the fields that the layer sets. It contains nothing of the context in which the server accepts connections. The
//! context is current, and the span entered, while the handler runs, while the body of the response is polled, and
//! while either is dropped, on any thread. If the span is disabled, the context is current all the same, and is
//! propagated.
//!
//! The inner service is called when the future is first polled. The first frame of an `axum` body of known length is
//! polled together with the response, since the span is entered at that time. The span starts before that, when the
//! request arrives, and ends after it, when the frame is taken.
//!
//! The span ends with the body: at its end, when it fails, or when it is dropped because the client has disconnected. A
//! request that is dropped before its end has the attribute `cancelled`. A panic is logged as an error within the span,
//! and resumed.
//!
//! # Attributes of spans
//!
//! The attributes are those of OpenTelemetry's conventions for
//! [HTTP](https://opentelemetry.io/docs/specs/semconv/http/http-spans/) and, for POST requests with gRPC's content
//! type, those for [gRPC](https://opentelemetry.io/docs/specs/semconv/rpc/grpc/), in their latest version. If the
//! server does not respond with gRPC, the request is recorded as HTTP.
//!
//! | | server | client |
//! |---|---|---|
//! | name | `{method} {route}` | `{method} {template}`, with a [`UrlTemplate`] |
//! | name, gRPC | `{service}/{method}` | `{service}/{method}` |
//! | is an error | 5xx; of gRPC the six codes that are server errors; a panic; a body that fails | 4xx, 5xx; all codes but `OK`; no response |
//! | ends | with the body | with the body; by `reqwest` with the headers |
//!
//! Methods that the conventions do not list are `_OTHER`. The variable `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`
//! overrides the list of known ones, as in `GET,POST,PURGE`. It is read once. Of a query, only the names are recorded.
//! Of each string that a caller sends, at most 1024 bytes are recorded.
//!
//! All spans have the level `INFO`, and the target `ctx_layer::http::server::span` or `ctx_layer::http::client::span`.
//! They have no `code.*` attributes, which would name a file of this crate.
//!
//! # Costs
//!
//! A request allocates nothing if its span is disabled and it continues no trace. Headers are read in place. The span
//! is entered once for a request that is answered immediately, and once more each time its handler or its body has to
//! wait. The header of `benches/benches/http.rs` has the figures, with those of similar crates.
//!
// If the documentation is built without a feature, its links lead to the list of features.
#![cfg_attr(not(feature = "http-server"), doc = "[`ServerLayer`]: crate#features")]
#![cfg_attr(not(feature = "http-server"), doc = "[`ServerLayer::fields`]: crate#features")]
#![cfg_attr(not(feature = "http-server"), doc = "[`ServerLayer::log_requests`]: crate#features")]
#![cfg_attr(not(feature = "http-server"), doc = "[`HeaderRule`]: crate#features")]
#![cfg_attr(not(feature = "http-client"), doc = "[`Attempts`]: crate#features")]
#![cfg_attr(not(feature = "http-client"), doc = "[`ClientLayer`]: crate#features")]
#![cfg_attr(not(feature = "http-client"), doc = "[`ClientLayer::log_requests`]: crate#features")]
#![cfg_attr(not(feature = "http-client"), doc = "[`UrlTemplate`]: crate#features")]
#![cfg_attr(not(feature = "reqwest"), doc = "[`ClientMiddleware`]: crate#features")]
#![cfg_attr(not(feature = "axum"), doc = "[`axum`]: crate#features")]

mod access_line;
#[cfg(feature = "axum")]
pub mod axum;
mod body;
#[cfg(feature = "http-client")]
mod client;
mod exchange;
mod grpc;
mod method;
mod query;
#[cfg(any(doc, doctest))]
pub mod replacing;
#[cfg(feature = "http-server")]
mod request_head;
mod request_part;
#[cfg(feature = "http-server")]
mod server;

pub use body::ContextBody;
#[cfg(feature = "http-client")]
pub use client::*;
pub use query::QueryPolicy;
#[cfg(feature = "http-server")]
pub use request_head::RequestHead;
#[cfg(feature = "http-server")]
pub use server::{HeaderRule, ServerFuture, ServerLayer, ServerService, is_well_formed};
