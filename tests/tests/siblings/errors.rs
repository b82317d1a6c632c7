//! An error is logged once where that is certain, and rather twice than never.

use std::{error::Error, fmt, io};

use ctx_layer::{Schema, SubscriberFieldsExt, with_observability};
use ctx_tests::Captured;
use futures_util::future::join;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::{fmt as output, prelude::*};

fn lines(f: impl FnOnce()) -> Vec<String> {
    let lines = Captured::default();
    let layer = output::layer().without_time().with_ansi(false).with_writer(lines.clone());
    dispatcher::with_default(
        &Dispatch::new(tracing_subscriber::registry().with(layer).with_context_fields(Schema::well_known())),
        f,
    );
    lines.lines().into_iter().filter(|line| line.contains("ERROR")).collect()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[with_observability(log_args = false)]
fn lookup(fails: bool) -> Result<(), io::Error> {
    if fails { Err(io::Error::other("not found")) } else { Ok(()) }
}

#[with_observability(log_args = false)]
fn tried_twice() -> Result<(), io::Error> {
    let _ = lookup(true);
    lookup(true)
}

#[test]
fn each_try_that_fails_is_logged() {
    assert_eq!(lines(|| drop(tried_twice())).len(), 2);
}

#[with_observability(log_args = false)]
async fn fails(yields: bool) -> Result<(), io::Error> {
    if yields {
        tokio::task::yield_now().await;
    }
    Err(io::Error::other("not found"))
}

#[with_observability(log_args = false)]
async fn both() -> Result<(), io::Error> {
    let (first, second) = join(fails(true), fails(false)).await;
    first.and(second)
}

#[test]
fn each_of_two_calls_that_fail_together_is_logged() {
    assert_eq!(lines(|| drop(block_on(both()))).len(), 2);
}

#[with_observability(log_args = false)]
async fn spawned() -> Result<(), Box<dyn Error + Send + Sync>> {
    Ok(tokio::spawn(fails(false)).await??)
}

#[test]
fn an_error_of_a_spawned_task_is_logged() {
    assert!(!lines(|| drop(block_on(spawned()))).is_empty());
}

#[derive(Debug)]
struct Wrapped(io::Error);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the order was not placed")
    }
}

impl Error for Wrapped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[derive(Debug)]
struct Quotes(String);

impl fmt::Display for Quotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the order was not placed: {}", self.0)
    }
}

impl Error for Quotes {}

#[with_observability(log_args = false)]
fn wraps() -> Result<(), Wrapped> {
    lookup(true).map_err(Wrapped)
}

#[with_observability(log_args = false)]
fn quotes() -> Result<(), Quotes> {
    lookup(true).map_err(|error| Quotes(error.to_string()))
}

#[test]
fn an_error_with_the_other_as_its_source_is_the_same() {
    assert_eq!(lines(|| drop(wraps())).len(), 1);
}

#[test]
fn an_error_that_only_quotes_the_other_is_logged_too() {
    assert_eq!(lines(|| drop(quotes())).len(), 2);
}

#[with_observability(log_args = false)]
fn handled() -> Result<(), io::Error> {
    let _ = lookup(true);
    lookup(false)?;
    Err(io::Error::other("another"))
}

#[test]
fn an_error_after_a_handled_one_is_logged() {
    let lines = lines(|| drop(handled()));
    assert!(lines.len() == 2 && lines[1].contains("another"), "{lines:?}");
}

#[test]
fn the_same_call_made_again_logs_its_error_again() {
    assert_eq!(lines(|| (0..3).for_each(|_| drop(wraps()))).len(), 3);
}
