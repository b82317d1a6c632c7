//! Running the body of an asynchronous test.

use std::{future::Future, sync::Arc};

use tokio::runtime::Builder;
use tracing_core::dispatcher;

use super::{capture::Capture, isolation::own_thread};

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
        let (dispatch, store) = (capture.dispatch().clone(), Arc::clone(capture.store()));
        // The threads of `spawn_blocking`, too.
        self.builder.enable_all().on_thread_start(move || {
            own_thread(&store);
            // For as long as the thread lives, which ends with the runtime.
            std::mem::forget(dispatcher::set_default(&dispatch));
        });
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
