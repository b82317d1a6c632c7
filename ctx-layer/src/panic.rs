//! Panics on their way through a call or a request that is observed.

use std::{
    any::Any,
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Calls `f`; gives back what it panics with. Whoever gets it has to go on unwinding with it, so that nobody sees
/// what a panic left half done: that is why unwind safety may be asserted.
///
/// `dyn`, so that without optimisation the landing pad is compiled once and not for every function.
#[inline]
pub(crate) fn caught(f: &mut dyn FnMut()) -> Result<(), Payload> {
    catch_unwind(AssertUnwindSafe(f))
}

/// The same for what gives something back.
#[inline]
pub(crate) fn caught_with<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(f))
}

/// A panic, as the error that is logged.
#[derive(Debug)]
pub(crate) struct Panicked(String);

impl Panicked {
    pub(crate) fn with(payload: &Payload) -> Self {
        let message = payload.downcast_ref::<&'static str>().copied();
        let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Panicked(format!("panic: {}", message.unwrap_or("with a value that is no text")))
    }

    /// Where what it says cannot be known.
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
