//! Futures that take a known number of polls, and an executor for them.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

/// A future that is ready after a number of polls.
pub(crate) struct PollN<T, E> {
    and_return: Option<Result<T, E>>,
    finish_at: usize,
    polls: usize,
}

impl PollN<(), ()> {
    pub(crate) fn new_ok(finish_at: usize) -> Self {
        PollN { and_return: Some(Ok(())), finish_at, polls: 0 }
    }
}

impl<T: Unpin, E: Unpin> Future for PollN<T, E> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.polls += 1;
        if this.polls == this.finish_at {
            Poll::Ready(this.and_return.take().expect("it is polled once more after its end"))
        } else {
            task.waker().wake_by_ref();
            Poll::Pending
        }
    }
}

/// Polls a future until it is ready.
pub(crate) fn block_on_future<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut task = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut task) {
            return value;
        }
    }
}
