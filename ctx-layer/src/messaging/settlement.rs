//! The result of handling a message.

use std::fmt;

use super::failure::Failure;

/// How a message is settled after it was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settlement {
    /// It is done. The broker forgets it.
    Ack,
    /// It failed. The broker's policy decides whether it is delivered again.
    Nack,
    /// It goes back to the queue, to be delivered again at once.
    Requeue,
    /// It is not delivered again, and goes to the dead-letter queue if there is one.
    DeadLetter,
}

impl Settlement {
    /// Returns the value of `messaging.operation.name`: `ack`, `nack`, `requeue` or `dead_letter`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Settlement::Ack => "ack",
            Settlement::Nack => "nack",
            Settlement::Requeue => "requeue",
            Settlement::DeadLetter => "dead_letter",
        }
    }
}

/// The result of a handler.
///
/// | result | settlement | the span is an error |
/// |---|---|---|
/// | `()`, `Ok(())` | [`Settlement::Ack`] | no |
/// | a [`Settlement`], `Ok` of one | that one | no |
/// | `Err(error)` | decided by the caller, by default [`Settlement::Nack`] | yes |
///
/// It is implemented for these types, and cannot be implemented for others.
pub trait Outcome: sealed::Sealed {
    /// Returns the settlement. `None` for an error.
    fn settlement(&self) -> Option<Settlement>;
}

impl Outcome for () {
    fn settlement(&self) -> Option<Settlement> {
        Some(Settlement::Ack)
    }
}

impl Outcome for Settlement {
    fn settlement(&self) -> Option<Settlement> {
        Some(*self)
    }
}

impl<T: Outcome, E: fmt::Display> Outcome for Result<T, E> {
    fn settlement(&self) -> Option<Settlement> {
        self.as_ref().ok().and_then(T::settlement)
    }
}

/// Returns the failure to record on the span.
pub(super) fn failure_of(outcome: &impl Outcome) -> Option<Failure> {
    sealed::Sealed::failure(outcome)
}

mod sealed {
    use super::{Failure, Settlement, fmt};

    pub trait Sealed {
        /// Returns the failure to record on the span.
        fn failure(&self) -> Option<Failure>;
    }

    impl Sealed for () {
        fn failure(&self) -> Option<Failure> {
            None
        }
    }

    impl Sealed for Settlement {
        fn failure(&self) -> Option<Failure> {
            None
        }
    }

    impl<T: Sealed, E: fmt::Display> Sealed for Result<T, E> {
        fn failure(&self) -> Option<Failure> {
            match self {
                Ok(result) => result.failure(),
                Err(error) => Some(Failure::of(error)),
            }
        }
    }
}
