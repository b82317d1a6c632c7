//! Running the body of an asynchronous test.

use std::future::Future;

use tokio::runtime::Builder;

use super::capture::Capture;

/// The runtime of a test that `#[ctx_layer::test]` runs.
#[derive(Debug)]
#[doc(hidden)]
pub struct TestRuntime {
    builder: Builder,
}

impl TestRuntime {
    #[allow(clippy::new_without_default, reason = "only expansions call it")]
    pub fn new() -> Self {
        TestRuntime { builder: Builder::new_current_thread() }
    }

    pub fn worker_threads(self, count: usize) -> Self {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(count);
        TestRuntime { builder }
    }

    /// Changes the runtime's builder.
    pub fn with(mut self, change: impl FnOnce(&mut Builder)) -> Self {
        change(&mut self.builder);
        self
    }

    /// Runs the future under the capture, on a runtime whose threads all belong to it.
    pub fn run<T>(mut self, capture: &Capture, future: impl Future<Output = T>) -> T {
        let telemetry = capture.telemetry();
        // The threads of `spawn_blocking`, too.
        self.builder.enable_all().on_thread_start(move || telemetry.adopt_thread());
        match self.builder.build() {
            Ok(runtime) => runtime.block_on(future),
            Err(error) => {
                panic!(
                    "the runtime of a test cannot be created: {error}: is the limit of threads or open files reached?"
                )
            }
        }
    }
}
