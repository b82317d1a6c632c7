//! A table of jobs with a column of context, which another service reads. SQLite, so that it needs no server.
//!
//! `cargo run -p ctx-service-tests --features sql --example sql`

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Destination},
    prelude::*,
    propagation::{self, Captured, Trust},
};
use ctx_service_tests::{Result, example};
use sqlx::SqlitePool;
use tracing::{Instrument, info, info_span};

/// The first service writes a job. Its context is that of now, whenever it is read.
async fn order(pool: &SqlitePool) -> Result {
    info!("ordered");
    let insert = sqlx::query("INSERT INTO jobs (body, context) VALUES (?, ?)");
    insert.bind("7").bind(propagation::capture()).execute(pool).await?;
    Ok(())
}

/// The second service reads the jobs.
async fn ship(pool: &SqlitePool, consumer: &Consumer) -> Result {
    let jobs: Vec<(String, Option<Captured>)> =
        sqlx::query_as("SELECT body, context FROM jobs").fetch_all(pool).await?;
    for (order, context) in jobs {
        consumer.process(&context).run(async { info!(order, "shipped") }).await;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result {
    example::init();
    let pool = SqlitePool::connect("sqlite::memory:").await?;
    sqlx::query("CREATE TABLE jobs (body TEXT NOT NULL, context TEXT)").execute(&pool).await?;
    order(&pool).instrument(info_span!("request")).with_field(&TENANT_ID, "acme").await?;
    ship(&pool, &Consumer::new(Destination::new("sqlite", "jobs")).trust(Trust::internal())).await
}
