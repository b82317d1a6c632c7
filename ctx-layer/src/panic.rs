//! Catching panics of observed calls and requests.

use std::{
    any::Any,
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// The payload of a panic.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Calls `f`, and returns the payload if it panics.
///
/// The caller has to resume unwinding with it. State that the panic left inconsistent is then never observed, so unwind
/// safety may be asserted.
///
/// Takes a `dyn FnMut`, so that without optimisation the landing pad is compiled once and not for every function.
#[inline]
pub(crate) fn caught(f: &mut dyn FnMut()) -> Result<(), Payload> {
    catch_unwind(AssertUnwindSafe(f))
}

/// Calls `f` and returns its result, or the payload if it panics.
#[inline]
pub(crate) fn caught_with<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(f))
}

/// A panic as the error that is logged.
#[derive(Debug)]
pub(crate) struct Panicked(String);

impl Panicked {
    pub(crate) fn with(payload: &Payload) -> Self {
        let message = payload.downcast_ref::<&'static str>().copied();
        let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Panicked(format!("panic: {}", message.unwrap_or("with a value that is not a string")))
    }

    /// Creates the error of a panic whose message is not known.
    pub(crate) fn without_message() -> Self {
        Panicked("panic".to_owned())
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Panicked {}
