//! The subscriber of the tests and of their workers: lines of JSON, and exported spans.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use ctx_layer::{SubscriberFieldsExt, output::json};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use serde_json::{Map, Value, json};
use tracing_subscriber::prelude::*;

use crate::{fields, worker};

/// The lines of this process, where it is no worker. A worker prints them.
static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// The exported spans of this process, where it is no worker. A worker prints them.
static SPANS: Mutex<Vec<SpanData>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs the subscriber, once.
pub fn install() {
    static INSTALLED: LazyLock<()> = LazyLock::new(|| {
        let provider = SdkTracerProvider::builder().with_simple_exporter(Exporter).build();
        let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("ctx-service-tests"));
        tracing_subscriber::registry()
            .with(tracing_subscriber::filter::filter_fn(|metadata| {
                // The spans of apalis' tracing layer are beside ours.
                metadata.target().starts_with("ctx") || metadata.target().starts_with("apalis::layers::tracing")
            }))
            .with(spans)
            .with(json::layer().without_time().with_writer(|| Lines))
            .with_context_fields(fields::schema())
            .init();
    });
    LazyLock::force(&INSTALLED);
}

struct Lines;

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if worker::is_worker() {
            std::io::stdout().write_all(bytes)?;
        } else {
            lock(&LINES).extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns the lines of this process that have a message.
pub fn lines(message: &str) -> Vec<Map<String, Value>> {
    let bytes = lock(&LINES).clone();
    let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Map<_, _>>(line).ok());
    lines.filter(|line| line.get("message").is_some_and(|found| found == message)).collect()
}

/// Returns the exported span of this process with an id.
pub fn span(id: &str) -> Option<Value> {
    lock(&SPANS).iter().find(|span| span.span_context.span_id().to_string() == id).map(shown)
}

/// Returns the exported spans of this process that have a tenant, in the order of their ends.
pub fn spans_of(tenant: &str) -> Vec<Value> {
    let spans: Vec<Value> = lock(&SPANS).iter().map(shown).collect();
    spans.into_iter().filter(|span| span["attributes"]["tenant_id"] == tenant).collect()
}

/// Returns the exported spans of this process that have a name, in the order of their ends.
pub fn spans_named(name: &str) -> Vec<Value> {
    lock(&SPANS).iter().filter(|span| span.name == name).map(shown).collect()
}

#[derive(Debug)]
struct Exporter;

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        if worker::is_worker() {
            batch.iter().for_each(|span| println!("{}", shown(span)));
        } else {
            lock(&SPANS).extend(batch);
        }
        Ok(())
    }
}

/// Returns what tests read of a span, in the form in which workers and peers print it.
fn shown(span: &SpanData) -> Value {
    let parent = span.parent_span_id;
    let links = span.links.iter().map(|link| {
        json!({"trace": link.span_context.trace_id().to_string(), "span": link.span_context.span_id().to_string()})
    });
    let attributes = span.attributes.iter().map(|pair| (pair.key.to_string(), Value::from(pair.value.to_string())));
    json!({
        "exported": span.name,
        "kind": format!("{:?}", span.span_kind).to_lowercase(),
        "trace": span.span_context.trace_id().to_string(),
        "span": span.span_context.span_id().to_string(),
        "parent": (parent != opentelemetry::SpanId::INVALID).then(|| parent.to_string()),
        "links": links.collect::<Vec<_>>(),
        "attributes": attributes.collect::<Map<_, _>>(),
    })
}
