//! The stacks on which context is carried: all must behave alike.

use ctx_layer::{Schema, SubscriberFieldsExt};
use ctx_tests::{Exported, Recorder, schema};
use tracing::Dispatch;
use tracing_subscriber::prelude::*;

/// A stack with a recorder, on which fields are carried.
pub(crate) struct Stack {
    pub(crate) name: &'static str,
    pub(crate) dispatch: Dispatch,
    pub(crate) recorder: Recorder,
}

impl Stack {
    /// Creates a stack without an OpenTelemetry layer.
    pub(crate) fn plain() -> Self {
        Self::with_schema(schema())
    }

    pub(crate) fn with_schema(schema: Schema) -> Self {
        let recorder = Recorder::default();
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(recorder.clone()).with_context_fields(schema));
        Stack { name: "plain", dispatch, recorder }
    }

    fn with_opentelemetry(name: &'static str, activation: bool) -> Self {
        let recorder = Recorder::default();
        let layer =
            tracing_opentelemetry::layer().with_tracer(Exported::new().tracer()).with_context_activation(activation);
        let subscriber =
            tracing_subscriber::registry().with(layer).with(recorder.clone()).with_context_fields(schema());
        Stack { name, dispatch: Dispatch::new(subscriber), recorder }
    }

    pub(crate) fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        tracing::dispatcher::with_default(&self.dispatch, f)
    }
}

/// Returns stacks without an OpenTelemetry layer, with one, and with one that does not activate its contexts.
pub(crate) fn all() -> [Stack; 3] {
    [
        Stack::plain(),
        Stack::with_opentelemetry("with OpenTelemetry", true),
        Stack::with_opentelemetry("without activation", false),
    ]
}
