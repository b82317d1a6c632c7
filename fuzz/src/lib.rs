//! The bodies of the fuzz targets. `fuzzed.rs` in `tests/tests/propagation` and `tests/tests/json`, and
//! `tests/tests/setup/properties.rs` run them with generated input, on stable.

pub mod bodies;
#[path = "../../tests/tests/propagation/grammar.rs"]
pub(crate) mod grammar;
pub mod json;
pub mod settings;
#[path = "../../tests/tests/json/strict.rs"]
pub(crate) mod strict;
