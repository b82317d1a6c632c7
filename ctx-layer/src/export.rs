//! Exporters of OpenTelemetry spans.

use std::{mem, time::Duration};

use opentelemetry::KeyValue;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

/// An exporter that exports each attribute of a span once, with its last value.
///
/// Attribute keys of OpenTelemetry are unique, but its SDK keeps both values when one replaces another. This crate does not
/// record a value again that the span has already. If the program [records](crate::ContextField::record) a different value
/// later, wrap the exporter:
///
/// ```
/// use ctx_layer::UniqueAttributes;
/// use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
///
/// let exporter = InMemorySpanExporter::default(); // yours sends them away
/// let exporter = UniqueAttributes::new(exporter);
/// let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
/// # drop(provider);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct UniqueAttributes<E> {
    exporter: E,
}

impl<E> UniqueAttributes<E> {
    /// Wraps an exporter.
    pub const fn new(exporter: E) -> Self {
        UniqueAttributes { exporter }
    }
}

impl<E: SpanExporter> SpanExporter for UniqueAttributes<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        for span in &mut batch {
            keep_last(&mut span.attributes);
        }
        self.exporter.export(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Keeps the last value of each key, at the position of the first.
fn keep_last(attributes: &mut Vec<KeyValue>) {
    let all = mem::take(attributes);
    attributes.reserve_exact(all.len());
    for attribute in all {
        match attributes.iter_mut().find(|known| known.key == attribute.key) {
            Some(known) => *known = attribute,
            None => attributes.push(attribute),
        }
    }
}
