//! Support for `?` in a body that is not a function's, and so cannot return. The standard library's traits are not stable.

use std::{convert::Infallible, ops::ControlFlow, task::Poll};

/// A value that can be followed by `?`.
pub trait Exit {
    type Value;
    type Exit;
    fn branch(self) -> ControlFlow<Self::Exit, Self::Value>;
}

/// A value that a body can return when `?` exits it.
pub trait FromExit<E> {
    fn from_exit(exit: E) -> Self;
}

impl<T, E> Exit for Result<T, E> {
    type Value = T;
    type Exit = Result<Infallible, E>;
    #[inline]
    fn branch(self) -> ControlFlow<Self::Exit, T> {
        match self {
            Ok(value) => ControlFlow::Continue(value),
            Err(error) => ControlFlow::Break(Err(error)),
        }
    }
}

impl<T, E, F: From<E>> FromExit<Result<Infallible, E>> for Result<T, F> {
    #[inline]
    #[track_caller]
    fn from_exit(exit: Result<Infallible, E>) -> Self {
        match exit {
            Err(error) => Err(F::from(error)),
        }
    }
}

impl<T> Exit for Option<T> {
    type Value = T;
    type Exit = Option<Infallible>;
    #[inline]
    fn branch(self) -> ControlFlow<Self::Exit, T> {
        match self {
            Some(value) => ControlFlow::Continue(value),
            None => ControlFlow::Break(None),
        }
    }
}

impl<T> FromExit<Option<Infallible>> for Option<T> {
    #[inline]
    fn from_exit(_: Option<Infallible>) -> Self {
        None
    }
}

impl<B, C> Exit for ControlFlow<B, C> {
    type Value = C;
    type Exit = ControlFlow<B, Infallible>;
    #[inline]
    fn branch(self) -> ControlFlow<Self::Exit, C> {
        match self {
            ControlFlow::Continue(value) => ControlFlow::Continue(value),
            ControlFlow::Break(value) => ControlFlow::Break(ControlFlow::Break(value)),
        }
    }
}

impl<B, C> FromExit<ControlFlow<B, Infallible>> for ControlFlow<B, C> {
    #[inline]
    fn from_exit(exit: ControlFlow<B, Infallible>) -> Self {
        match exit {
            ControlFlow::Break(value) => ControlFlow::Break(value),
        }
    }
}

impl<T, E> Exit for Poll<Result<T, E>> {
    type Value = Poll<T>;
    type Exit = Result<Infallible, E>;
    #[inline]
    fn branch(self) -> ControlFlow<Self::Exit, Poll<T>> {
        match self {
            Poll::Ready(Ok(value)) => ControlFlow::Continue(Poll::Ready(value)),
            Poll::Ready(Err(error)) => ControlFlow::Break(Err(error)),
            Poll::Pending => ControlFlow::Continue(Poll::Pending),
        }
    }
}

impl<T, E, F: From<E>> FromExit<Result<Infallible, E>> for Poll<Result<T, F>> {
    #[inline]
    #[track_caller]
    fn from_exit(exit: Result<Infallible, E>) -> Self {
        Poll::Ready(FromExit::from_exit(exit))
    }
}

impl<T, E> Exit for Poll<Option<Result<T, E>>> {
    type Value = Poll<Option<T>>;
    type Exit = Result<Infallible, E>;
    #[inline]
    fn branch(self) -> ControlFlow<Self::Exit, Poll<Option<T>>> {
        match self {
            Poll::Ready(Some(Ok(value))) => ControlFlow::Continue(Poll::Ready(Some(value))),
            Poll::Ready(Some(Err(error))) => ControlFlow::Break(Err(error)),
            Poll::Ready(None) => ControlFlow::Continue(Poll::Ready(None)),
            Poll::Pending => ControlFlow::Continue(Poll::Pending),
        }
    }
}

impl<T, E, F: From<E>> FromExit<Result<Infallible, E>> for Poll<Option<Result<T, F>>> {
    #[inline]
    #[track_caller]
    fn from_exit(exit: Result<Infallible, E>) -> Self {
        Poll::Ready(Some(FromExit::from_exit(exit)))
    }
}
