//! Carrying the current context across tasks, threads, closures and channels.
//!
//! The context belongs to a thread. A future that moves to another thread, a closure that a pool runs, or a value that is sent
//! through a channel does not have it, unless it is carried there. Everything here captures the context **where it is called**
//! (the OpenTelemetry context with fields, baggage and remote parent, and the current `tracing` span; see [`Snapshot`]), and makes
//! it current wherever the code runs: at every poll, and while unfinished work is dropped.
//!
//! ```standalone_crate
//! use ctx_layer::{field::well_known::TENANT_ID, fields_once_per_line, prelude::*};
//! use ctx_layer::task::in_current_context;
//! use tracing::{info, info_span};
//! use tracing_subscriber::{fmt, prelude::*};
//!
//! # let (printed, writer) = std::io::pipe().unwrap();
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let text = fmt::layer().without_time().with_target(false).with_ansi(false);
//! # let text = text.with_writer(std::sync::Mutex::new(writer));
//! tracing_subscriber::registry()
//!     .with(fields_once_per_line(text))
//!     .with_context_fields(Schema::well_known())
//!     .init();
//!
//! let (stored, bare, mailed) = TENANT_ID.in_scope("acme", || {
//!     let _request = info_span!("request", path = "/orders").entered();
//!     let stored = tokio::spawn(async { info!("stored") }.in_current_context());
//!     let bare = tokio::spawn(async { info!("unknown tenant") });
//!     (stored, bare, std::thread::spawn(in_current_context(|| info!("mailed"))))
//! });
//! # mailed.join().unwrap();
//! # let _ = (stored.await, bare.await);
//! # });
//! # let mut printed: Vec<_> = std::io::BufRead::lines(std::io::BufReader::new(printed)).take(3).collect::<Result<_, _>>().unwrap();
//! # printed.sort();
//! # assert_eq!(printed, [
//! #     " INFO request{path=\"/orders\"}: mailed tenant_id=\"acme\"",
//! #     " INFO request{path=\"/orders\"}: stored tenant_id=\"acme\"",
//! #     " INFO unknown tenant",
//! # ]);
//! ```
//!
//! It prints, in some order:
//!
//! ```text
//!  INFO request{path="/orders"}: mailed tenant_id="acme"
//!  INFO request{path="/orders"}: stored tenant_id="acme"
//!  INFO unknown tenant
//! ```
//!
//! # Where context flows
//!
//! | boundary | what to write |
//! |---|---|
//! | **carried automatically** | |
//! | a call, `.await` in the same task | |
//! | `join!`, `select!`, `timeout`, `FuturesUnordered` of futures created where they are polled | |
//! | `block_on`, `block_in_place`, `LocalSet::run_until`, for the future passed to them | |
//! | `rayon`'s calling thread (`install` and `join` run parts elsewhere) | |
//! | a span that was created inside and is entered elsewhere: `.instrument(span)`, under a [`ContextLayer`](crate::ContextLayer) | |
//! | **carried by one call** | |
//! | `tokio::spawn`, `spawn_local`, `spawn_blocking` | [`spawn`][spawn], [`spawn_local`][spawn_local], [`spawn_blocking`][spawn_blocking] of this module |
//! | any other runtime, `Handle::spawn`, `LocalSet::spawn_local` | [`future.in_current_context()`](InContextExt::in_current_context) |
//! | `JoinSet` | [`spawn_with_context`][JoinSetExt] |
//! | futures created in one request and polled in another place: `join!`, `FuturesUnordered`, an actor's mailbox | [`future.in_current_context()`](InContextExt::in_current_context) |
//! | streams and sinks that are polled elsewhere | [`stream.in_current_context()`](InContextExt::in_current_context) |
//! | `std::thread::spawn`, `scope.spawn`, `rayon::spawn`, `rayon::join`, thread pools | [`in_current_context`]`(closure)` |
//! | `std::thread::Builder` | [`spawn_with_context`](ThreadBuilderExt) |
//! | `rayon`'s `par_iter().map`, `for_each`, `scope`; callbacks | [`in_current_context!`](in_current_context!)`(move \|x\| ..)` |
//! | callbacks that return a future: `on_upgrade`, handlers of jobs | [`in_current_context_async`], [`in_current_context_async_fn`], [`in_current_context!`](in_current_context!) |
//! | channels: `mpsc`, `broadcast`, `oneshot` | [`Carried::new(value)`](Carried) |
//! | channels in which values wait for long, as in `watch` | [`Carried::without_span(value)`](Carried::without_span) |
//! | a batch: the receiver is in its own trace, and links to the senders' | [`carried.link_to(&span)`][link_to] |
//! | a task that outlives its request, whose span should not last as long | [`future.in_context(it)`](InContextExt::in_context) of [`capture_context()`](Snapshot::capture_context) |
//! | a background job that must not have the context | [`future.isolated()`](InContextExt::isolated), [`isolated`]`(closure)` |
//! | other boundaries | [`Snapshot::capture()`], and [`in_scope`](Snapshot::in_scope) or [`enter`](Snapshot::enter) on the other side |
//! | **not carried** | |
//! | tasks that a library spawns by itself (for a connection pool or an HTTP client) | their events have no request's fields |
//! | another process | use the wire: [`propagation`](crate::propagation) |
//! | the destructors of thread-locals | the context is gone; reading returns `None` |
//! | the thread's own subscriber (`set_default`) | [`with_current_subscriber`](Snapshot::with_current_subscriber) |
//! | **runs with another scope's context** | |
//! | bare jobs of `rayon` that a thread runs while `join`, `scope` or `yield_now` waits inside a scope | [`in_current_context`]`(closure)`, [`isolated`]`(closure)` |
//! | bare local tasks, while `LocalSet::run_until` waits inside a scope | [`future.in_current_context()`](InContextExt::in_current_context), [`future.isolated()`](InContextExt::isolated) |
//! | bare tasks of a current-thread runtime, while `block_on` waits inside a scope | the same; or `block_on` inside [`isolated`]`(closure)`, and the future carried into it |
//! | bare futures of other requests in a `FuturesUnordered`, `join_all` or `select!` | [`future.in_current_context()`](InContextExt::in_current_context) where it is created |
//!
//! # Bare work has the fields of the scope that drives it
//!
//! A task without a span, `with_fields` or `in_current_context` has no tenant, and never another task's: a thread that takes tasks off a
//! queue has no context. The exception is work that a thread runs while it waits *inside* a scope, in the last part of the table.
//! It has the fields of that scope, whichever request spawned it. With `in_current_context()`, `isolated()` or
//! [`replace_fields`](crate::FutureFieldsExt::replace_fields) at the place where it is spawned, work has its own fields wherever it runs.
//!
//! ```
//! use ctx_layer::{FutureFieldsExt, InContextExt, field::well_known::TENANT_ID};
//! use tokio::task::{LocalSet, yield_now};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let local = LocalSet::new();
//! let bare = local.spawn_local(async { TENANT_ID.get() });
//! let isolated = local.spawn_local(async { TENANT_ID.get() }.isolated());
//! local.run_until(yield_now()).with_field(&TENANT_ID, "acme").await;
//! assert_eq!(local.run_until(bare).await.unwrap().as_deref(), Some("acme"));
//! assert_eq!(local.run_until(isolated).await.unwrap(), None);
//! # });
//! ```
//!
//! # A bare `tokio::spawn` is a warning
//!
//! Put this in the `clippy.toml` of your workspace, and `cargo clippy` reports where context is lost:
//!
//! ```toml
#![doc = include_str!("../../clippy.toml.example")]
//! ```
//!
//! If a bare task is intended, as for a background job, write `#[expect(clippy::disallowed_methods)]` above it, or use `isolated`.
//!
//! # Features
//!
//! `spawn`, `spawn_blocking`, `spawn_local` and `JoinSetExt` need the feature `tokio`, and `link_to` needs
//! `tracing-opentelemetry`, which is on by default.
//!
//! [`in_current_context`]: fn@in_current_context
//!
// If a feature is disabled, links to its items lead to the section above.
#![cfg_attr(feature = "tokio", doc = "[spawn]: spawn")]
#![cfg_attr(feature = "tokio", doc = "[spawn_local]: spawn_local")]
#![cfg_attr(feature = "tokio", doc = "[spawn_blocking]: spawn_blocking")]
#![cfg_attr(feature = "tokio", doc = "[JoinSetExt]: JoinSetExt")]
#![cfg_attr(not(feature = "tokio"), doc = "[spawn]: #features")]
#![cfg_attr(not(feature = "tokio"), doc = "[spawn_local]: #features")]
#![cfg_attr(not(feature = "tokio"), doc = "[spawn_blocking]: #features")]
#![cfg_attr(not(feature = "tokio"), doc = "[JoinSetExt]: #features")]
#![cfg_attr(feature = "tracing-opentelemetry", doc = "[link_to]: Carried::link_to")]
#![cfg_attr(not(feature = "tracing-opentelemetry"), doc = "[link_to]: #features")]

mod carried;
mod closure;
mod current;
mod hidden_spans;
mod in_context;
#[cfg(feature = "tokio")]
mod join_set_ext;
mod snapshot;
mod snapshot_guard;
mod span_access;
mod thread_builder_ext;
#[cfg(feature = "tokio")]
mod tokio;

#[cfg(feature = "tokio")]
pub use self::tokio::{spawn, spawn_blocking, spawn_local};
#[doc(inline)]
pub use crate::__in_current_context as in_current_context;
pub use carried::Carried;
pub use closure::{in_current_context, in_current_context_async, in_current_context_async_fn, isolated};
pub use current::{current_context, current_span, current_span_id, current_trace_id};
pub use in_context::{InContext, InContextExt};
#[cfg(feature = "tokio")]
pub use join_set_ext::JoinSetExt;
pub use snapshot::Snapshot;
pub use snapshot_guard::SnapshotGuard;
pub use thread_builder_ext::ThreadBuilderExt;
