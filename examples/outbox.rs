//! An outbox in SQLite: an order and the message about it are written in one transaction, and the message is sent afterwards, with
//! the tenant that was current when it was written. `cargo run --example outbox` needs no server.

use std::convert::Infallible;

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{
        Consumer, Destination, Producer,
        outbox::{Outbox, Relay, StoredMessage},
    },
    prelude::*,
    propagation::Trust,
};
use sqlx::{Sqlite, SqlitePool, query, sqlite::SqlitePoolOptions};
use tokio::sync::mpsc;
use tracing::{info, warn};
use tracing_subscriber::{fmt, prelude::*};

#[with_observability(context = { tenant: TENANT_ID })]
async fn order(pool: &SqlitePool, tenant: &str, item: &str, is_paid: bool) -> Result<(), sqlx::Error> {
    let orders = Producer::new(Destination::new("memory", "orders"));
    let mut transaction = pool.begin().await?;
    query("INSERT INTO orders (item) VALUES (?)").bind(item.to_owned()).execute(&mut *transaction).await?;
    Outbox::<Sqlite>::new().append(&mut transaction, &orders, item).await?;
    if !is_paid {
        warn!(item, "not paid: neither the order nor its message is stored");
        return transaction.rollback().await;
    }
    info!(item, "ordered");
    transaction.commit().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = fmt::layer().compact().without_time().with_target(false).with_ansi(false);
    tracing_subscriber::registry().with(fields_once_per_line(text)).with_context_fields(Schema::well_known()).init();

    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    query("CREATE TABLE orders (item TEXT)").execute(&pool).await?;
    Outbox::<Sqlite>::new().create_table(&mut *pool.acquire().await?).await?;

    order(&pool, "acme", "an anvil", true).await?;
    order(&pool, "globex", "a globe", true).await?;
    order(&pool, "initech", "a printer", false).await?;

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
