//! The test kit: what it captures, of which test, and that each assertion fails when it should.

mod assertions;
mod attribute;
mod data;
mod isolation;
mod panics;
mod pictures;
mod snapshots;
mod traces;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Returns the message with which an assertion fails. Panics if it does not fail.
#[track_caller]
fn failure(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion does not fail");
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(other) => (*other.downcast::<&str>().expect("it is text")).to_owned(),
    }
}

/// Returns the lines of a failure that are marked.
fn marked(failure: &str) -> Vec<&str> {
    failure
        .lines()
        .filter(|line| line.contains("<--"))
        .map(|line| line.trim_start_matches(['>', '-', ' ', '│', '├', '└', '─', '·']))
        .collect()
}
