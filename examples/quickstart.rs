//! The whole library in one program: several tenants at once, a third-party crate that logs, and an error. Every line
//! has the right tenant, as JSON on standard output and as text on standard error.
//!
//! Run it with `cargo run --example quickstart`, or look at one of the two: `2>/dev/null`, `>/dev/null`.

use std::{error::Error, fmt};

use ctx_layer::{
    Fields, FutureFieldsExt, Schema, SubscriberFieldsExt,
    field::well_known::*,
    output::{json, text},
};
use globset::{Glob, GlobSetBuilder};
use tracing::{Instrument, error, info, instrument};
use tracing_subscriber::{EnvFilter, prelude::*};

#[tokio::main(worker_threads = 4)]
async fn main() {
    tracing_subscriber::registry()
        .with(EnvFilter::new("info,globset=debug"))
        .with(json::layer())
        .with(text::layer().with_writer(std::io::stderr)) // instead of both: `output::auto()`
        .with_context_fields(Schema::well_known()) // this is the one line
        .init();

    let requests = ["acme", "globex", "initech"].into_iter().enumerate().map(|(n, tenant)| {
        // As a middleware does: it sets the fields of the request once.
        let fields = Fields::new().with(&TENANT_ID, tenant).with(&REQUEST_ID, format!("req-{n}"));
        tokio::spawn(handle(format!("/{tenant}/orders/{n}.json"), n).with_fields(fields))
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.expect("no request panics");
    }
    info!("done: no context here");
}

#[instrument(skip(n))]
async fn handle(path: String, n: usize) {
    info!("received");
    if !is_allowed(&path) {
        return;
    }
    // Authentication runs inside the request span, and records the user on it.
    tokio::task::yield_now().await;
    let _ = USER_ID.record(format!("user-{n}"));

    // A spawned task keeps the context through its span.
    let stored = tokio::spawn(store(path).instrument(tracing::info_span!("background")));
    if let Err(failure) = stored.await.expect("no task panics") {
        error!(error = &failure as &dyn Error, "the order could not be stored");
    }
}

/// Checks a path with `globset`, which knows nothing of tenants. It logs through the `log` crate, and its lines have
/// them.
fn is_allowed(path: &str) -> bool {
    let mut allowed = GlobSetBuilder::new();
    for pattern in ["/*/orders/*.json", "/health"] {
        allowed.add(Glob::new(pattern).expect("the patterns are correct"));
    }
    allowed.build().expect("the patterns are correct").is_match(path)
}

#[instrument(skip_all)]
async fn store(path: String) -> Result<(), StoreError> {
    tokio::task::yield_now().await;
    if path.starts_with("/globex") {
        return Err(StoreError { source: std::io::Error::other("the disk is full") });
    }
    info!("stored");
    Ok(())
}

#[derive(Debug)]
struct StoreError {
    source: std::io::Error,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not stored")
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
