//! A job of graphile_worker with the context in its payload, which a worker handles.
//!
//! `cargo run -p ctx-service-tests --features graphile --example graphile`

use ctx_layer::{
    field::well_known::TENANT_ID,
    messaging::{Consumer, Destination, ReceiveOptions},
    prelude::*,
    propagation::{self, Captured, Trust},
};
use ctx_service_tests::{Result, example};
use graphile_worker::{IntoTaskHandlerResult, JobSpec, TaskHandler, WorkerContext, WorkerOptions, WorkerUtils};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tracing::{Instrument, info, info_span};

/// A job with the context of the request that added it.
#[derive(Deserialize, Serialize)]
struct Ship {
    order: u32,
    #[serde(default)]
    context: Captured,
}

impl TaskHandler for Ship {
    const IDENTIFIER: &'static str = "ship";

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        let consumer = Consumer::new(Destination::new("graphile_worker", Self::IDENTIFIER)).trust(Trust::internal());
        let attempt = u32::try_from(*ctx.job().attempts()).unwrap_or(1);
        let options = ReceiveOptions::new().message_id(ctx.job().id().to_string()).delivery(attempt);
        let received = consumer.receive_with(&self.context, options);
        received.process().run(async { info!(order = self.order, "shipped") }).await;
    }
}

/// A request adds a job.
async fn order(jobs: &WorkerUtils) -> Result {
    info!("ordered");
    jobs.add_job(Ship { order: 7, context: propagation::capture() }, JobSpec::default()).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result {
    example::init();
    let server = example::server(5432, "pg_ctlcluster 15 main start");
    let pool = PgPool::connect(&format!("postgres://postgres@{server}/postgres")).await?;
    let worker =
        WorkerOptions::default().schema("ctx_orders").pg_pool(pool.clone()).define_job::<Ship>().init().await?;
    let jobs = worker.create_utils();
    order(&jobs).instrument(info_span!("request")).with_field(&TENANT_ID, "acme").await?;
    worker.run_once().await?;
    sqlx::query("DROP SCHEMA ctx_orders CASCADE").execute(&pool).await?;
    Ok(())
}
