//! The set-up of the examples: lines of JSON, and a trace without an exporter.

use std::{net::TcpStream, process::exit, time::Duration};

use ctx_layer::{Schema, SubscriberFieldsExt, output::json};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    prelude::*,
};

/// Installs the subscriber.
pub fn init() {
    let provider = SdkTracerProvider::builder().build();
    // The lines of graphile_worker have the payloads of jobs.
    let levels = [("", LevelFilter::INFO), ("graphile_worker", LevelFilter::WARN), ("sqlx", LevelFilter::WARN)];
    tracing_subscriber::registry()
        .with(Targets::from_iter(levels))
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("example")))
        .with(json::layer().without_time().with_target(false))
        .with_context_fields(Schema::well_known())
        .init();
}

/// Returns the address of a server, or ends the program with a line that says how to start one.
pub fn server(port: u16, start: &str) -> String {
    let address = format!("127.0.0.1:{port}");
    let is_there = address.parse().is_ok_and(|to| TcpStream::connect_timeout(&to, Duration::from_secs(1)).is_ok());
    if !is_there {
        println!("no server on {address}: start one with `{start}`");
        exit(0);
    }
    address
}
