//! The thread on which exports run.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
};

use tokio::{runtime, sync::Notify};
use tracing::{Dispatch, dispatcher, subscriber::NoSubscriber};

/// A runtime on a thread of its own, which drives the connections of exporters.
///
/// Exports do not depend on the program's runtime: there may be none, it may have one thread that waits for the end of the
/// exports, or it may have ended before them.
#[derive(Debug)]
pub(crate) struct ExportRuntime {
    handle: runtime::Handle,
    stop: Arc<Notify>,
    /// One for all exports: `tracing` asks all subscribers about all call sites when one is created.
    no_subscriber: Dispatch,
}

impl ExportRuntime {
    pub(crate) fn start() -> io::Result<Arc<Self>> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        thread::Builder::new().name("ctx-layer-export".to_owned()).spawn(move || {
            // What connections log would be exported, which they would log. Not by a subscriber of this thread: as long as there
            // is one, all threads look for theirs.
            let _suppressed = opentelemetry::Context::enter_telemetry_suppressed_scope();
            runtime.block_on(stopped.notified());
            // Connections that hang must not keep the thread.
            runtime.shutdown_background();
        })?;
        Ok(Arc::new(ExportRuntime { handle, stop, no_subscriber: Dispatch::new(NoSubscriber::new()) }))
    }

    /// Calls `f` as if on the runtime, so that what it creates uses its timers and tasks.
    pub(crate) fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        let _entered = self.handle.enter();
        f()
    }

    /// Returns a future that is polled as if on the runtime, and without a subscriber.
    pub(crate) fn on<F: Future>(self: &Arc<Self>, future: F) -> OnRuntime<F> {
        OnRuntime { runtime: Arc::clone(self), future }
    }

    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        // Not awaited: it ends with the runtime.
        drop(self.handle.spawn(future));
    }
}

impl Drop for ExportRuntime {
    fn drop(&mut self) {
        self.stop.notify_one();
    }
}

pin_project_lite::pin_project! {
    /// A future that is polled as if on the export runtime, by whatever thread.
    pub(crate) struct OnRuntime<F> {
        runtime: Arc<ExportRuntime>,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for OnRuntime<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.runtime.handle.enter();
        // What clients log would be exported, which they would log; their errors are counted and reported.
        dispatcher::with_default(&this.runtime.no_subscriber, || this.future.poll(cx))
    }
}
