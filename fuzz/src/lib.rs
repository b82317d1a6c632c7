//! The bodies of the fuzz targets. `tests/tests/propagation/fuzzed.rs` and `tests/tests/json/fuzzed.rs` run them with generated input,
//! on stable.

pub mod bodies;
#[path = "../../tests/tests/propagation/grammar.rs"]
pub(crate) mod grammar;
pub mod json;
#[path = "../../tests/tests/json/strict.rs"]
pub(crate) mod strict;
