//! Wraps each subscriber that a `Dispatch` is created of: a module that `tests/foreign.sh` adds to its copy of `tracing-core`.

extern crate std;

use std::{
    boxed::Box,
    sync::{Arc, OnceLock},
};

use crate::Subscriber;

type Any = dyn Subscriber + Send + Sync;

/// The function that wraps a subscriber.
pub static WRAP: OnceLock<fn(Box<Any>) -> Arc<Any>> = OnceLock::new();

/// Returns the wrapped subscriber.
///
/// # Panics
///
/// Panics if nothing is installed that wraps it: a test that runs without the library proves nothing.
pub(crate) fn wrapped(subscriber: impl Subscriber + Send + Sync + 'static) -> Arc<Any> {
    let wrap = WRAP.get().expect("the test is linked with `ctx-foreign`, which installs `WRAP`");
    wrap(Box::new(subscriber))
}
