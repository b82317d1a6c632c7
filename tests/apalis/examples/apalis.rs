//! A job of apalis with the context in its metadata, which a worker handles. SQLite, so that it needs no server.
//!
//! `cargo run --manifest-path tests/apalis/Cargo.toml --example apalis`

use apalis::prelude::*;
use apalis_sqlite::{SqlitePoolOptions, SqliteStorage};
use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Destination, Producer, ReceiveOptions},
    prelude::*,
    propagation::Trust,
};
use ctx_service_tests::{Result, example};
use tracing::{Instrument, info, info_span};

/// A request adds a job.
async fn order(storage: &mut SqliteStorage<u32>, producer: &Producer) -> Result {
    info!("ordered");
    let mut metadata = MetadataStore::new();
    let sending = producer.inject(&mut metadata);
    let task = TaskBuilder::new(7).with_metadata(metadata).build();
    Ok(sending.run(storage.push_task(task)).await?)
}

/// The worker, which could be another program, calls this for each job.
async fn ship(
    order: u32,
    metadata: MetadataStore,
    attempt: Attempt,
    consumer: Data<Consumer>,
    worker: WorkerContext,
) -> std::result::Result<(), BoxDynError> {
    let options = ReceiveOptions::new().delivery(u32::try_from(attempt.current())?);
    consumer.receive_with(&metadata, options).process().run(async { info!(order, "shipped") }).await;
    Ok(worker.stop()?)
}

#[tokio::main]
async fn main() -> Result {
    example::init();
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    SqliteStorage::setup(&pool).await?;
    let mut storage = SqliteStorage::new(&pool);
    let orders = Destination::new("apalis", "orders");

    let producer = Producer::new(orders.clone());
    order(&mut storage, &producer).instrument(info_span!("request")).with_field(&TENANT_ID, "acme").await?;

    let consumer = Consumer::new(orders).trust(Trust::internal());
    Ok(WorkerBuilder::new("shipping").backend(storage).data(consumer).build(ship).run().await?)
}
