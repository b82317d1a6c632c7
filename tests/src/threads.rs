//! Runs code on other threads, deterministically.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    thread,
};

use tracing::{Dispatch, dispatcher};

/// Runs `f` on a new thread under `dispatch`, and waits for it.
pub fn on_a_new_thread<R: Send>(dispatch: &Dispatch, f: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| {
        scope
            .spawn(|| dispatcher::with_default(dispatch, f))
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Polls a future until it is ready, each time on a new thread under `dispatch`.
pub fn each_poll_on_a_new_thread<F: Future + Send>(dispatch: &Dispatch, future: F) -> F::Output
where
    F::Output: Send,
{
    let mut future = pin!(future);
    loop {
        let poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(output) = on_a_new_thread(dispatch, poll) {
            return output;
        }
    }
}

/// A future that is pending once.
#[derive(Debug, Default)]
pub struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Ready(())
        } else {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
}

/// Runs a future on this thread, on a runtime of its own.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().expect("it can be made").block_on(future)
}

/// Creates a runtime with two threads, each under `dispatch` as under a global default.
pub fn runtime(dispatch: &Dispatch) -> tokio::runtime::Runtime {
    let dispatch = dispatch.clone();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(move || std::mem::forget(dispatcher::set_default(&dispatch)))
        .enable_time()
        .build()
        .expect("threads can be made")
}
