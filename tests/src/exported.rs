//! OpenTelemetry spans as they are exported.

use opentelemetry::{Key, KeyValue, Value, trace::TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider, ShouldSample, SpanData};

/// A tracer that keeps its finished spans.
#[derive(Debug)]
pub struct Exported {
    exporter: InMemorySpanExporter,
    provider: SdkTracerProvider,
}

impl Exported {
    /// Creates a tracer with the default sampler.
    pub fn new() -> Self {
        Self::make(|builder| builder)
    }

    /// Creates a tracer with a sampler.
    pub fn with_sampler(sampler: impl ShouldSample + 'static) -> Self {
        Self::make(|builder| builder.with_sampler(sampler))
    }

    fn make(
        change: impl FnOnce(
            opentelemetry_sdk::trace::TracerProviderBuilder,
        ) -> opentelemetry_sdk::trace::TracerProviderBuilder,
    ) -> Self {
        let exporter = InMemorySpanExporter::default();
        let builder = SdkTracerProvider::builder().with_simple_exporter(exporter.clone());
        Exported { exporter, provider: change(builder).build() }
    }

    /// The tracer for a `tracing_opentelemetry` layer.
    pub fn tracer(&self) -> SdkTracer {
        self.provider.tracer("tests")
    }

    /// Returns the finished spans in the order in which they finished.
    pub fn spans(&self) -> Vec<SpanData> {
        self.exporter.get_finished_spans().expect("the exporter is not shut down")
    }

    /// Returns the one finished span of this name.
    pub fn span(&self, name: &str) -> SpanData {
        let mut spans = self.spans();
        spans.retain(|span| span.name == name);
        assert_eq!(spans.len(), 1, "spans {name:?}: {spans:#?}");
        spans.remove(0)
    }
}

impl Default for Exported {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns all values of one attribute: none, one or, where something is wrong, several.
pub fn attributes(all: &[KeyValue], key: &str) -> Vec<Value> {
    all.iter().filter(|known| known.key == Key::new(key.to_owned())).map(|known| known.value.clone()).collect()
}

/// Returns the one value of an attribute.
pub fn attribute(all: &[KeyValue], key: &str) -> Option<Value> {
    let mut found = attributes(all, key);
    assert!(found.len() <= 1, "`{key}` appears {} times: {all:?}", found.len());
    found.pop()
}
