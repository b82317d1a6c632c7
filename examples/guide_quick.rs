//! Handles two tenants at once. No code below `main` mentions them.

use ctx_layer::{
    FutureFieldsExt, Schema, SubscriberFieldsExt,
    field::well_known::*,
    output::{json, text},
};
use tracing::{Instrument, info, info_span, instrument};
use tracing_subscriber::prelude::*;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    tracing_subscriber::registry()
        .with(text::layer().without_time()) // for people, on standard output
        .with(json::layer().without_time().with_writer(std::io::stderr)) // for collectors
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
