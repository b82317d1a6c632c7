//! Jobs of graphile_worker in PostgreSQL, with the context in their payload: `bash tests/services/run graphile`.

use std::{sync::Arc, time::Duration};

use ctx_layer::propagation::{Captured, Trust};
use ctx_service_tests::{
    Result, job_handler::JobHandler, job_library::JobLibrary, scenarios::unique, server, telemetry, wire, worker::Mode,
};
use futures_util::FutureExt;
use graphile_worker::{IntoTaskHandlerResult, JobSpec, TaskHandler, WorkerContext, WorkerOptions, WorkerUtils};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

/// A job with the context of the request that added it.
#[derive(Deserialize, Serialize)]
struct Order {
    body: String,
    #[serde(default)]
    context: Captured,
}

impl TaskHandler for Order {
    const IDENTIFIER: &'static str = "order";

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        handle(&ctx, &self.context, &self.body).await
    }
}

/// A job that other programs add, whose context may have any type.
#[derive(Deserialize, Serialize)]
struct Parcel {
    body: String,
    #[serde(default)]
    context: Value,
}

impl TaskHandler for Parcel {
    const IDENTIFIER: &'static str = "parcel";

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        handle(&ctx, &self.context.as_object(), &self.body).await
    }
}

async fn handle(
    ctx: &WorkerContext,
    context: &impl ctx_layer::propagation::Carrier,
    body: &str,
) -> std::result::Result<(), String> {
    let handler = ctx.get_ext::<Arc<JobHandler>>().ok_or("the worker has a handler")?;
    let attempt = u32::try_from(*ctx.job().attempts()).map_err(|error| error.to_string())?;
    handler.handle(context, attempt, body).await
}

/// A queue is a schema of its own.
struct Graphile {
    queue: String,
    pool: PgPool,
}

impl Graphile {
    fn utils(&self) -> WorkerUtils {
        WorkerUtils::new(self.pool.clone(), self.queue.as_str())
    }
}

impl JobLibrary for Graphile {
    const SYSTEM: &'static str = "graphile_worker";
    const COUNTS_KILLED: bool = false;
    type Headers = Captured;

    async fn connect(queue: &str) -> Result<Self> {
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server::port(5432));
        let library = Graphile { queue: queue.to_owned(), pool: PgPool::connect(&url).await? };
        library.utils().migrate().await?;
        Ok(library)
    }

    fn queue(&self) -> &str {
        &self.queue
    }

    async fn push(&self, context: Captured, body: &str) -> Result {
        self.utils().add_job(Order { body: body.to_owned(), context }, JobSpec::default()).await?;
        Ok(())
    }

    async fn work(&self, handler: Arc<JobHandler>, concurrency: usize) -> Result {
        let enough = handler.clone();
        let worker = WorkerOptions::default()
            .schema(self.queue.as_str())
            .pg_pool(self.pool.clone())
            .concurrency(concurrency)
            .poll_interval(Duration::from_millis(100))
            // The jobs of a worker without a heartbeat for three seconds are given to another.
            .heartbeat_interval(Duration::from_millis(500))
            .sweep_interval(Duration::from_secs(1))
            .sweep_threshold(Duration::from_secs(3))
            .recovery_delay(Duration::ZERO)
            .define_job::<Order>()
            .define_job::<Parcel>()
            .add_extension(handler.clone())
            .listen_os_shutdown_signals(false)
            .shutdown_signal(async move { enough.enough().await.unwrap_or_default() }.boxed().shared())
            .init()
            .await?;
        worker.run().await?;
        // The worker ends without an error if there were not enough.
        Ok(handler.enough().await?)
    }

    async fn remove(self) -> Result {
        sqlx::query(AssertSqlSafe(format!("DROP SCHEMA {} CASCADE", self.queue))).execute(&self.pool).await?;
        Ok(())
    }
}

ctx_service_tests::job_scenarios! { Graphile:
    end_to_end => a_worker_in_another_process_continues_the_trace_with_all_fields,
    retry => a_job_that_failed_is_tried_again_with_the_same_parent,
    killed => a_job_of_a_killed_worker_keeps_its_parent,
    tenants => two_hundred_jobs_of_twenty_tenants_are_not_mixed_up,
    without_context => a_job_without_context_gets_none,
    hostile_context => a_hostile_job_sets_nothing,
}

#[tokio::test]
async fn the_stored_payload_is_that_of_the_documentation() -> Result {
    let library = Graphile::connect(&unique("wire")).await?;
    let mut context = Captured::new();
    wire::write_documented(&mut context);
    library.push(context, "7").await?;
    let select = AssertSqlSafe(format!("SELECT payload::text FROM {}._private_jobs", library.queue));
    let (stored,): (String,) = sqlx::query_as(select).fetch_one(&library.pool).await?;
    assert_eq!(stored, wire::block(include_str!("../../../docs/messaging/graphile_worker.md"), "graphile_worker")?);
    library.remove().await
}

#[tokio::test]
async fn a_context_of_another_type_costs_no_job_that_takes_any() -> Result {
    telemetry::install();
    let library = Graphile::connect(&unique("types")).await?;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let contexts = [
        (json!(null), false),
        (json!(7), false),
        (json!("x"), false),
        (json!([1, 2]), false),
        (json!({"traceparent": 5, "baggage": {"a": 1}}), false),
        (json!({"traceparent": parent, "other": [1]}), true),
    ];
    for (number, (context, _)) in contexts.iter().enumerate() {
        let payload = json!({"body": format!("{}-{number}", library.queue), "context": context});
        library.utils().add_raw_job("parcel", payload, JobSpec::default()).await?;
    }
    let all = u32::try_from(contexts.len())?;
    library.work(JobHandler::new::<Graphile>(&library.queue, Trust::external(), Mode::Handle, all), 1).await?;
    let lines = telemetry::lines("handled");
    for (number, (context, is_continued)) in contexts.iter().enumerate() {
        let body = format!("{}-{number}", library.queue);
        let line = lines.iter().find(|line| line["body"] == *body).ok_or(format!("{context} is handled"))?;
        assert_eq!((&line["attempt"], line["trace_id"] == parent[3..35]), (&json!(1), *is_continued), "{context}");
    }
    library.remove().await
}
