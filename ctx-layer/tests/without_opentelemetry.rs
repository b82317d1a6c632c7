//! An OpenTelemetry layer in the stack, without the feature for it: `cargo test -p ctx-layer --no-default-features --test
//! without_opentelemetry`. The layer is one by its name alone, so that nothing of the real one is compiled.
#![cfg(not(feature = "tracing-opentelemetry"))]

use std::sync::{Arc, Mutex};

use ctx_layer::{Schema, SubscriberFieldsExt};
use tracing_subscriber::prelude::*;

mod tracing_opentelemetry {
    pub(super) mod layer {
        use tracing_subscriber::Layer;

        pub(in super::super) struct OpenTelemetryLayer<S>(pub(in super::super) std::marker::PhantomData<fn(S)>);

        impl<S: tracing::Subscriber> Layer<S> for OpenTelemetryLayer<S> {}
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_layer_without_its_feature_is_a_warning_that_names_the_feature() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer::OpenTelemetryLayer(std::marker::PhantomData))
        .with(tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone()))
        .with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!("one");
        tracing::info!("other");
    });
    let printed = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let warnings: Vec<_> = printed.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warnings.len(), 1, "{printed}");
    assert!(warnings[0].contains("Add `tracing-opentelemetry` to the `features`"), "{printed}");
}
