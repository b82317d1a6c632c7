//! A service that starts in one line, with the settings in `settings.toml` beside it.
//!
//! `cargo run --example setup_service` serves two requests; `... -- explain` prints the settings that apply and where each comes
//! from, `... -- template` a settings file with all of them.

use std::process::ExitCode;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
    routing::get,
};
use ctx_layer::{
    ContextField, Policy,
    field::well_known::TENANT_ID,
    http::ServerLayer,
    prelude::*,
    setup::{self, Settings},
};
use tower::ServiceExt;

#[tokio::main]
async fn main() -> ExitCode {
    let command = std::env::args().nth(1);
    if command.as_deref() == Some("template") {
        println!("{}", Settings::template());
        return ExitCode::SUCCESS;
    }
    // In a program of your own: `let telemetry = setup::init("orders")?;`
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/setup_service/settings.toml");
    let started = setup::builder("orders").service_version(env!("CARGO_PKG_VERSION")).settings_file(file).init();
    let telemetry = match started {
        Ok(telemetry) => telemetry,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    if command.as_deref() == Some("explain") {
        println!("{}", telemetry.settings().explain());
        return ExitCode::SUCCESS;
    }
    match serve().await {
        Ok(()) => {}
        Err(error) => tracing::error!(error = error.as_ref(), "serving failed"),
    }
    match telemetry.shutdown().await {
        Ok(counts) => eprintln!("spans: {} exported, {} not", counts.traces.exported, counts.traces.failed),
        Err(error) => eprintln!("{error}"),
    }
    ExitCode::SUCCESS
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    // `axum::serve(listener, app)` in a program of your own.
    let app = Router::new().route("/orders", get(orders)).layer(ServerLayer::new());
    for tenant in ["acme", "globex"] {
        let request = Request::get("/orders").header("x-tenant", tenant).body(Body::empty())?;
        app.clone().oneshot(request).await?;
    }
    Ok(())
}

async fn orders(headers: HeaderMap) -> &'static str {
    let tenant = headers.get("x-tenant").and_then(|tenant| tenant.to_str().ok()).unwrap_or("unknown");
    let _ = TENANT_ID.record_on_request(tenant); // From the token, in a program of your own.
    // The settings declare this one; its key is found by its name and policy.
    if let Ok(plan) = ContextField::<String>::declare("plan", Policy::new().propagated().max_len(16)) {
        let _ = plan.record_on_request("gold");
    }
    load().in_current_context().await
}

async fn load() -> &'static str {
    tracing::info!(rows = 3, "loaded");
    "[]"
}
