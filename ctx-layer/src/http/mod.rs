//! HTTP and gRPC: a request keeps its context across services.
//!
//! [`ServerLayer`] is a `tower` layer for `axum`, `hyper` and `tonic`; [`ClientLayer`] one for clients, `tonic`'s channels
//! among them; [`ClientMiddleware`] does the same for `reqwest`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::{Router, body::Body, routing::get};
//! use ctx_layer::{
//!     Schema, SubscriberFieldsExt,
//!     http::{HeaderRule, ServerLayer, axum::{Field, RequestId}},
//! };
//! use http::Request;
//! use tower_service::Service;
//! use tracing_subscriber::prelude::*;
//!
//! # let (printed, writer) = std::io::pipe()?;
//! let text = tracing_subscriber::fmt::layer().without_time().with_target(false).with_ansi(false);
//! # let text = text.with_writer(std::sync::Mutex::new(writer));
//! tracing_subscriber::registry().with(ctx_layer::fields_once_per_line(text)).with_context_fields(Schema::well_known()).init();
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
//!  INFO request{otel.name="GET /orders/{id}" otel.kind="server" http.request.method="GET" http.route="/orders/{id}"
//!       url.scheme="http" url.path="/orders/7" network.protocol.version="1.1"}: looking it up request_id="req-1"
//! ```
//!
//! | to | see |
//! |---|---|
//! | serve requests | [`ServerLayer`] |
//! | set fields from a request or from its headers | [`ServerLayer::fields`], [`HeaderRule`] |
//! | have fields as arguments of `axum`'s handlers | [`axum`] |
//! | make requests | [`ClientLayer`], [`ClientMiddleware`] |
//! | count their attempts | [`Attempts`] |
//! | say who gets the fields | [`DestinationPolicy`](crate::propagation::DestinationPolicy) |
//! | keep secrets in URLs off spans | [`QueryPolicy`] |
//! | come from something else | [`replacing`] |
//!
//! # Where the layer stands
//!
//! With `axum`: `Router::layer`, so that routes are known. Spans of a layer around the whole router are named by the
//! method alone. What is to log within the request's span stands inside of it: `.layer(inner).layer(ServerLayer::new())`.
//!
//! Once: a second layer inside takes the request for a new one, which has a span of its own and nothing of what the first
//! one set.
//!
//! For the client's address `axum` has to be told to keep it:
//! `axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())`.
//!
//! # What is in force, and how long
//!
//! The context of a request is what its headers say, as far as [`Trust`](crate::propagation::Trust) believes them, and the
//! fields that the layer sets. Nothing of what is in force where requests are accepted is in it. It is in force, and the
//! span is entered, while the handler runs, while the body of the response is polled, and when either is dropped. So it
//! is on whatever threads these run. Where nobody wants the span, the context is in force all the same, and is passed on.
//!
//! The service inside is called when the future is polled for the first time, and the first frame of an `axum` body whose
//! length is known is asked for together with the response: what is ready at once is done while the span is entered
//! anyway. The span starts before, when the request comes in, and ends after, when the frame is taken.
//!
//! The span ends with the body: at its end, when it fails, or when it is dropped because the client has gone. A
//! request that was dropped before its end has the attribute `cancelled`. A panic is logged as an error within the
//! span, and goes on.
//!
//! # What stands on spans
//!
//! The attributes of OpenTelemetry's conventions for [HTTP](https://opentelemetry.io/docs/specs/semconv/http/http-spans/)
//! and, of what is posted with gRPC's content type, those for [gRPC](https://opentelemetry.io/docs/specs/semconv/rpc/grpc/),
//! in their newest form. Where a server does not answer it as gRPC, it was none.
//!
//! | | server | client |
//! |---|---|---|
//! | name | `{method} {route}` | `{method} {template}`, with a [`UrlTemplate`] |
//! | name, gRPC | `{service}/{method}` | `{service}/{method}` |
//! | is an error | 5xx; of gRPC the six codes that are the server's fault; a panic; a body that fails | 4xx, 5xx; all codes but `OK`; no response |
//! | ends | with the body | with the body; by `reqwest` with the headers |
//!
//! Methods that the conventions do not know are `_OTHER`; the variable `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` gives
//! another list of those that are known, such as `GET,POST,PURGE`. It is read once. Of a query only names stand there. Of what
//! a stranger sends no more than 1024 bytes each do.
//!
//! Levels and targets: all spans are at `INFO`, with the target `ctx_layer::http::server::span` or
//! `ctx_layer::http::client::span`. They have no `code.*` attributes: those would name a file of this crate.
//!
//! # What it costs
//!
//! No allocation for a request that nobody watches and that continues no trace. Headers are read where they stand. The span
//! is entered once for a request that is answered at once, and once more for each time that its handler or its body has to
//! wait. The figures, with those of peers, stand in the header of `benches/benches/http.rs`.
//!
// Where the documentation is made without a feature, its links lead to the list of features.
#![cfg_attr(not(feature = "http-server"), doc = "[`ServerLayer`]: crate#features")]
#![cfg_attr(not(feature = "http-server"), doc = "[`ServerLayer::fields`]: crate#features")]
#![cfg_attr(not(feature = "http-server"), doc = "[`HeaderRule`]: crate#features")]
#![cfg_attr(not(feature = "http-client"), doc = "[`Attempts`]: crate#features")]
#![cfg_attr(not(feature = "http-client"), doc = "[`ClientLayer`]: crate#features")]
#![cfg_attr(not(feature = "http-client"), doc = "[`UrlTemplate`]: crate#features")]
#![cfg_attr(not(feature = "reqwest"), doc = "[`ClientMiddleware`]: crate#features")]
#![cfg_attr(not(feature = "axum"), doc = "[`axum`]: crate#features")]

mod attribute;
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
#[cfg(feature = "http-server")]
mod server;
mod span_string;

pub use body::ContextBody;
#[cfg(feature = "http-client")]
pub use client::*;
pub use query::QueryPolicy;
#[cfg(feature = "http-server")]
pub use request_head::RequestHead;
#[cfg(feature = "http-server")]
pub use server::{HeaderRule, ServerFuture, ServerLayer, ServerService, is_well_formed};
