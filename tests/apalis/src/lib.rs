//! Tests of `ctx-layer` against apalis, in `tests`, and an example.
