//! A stack whose exported spans and lines are read.

use ctx_layer::{Schema, SubscriberFieldsExt, context_fields};
use ctx_tests::{Captured, Exported, runtime};
use tracing::Dispatch;
use tracing_subscriber::prelude::*;

context_fields! {
    /// A propagated field.
    pub(crate) static ACCOUNT: String = "account" => propagated;
    /// A propagated number.
    pub(crate) static ATTEMPT: u64 = "attempt" => propagated;
}

pub(crate) struct Stack {
    pub(crate) exported: Exported,
    pub(crate) lines: Captured,
    pub(crate) dispatch: Dispatch,
}

impl Stack {
    pub(crate) fn new() -> Self {
        let (exported, lines) = (Exported::new(), Captured::default());
        let schema = Schema::builder().well_known().field(&ACCOUNT).field(&ATTEMPT).build().unwrap();
        let dispatch = Dispatch::new(
            tracing_subscriber::registry()
                .with(tracing_subscriber::fmt::layer().json().with_writer(lines.clone()))
                .with(tracing_opentelemetry::layer().with_tracer(exported.tracer()))
                .with_context_fields(schema),
        );
        Stack { exported, lines, dispatch }
    }

    pub(crate) fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        tracing::dispatcher::with_default(&self.dispatch, f)
    }

    /// Runs a future on a runtime of several threads, all of which have this stack.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let runtime = runtime(&self.dispatch);
        self.in_scope(|| runtime.block_on(future))
    }

    /// Returns a field of the one line with this message.
    pub(crate) fn on_line(&self, message: &str, field: &str) -> Option<String> {
        let lines = self.lines.json();
        let mut found = lines.iter().filter(|line| line["fields"]["message"] == message);
        let line = found.next().unwrap_or_else(|| panic!("no line {message:?} in {}", self.lines.text()));
        assert!(found.next().is_none(), "more than one line {message:?}");
        line["fields"].get(field).map(|value| value.as_str().map_or(value.to_string(), str::to_owned))
    }
}
