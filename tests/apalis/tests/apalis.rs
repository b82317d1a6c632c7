//! Jobs of apalis in SQLite, with the context in their metadata: `bash tests/services/run apalis`. Needs no server.

use std::{path::PathBuf, sync::Arc, time::Duration};

use apalis::{
    layers::tracing::{ContextualTaskSpan, OtelTraceContext, TraceLayer, TracingContext},
    prelude::*,
};
use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteStorage};
use ctx_layer::{
    FutureFieldsExt,
    field::well_known::TENANT_ID,
    messaging::{Destination, Producer},
    propagation::{self, Trust},
};
use ctx_service_tests::{
    Result, job_handler::JobHandler, job_library::JobLibrary, scenarios::unique, telemetry, wire, worker::Mode,
};
use serde_json::{Value, json};
use tracing::{Instrument, info_span};

struct Apalis {
    queue: String,
    pool: SqlitePool,
}

impl Apalis {
    /// Returns the folder of a queue's database.
    fn folder(queue: &str) -> PathBuf {
        std::env::temp_dir().join(queue)
    }

    fn storage(&self) -> SqliteStorage<String> {
        // The jobs of a worker without a heartbeat for two seconds are given to another.
        let config =
            Config::default().queue(&self.queue).heartbeat_interval(Duration::from_secs(1)).missed_heartbeats(2);
        SqliteStorage::new(&self.pool).with_config(config)
    }

    /// Adds a job, and returns its metadata as it is stored.
    async fn stored(&self, metadata: MetadataStore, body: &str) -> Result<Value> {
        self.push(metadata, body).await?;
        let select = sqlx::query_as("SELECT metadata FROM Jobs ORDER BY ROWID DESC LIMIT 1");
        let (stored,): (String,) = select.fetch_one(&self.pool).await?;
        Ok(serde_json::from_str(&stored)?)
    }
}

/// Handles a job.
async fn handle(
    body: String,
    context: MetadataStore,
    attempt: Attempt,
    handler: Data<Arc<JobHandler>>,
) -> std::result::Result<(), String> {
    handler.handle(&context, u32::try_from(attempt.current()).unwrap_or(u32::MAX), &body).await
}

impl JobLibrary for Apalis {
    const SYSTEM: &'static str = "apalis";
    const COUNTS_KILLED: bool = true;
    type Headers = MetadataStore;

    async fn connect(queue: &str) -> Result<Self> {
        std::fs::create_dir_all(Apalis::folder(queue))?;
        let file = SqliteConnectOptions::new().filename(Apalis::folder(queue).join("jobs")).create_if_missing(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(file).await?;
        SqliteStorage::setup(&pool).await?;
        Ok(Apalis { queue: queue.to_owned(), pool })
    }

    fn queue(&self) -> &str {
        &self.queue
    }

    async fn push(&self, metadata: MetadataStore, body: &str) -> Result {
        let task = TaskBuilder::new(body.to_owned()).with_metadata(metadata).build();
        Ok(self.storage().push_task(task).await?)
    }

    async fn work(&self, handler: Arc<JobHandler>, concurrency: usize) -> Result {
        let enough = handler.clone();
        let worker = WorkerBuilder::new(unique("worker"))
            .backend(self.storage())
            .concurrency(concurrency)
            .data(handler)
            .build(handle);
        Ok(worker.run_until(async move { enough.enough().await.map_err(std::io::Error::other) }).await?)
    }

    async fn remove(self) -> Result {
        self.pool.close().await;
        Ok(std::fs::remove_dir_all(Apalis::folder(&self.queue))?)
    }
}

ctx_service_tests::job_scenarios! { Apalis:
    end_to_end => a_worker_in_another_process_continues_the_trace_with_all_fields,
    retry => a_job_that_failed_is_tried_again_with_the_same_parent,
    killed => a_job_of_a_killed_worker_keeps_its_parent,
    tenants => two_hundred_jobs_of_twenty_tenants_are_not_mixed_up,
    without_context => a_job_without_context_gets_none,
    hostile_context => a_hostile_job_sets_nothing,
}

#[tokio::test]
async fn the_stored_metadata_is_that_of_the_documentation() -> Result {
    let library = Apalis::connect(&unique("wire")).await?;
    let mut metadata = MetadataStore::new();
    metadata.insert("report", "monthly")?;
    wire::write_documented(&mut metadata);
    let stored = library.stored(metadata, "7").await?;
    assert_eq!(
        stored,
        serde_json::from_str::<Value>(wire::block(include_str!("../../../docs/messaging/apalis.md"), "apalis")?)?
    );
    library.remove().await
}

#[tokio::test]
async fn a_job_that_is_pushed_again_has_the_context_of_the_second_push() -> Result {
    telemetry::install();
    let mut metadata = MetadataStore::new();
    metadata.insert("Baggage", "tenant_id=globex")?;
    for tenant in ["initech", "acme"] {
        TENANT_ID.in_scope(tenant, || propagation::inject(&mut metadata));
    }
    assert_eq!(metadata.get("baggage"), Some("tenant_id=acme"));
    propagation::inject(&mut metadata);
    assert!(metadata.is_empty(), "{metadata:?}");
    Ok(())
}

/// Adds a job with apalis' own trace context, and handles it by a worker with apalis' tracing layer. Returns the trace and the id of the
/// span to which it belongs, and the spans of the job's tenant: that of apalis, and the consumer's.
async fn beside_the_layer_of_apalis(has_ours: bool) -> Result<(Value, Value, Vec<Value>)> {
    telemetry::install();
    opentelemetry::global::set_text_map_propagator(opentelemetry_sdk::propagation::TraceContextPropagator::new());
    let queue = unique("layers");
    let library = Apalis::connect(&queue).await?;
    let push = async {
        let mut metadata = MetadataStore::new();
        let sending = has_ours.then(|| Producer::new(Destination::new("apalis", queue.clone())).inject(&mut metadata));
        let span = sending.as_ref().map_or_else(tracing::Span::current, |sending| sending.span().clone());
        span.in_scope(|| TracingContext::from(OtelTraceContext::current()).inject(&mut metadata))?;
        library.stored(metadata, &queue).await
    };
    let stored = push.instrument(info_span!(target: "ctx", "request")).with_field(&TENANT_ID, queue.clone()).await?;
    let theirs = stored["apalis_core.tracing.context"].as_str().ok_or("it has the key of apalis")?;
    assert_eq!(stored.as_object().map(serde_json::Map::len), Some(if has_ours { 4 } else { 1 }), "{stored}");
    let [trace, span, ..] = &theirs.split(';').collect::<Vec<_>>()[..] else { return Err(theirs.into()) };
    let ids = (json!(trace), json!(span));

    let handler = JobHandler::new::<Apalis>(&queue, Trust::internal(), Mode::Handle, 1);
    let enough = handler.clone();
    let worker = WorkerBuilder::new(unique("worker"))
        .backend(library.storage())
        .data(handler)
        .layer(TraceLayer::new().make_span_with(ContextualTaskSpan::new()))
        .build(handle);
    worker.run_until(async move { enough.enough().await.map_err(std::io::Error::other) }).await?;
    library.remove().await?;
    let line = telemetry::lines("handled").into_iter().find(|line| line["body"] == *queue).ok_or("it is handled")?;
    let consumer = telemetry::span(line["span_id"].as_str().ok_or("it has a span")?).ok_or("it is exported")?;
    let task =
        telemetry::spans_named("task").into_iter().find(|task| task["parent"] == ids.1).ok_or("a span of apalis")?;
    Ok((ids.0, ids.1, vec![task, consumer]))
}

#[tokio::test]
async fn the_tracing_layer_of_apalis_adds_a_sibling_without_fields() -> Result {
    let (trace, parent, spans) = beside_the_layer_of_apalis(true).await?;
    for span in &spans {
        assert_eq!((&span["trace"], &span["parent"]), (&trace, &parent), "{span}");
    }
    let tenants: Vec<bool> = spans.iter().map(|span| span["attributes"].get("tenant_id").is_some()).collect();
    assert_eq!(tenants, [false, true]);
    Ok(())
}

#[tokio::test]
async fn the_trace_context_of_apalis_alone_is_no_context_of_ours() -> Result {
    let (trace, _, spans) = beside_the_layer_of_apalis(false).await?;
    let [task, consumer] = &spans[..] else { return Err("two spans".into()) };
    assert_eq!(task["trace"], trace);
    assert_ne!(consumer["trace"], trace);
    assert_eq!((&consumer["parent"], consumer["attributes"].get("tenant_id")), (&Value::Null, None));
    Ok(())
}
