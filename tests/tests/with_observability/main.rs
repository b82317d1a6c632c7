//! `#[with_observability]`: its own arguments, and its guarantees for every function.
//!
//! `tests/instrument` tests what it has in common with `#[tracing::instrument]`.
#![deny(warnings)]
#![allow(unsafe_code, reason = "`unsafe fn` and `extern` functions can be annotated")]
#![allow(clippy::manual_async_fn, reason = "they can be, too")]

mod setup;

mod attributes;
mod bodies;
mod cancellation;
mod context;
mod crate_path;
mod disabled;
mod errors;
mod forgery;
mod futures;
mod hygiene;
mod impl_blocks;
mod kinds;
mod lints;
mod log_args;
mod log_level;
mod log_result;
mod names;
mod other_subscribers;
mod panics;
mod parameters;
mod passing_errors;
mod redaction;
mod restriction;
mod secrets;
mod send_and_sync;
mod sizes;
mod static_attributes;
mod status;
mod streams;
mod switched_off;
mod timing;
mod track_caller;
