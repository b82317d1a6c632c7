//! Serves a request with axum: the tenant is on every line, also of a task and of code that knows no tenants.

use axum::{Router, body::Body, http::Request, routing::get};
use ctx_layer::{field::well_known::*, http::ServerLayer, output::json, prelude::*};
use tower::ServiceExt;
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let output = json::layer().without_time().with_target(false);
    tracing_subscriber::registry().with(output).with_context_fields(Schema::well_known()).init();
    let app = Router::new().route("/orders", get(orders)).layer(ServerLayer::new());
    app.oneshot(Request::get("/orders").body(Body::empty())?).await?; // axum::serve(listener, app)
    Ok(())
}

async fn orders() -> String {
    let _ = TENANT_ID.record_on_request("acme"); // from the token
    tracing::info!("authenticated");
    tokio::spawn(load().in_current_context()).await.unwrap_or_default()
}

async fn load() -> String {
    tracing::info!(rows = 3, "loaded"); // or a library that never heard of tenants
    "[]".to_owned()
}
