//! The bodies of the fuzz targets. `fuzzed.rs` in `tests/tests/propagation` and `tests/tests/json`, `tests/tests/text/forged.rs`
//! and `tests/tests/setup/properties.rs`, run them with generated input, on stable;
//! `ctx-check/tests/check/planted.rs` cuts and changes files for the readers of `check`.

pub mod bodies;
pub mod check;
pub(crate) mod events;
#[path = "../../tests/tests/propagation/grammar.rs"]
pub(crate) mod grammar;
pub mod json;
#[path = "../../tests/tests/text/reader.rs"]
pub(crate) mod reader;
#[path = "../../tests/tests/json/strict.rs"]
pub(crate) mod strict;
pub mod text;
