//! The tests that `cargo mutants` runs for each mutant of `ctx-layer`: see `tests/mutants.md`.
//!
//! They are those of `ctx-tests`. That package has binaries, which all its integration tests wait for; this one has none, so
//! that a mutant is built in a few seconds.
