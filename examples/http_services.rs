//! Two services and a client: one trace, and the tenant on every line and span of both.
//!
//! `cargo run --example http_services`

use std::net::SocketAddr;

use axum::{Router, routing::get};
use ctx_layer::{
    Schema, SubscriberFieldsExt,
    field::well_known::TENANT_ID,
    http::{
        ClientLayer, ClientMiddleware, HeaderRule, ServerLayer, UrlTemplate,
        axum::{Field, TenantId},
    },
    propagation::{DestinationPolicy, Trust},
};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use reqwest_middleware::ClientWithMiddleware;
use tracing::info;
use tracing_subscriber::{filter::LevelFilter, prelude::*};

type Error = Box<dyn std::error::Error>;

async fn serve(app: Router) -> Result<SocketAddr, Error> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(address)
}

/// The inner service: its callers are internal, and are trusted.
async fn billing() -> Result<SocketAddr, Error> {
    let bill = |Field(tenant): Field<TenantId>| async move {
        info!("adding up");
        format!("{tenant} owes 7")
    };
    let layer = ServerLayer::new().trust(Trust::internal());
    serve(Router::new().route("/bills/{order}", get(bill)).layer(layer)).await
}

/// The edge: its callers are external, and the gateway's header determines the tenant.
async fn shop(billing: SocketAddr, client: ClientWithMiddleware) -> Result<SocketAddr, Error> {
    let order = move || async move {
        info!("asking for the bill");
        let request = client.get(format!("http://{billing}/bills/7?token=s3cret"));
        match request.with_extension(UrlTemplate::new("/bills/{order}")).send().await {
            Ok(bill) => bill.text().await.unwrap_or_default(),
            Err(_) => "no bill".to_owned(),
        }
    };
    let tenant = HeaderRule::new("x-tenant", &TENANT_ID);
    let layer = ServerLayer::new().header(HeaderRule::request_id()).header(tenant);
    serve(Router::new().route("/orders/{order}", get(order)).layer(layer)).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    // The spans are shown below, so the lines are without them.
    let lines = tracing_subscriber::fmt::layer().json().without_time().with_target(false);
    let lines = lines.with_current_span(false).with_span_list(false);
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(lines)
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("services")))
        .with_context_fields(Schema::well_known())
        .init();

    let destinations = DestinationPolicy::internal(["127.0.0.0/8"])?;
    let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
        .with(ClientMiddleware::new(ClientLayer::new().destinations(destinations)))
        .build();
    let shop = shop(billing().await?, client).await?;

    for (tenant, request_id) in [("acme", "req-1"), ("globex", "req-2")] {
        let request = reqwest::Client::new().get(format!("http://{shop}/orders/7"));
        // Baggage of an external caller is ignored.
        let request = request.header("x-tenant", tenant).header("x-request-id", request_id);
        let response = request.header("baggage", "tenant_id=victim").send().await?;
        let echoed = response.headers()["x-request-id"].to_str()?.to_owned();
        println!("{echoed}: {}", response.text().await?);
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;

    println!("\nAs exported:");
    let spans = exporter.get_finished_spans()?;
    let mut traces: Vec<_> = spans.iter().map(|span| span.span_context.trace_id()).collect();
    traces.dedup();
    for span in &spans {
        let value = |key: &str| span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
        let text = |key: &str| value(key).map(|attribute| attribute.value.to_string()).unwrap_or_default();
        let trace = traces.iter().position(|trace| *trace == span.span_context.trace_id()).unwrap_or_default();
        let (tenant, status) = (text("tenant_id"), text("http.response.status_code"));
        println!("trace {trace}: {:?} {} tenant={tenant} status={status}", span.span_kind, span.name);
    }
    Ok(())
}
