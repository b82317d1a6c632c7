//! The subscribers under which programs run.

use ctx_layer::{Schema, SubscriberFieldsExt};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Dispatch;
use tracing_subscriber::{filter::LevelFilter, prelude::*};

use super::recorder::Recorder;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    /// Creates a stack without an OpenTelemetry layer.
    Plain,
    OpenTelemetry,
    /// Creates a stack with a filter that switches some spans off.
    Filtered,
    FilteredOpenTelemetry,
}

impl Stack {
    pub(crate) fn is_filtered(self) -> bool {
        matches!(self, Stack::Filtered | Stack::FilteredOpenTelemetry)
    }

    /// Two subscribers.
    pub(crate) fn dispatches(self) -> [Dispatch; 2] {
        [self.dispatch(), self.dispatch()]
    }

    fn dispatch(self) -> Dispatch {
        let filter = self.is_filtered().then_some(LevelFilter::WARN);
        let opentelemetry = matches!(self, Stack::OpenTelemetry | Stack::FilteredOpenTelemetry).then(|| {
            let tracer = SdkTracerProvider::builder().build().tracer("model");
            tracing_opentelemetry::layer().with_tracer(tracer)
        });
        let registry = tracing_subscriber::registry();
        Dispatch::new(
            registry.with(Recorder::new()).with(opentelemetry).with(filter).with_context_fields(Schema::well_known()),
        )
    }
}
