//! What the user reads when something is wrong, to the letter.
//!
//! After a change that is meant: `TRYBUILD=overwrite cargo test -p ctx-tests --test compile_errors`, and read the diff.
//! Compilers word their part differently from version to version: the errors on file are those of one.

#[rustversion::attr(not(stable(1.95)), ignore = "the errors on file are those of Rust 1.95")]
#[test]
fn every_mistake_is_a_clear_error_at_the_token_that_is_wrong() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/context_fields/*.rs");
}
