//! The tests that depend on the edition of the crate that uses a macro: what a future may borrow, for instance.
#![deny(warnings)]

#[cfg(test)]
#[path = "../../tests/propagate/signatures.rs"]
mod signatures;
