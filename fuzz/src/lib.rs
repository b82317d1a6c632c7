//! What the fuzz targets do. `tests/tests/propagation/fuzzed.rs` does the same with made-up input, on stable.

pub mod bodies;
#[path = "../../tests/tests/propagation/grammar.rs"]
pub(crate) mod grammar;
