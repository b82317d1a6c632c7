//! Exports spans that have the fields as attributes. The JSON lines have trace_id and span_id, too.

use ctx_layer::{ContextLayer, Schema, SubscriberFieldsExt, field::well_known::*};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing::{info, instrument};
use tracing_subscriber::{fmt::layer, prelude::*};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = InMemorySpanExporter::default(); // in production: OTLP
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();

    let ids = Schema::builder().field(&TRACE_ID).field(&SPAN_ID).build()?;
    let json = layer().json().without_time().with_current_span(false).with_span_list(false);
    tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("shop")))
        .with(ContextLayer::new(json, ids))
        .with_context_fields(Schema::well_known())
        .init();

    TENANT_ID.in_scope("acme", || handle("/orders"));

    for span in exporter.get_finished_spans()? {
        let tenant = span.attributes.iter().find(|attribute| attribute.key.as_str() == "tenant_id");
        println!("exported: {} {:?}", span.name, tenant.map(|attribute| attribute.value.as_str()));
    }
    Ok(())
}

#[instrument]
fn handle(path: &str) {
    info!(rows = 3, "stored");
}
