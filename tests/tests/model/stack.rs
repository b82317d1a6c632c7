//! The subscribers under which programs run.

use ctx_layer::{Schema, WithContextExt};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Dispatch;
use tracing_subscriber::prelude::*;

use super::recorder::Recorder;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    /// Without an OpenTelemetry layer.
    Plain,
    OpenTelemetry,
}

impl Stack {
    pub(crate) fn dispatch(self) -> Dispatch {
        let registry = tracing_subscriber::registry().with(Recorder);
        match self {
            Stack::Plain => Dispatch::new(registry.with_context(Schema::well_known())),
            Stack::OpenTelemetry => {
                let tracer = SdkTracerProvider::builder().build().tracer("model");
                let layer = tracing_opentelemetry::layer().with_tracer(tracer);
                Dispatch::new(registry.with(layer).with_context(Schema::well_known()))
            }
        }
    }
}
