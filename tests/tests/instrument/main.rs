//! `#[with_observability]` does what `#[tracing::instrument]` does, as long as its own arguments are not used.
//!
//! One file per argument. The cases and most of the code come from the tests of tracing-attributes 0.1.31
//! (<https://github.com/tokio-rs/tracing>, MIT licence, Copyright (c) 2019 Tokio Contributors).
#![allow(unsafe_code, unused_imports, unreachable_pub, reason = "kept close to their source")]

mod async_fn;
mod destructuring;
mod err;
mod fields;
mod follows_from;
mod instrument;
mod levels;
mod names;
mod parents;
mod polling;
mod ret;
mod side_by_side;
mod targets;
