//! The bodies of the fuzz targets. `tests/tests/propagation/fuzzed.rs` runs them with generated input, on stable.

pub mod bodies;
#[path = "../../tests/tests/propagation/grammar.rs"]
pub(crate) mod grammar;
