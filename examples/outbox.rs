//! An outbox in SQLite: an order and the message about it are written in one transaction, and the message is sent afterwards, with
//! the tenant that was current when it was written. `cargo run --example outbox` needs no server.

use std::{convert::Infallible, error::Error};

use ctx_layer::messaging::outbox::{Outbox, Relay, StoredMessage};
use ctx_layer::messaging::{Consumer, Destination, Producer};
use ctx_layer::{field::well_known::TENANT_ID, output::text, prelude::*, propagation::Trust};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use sqlx::{Sqlite, SqlitePool, query, sqlite::SqlitePoolOptions};
use tokio::sync::mpsc;
use tracing::{info, level_filters::LevelFilter};
use tracing_subscriber::prelude::*;

#[with_observability(context = { tenant: TENANT_ID }, skip(pool))]
async fn order(pool: &SqlitePool, tenant: &str, item: &'static str, is_paid: bool) -> Result<(), sqlx::Error> {
    let orders = Producer::new(Destination::new("memory", "orders"));
    let mut transaction = pool.begin().await?;
    query("INSERT INTO orders (item) VALUES (?)").bind(item).execute(&mut *transaction).await?;
    Outbox::<Sqlite>::new().append(&mut transaction, &orders, item).await?;
    info!(item, is_paid, "ordered");
    if is_paid { transaction.commit().await } else { transaction.rollback().await }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tracer = SdkTracerProvider::builder().build().tracer("outbox");
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(text::layer().with_writer(std::io::stdout))
        .with(tracing_opentelemetry::layer().with_tracer(tracer))
        .with_context_fields(Schema::well_known())
        .init();
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    query("CREATE TABLE orders (item TEXT)").execute(&pool).await?;
    Outbox::<Sqlite>::new().create_table(&mut *pool.acquire().await?).await?;
    order(&pool, "acme", "an anvil", true).await?;
    order(&pool, "globex", "a globe", true).await?;
    order(&pool, "initech", "a printer", false).await?; // Rolled back, and so is its message.

    // The relay is part of no request. The queue replaces a broker.
    let (broker, mut queue) = mpsc::unbounded_channel();
    let publish = |message: StoredMessage| {
        info!(to = message.destination(), "publishing");
        let _ = broker.send(message);
        async { Ok::<_, Infallible>(()) }
    };
    let summary = Relay::new(pool, Outbox::new()).publish_pending(publish).await?;
    info!(published = summary.published, "the outbox is empty");
    drop(broker);
    let consumer = Consumer::new(Destination::new("memory", "orders")).trust(Trust::internal());
    while let Some(message) = queue.recv().await {
        let item = String::from_utf8_lossy(message.payload()).into_owned();
        consumer.process(&message).in_scope(|| info!(item, "packing it"));
    }
    Ok(())
}
