//! Handles two tenants at once. No code below `main` mentions them.

use ctx_layer::{FutureFieldsExt, Schema, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use tracing::{Instrument, info, info_span, instrument};
use tracing_subscriber::{fmt::layer, prelude::*};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let json = layer().json().flatten_event(true).with_span_list(false).without_time();
    tracing_subscriber::registry()
        .with(fields_once_per_line(layer().without_time())) // text, on standard output
        .with(fields_once_per_line(json.with_writer(std::io::stderr)))
        .with_context_fields(Schema::well_known()) // this is the one line
        .init();

    let one = handle("/orders", "ada").with_field(&TENANT_ID, "acme");
    let other = handle("/bill", "grace").with_field(&TENANT_ID, "globex");
    tokio::join!(one, other);
}

#[instrument(skip(user))]
async fn handle(path: &str, user: &str) {
    info!("received");
    tokio::task::yield_now().await;
    let _ = USER_ID.record(user); // known only inside the span
    tokio::spawn(store().instrument(info_span!("background"))).await.unwrap();
}

async fn store() {
    info!(rows = 3, "stored");
}
