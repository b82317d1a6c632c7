//! What the fuzz targets do. `tests/tests/propagation/fuzzed.rs` does the same with made-up input, on stable;
//! `tests/tests/json/fuzzed.rs` that of `json_line`.

pub mod bodies;
#[path = "../../tests/tests/propagation/grammar.rs"]
pub(crate) mod grammar;
pub mod json;
#[path = "../../tests/tests/json/strict.rs"]
pub(crate) mod strict;
