//! A table of jobs in PostgreSQL, with the context in a column: `bash tests/services/run postgres`.

use std::time::Duration;

use ctx_layer::{
    FutureFieldsExt,
    database::{Call, SqlComment},
    field::well_known::TENANT_ID,
    propagation::{self, Captured, Trust},
};
use ctx_service_tests::{Result, broker::Broker, messages::ack, scenarios, server, telemetry};
use sqlx::{AssertSqlSafe, PgPool};
use tracing::{Instrument, info_span};

ctx_service_tests::jobs! {
    Postgres, "postgresql", "postgres", sqlx::Postgres, PgPool,
    format!("postgres://postgres@127.0.0.1:{}/postgres", server::port(5432)),
    create: "DO $$ BEGIN
        PERFORM pg_advisory_xact_lock(15);
        CREATE TABLE IF NOT EXISTS jobs (id BIGSERIAL PRIMARY KEY, queue TEXT NOT NULL, body TEXT NOT NULL, context JSONB,
            attempts INT NOT NULL DEFAULT 0, taken TIMESTAMPTZ);
        CREATE INDEX IF NOT EXISTS jobs_by_queue ON jobs (queue, id);
    END $$",
    insert: "INSERT INTO jobs (queue, body, context) VALUES ($1, $2, $3)",
    find: "SELECT id, body, attempts, context FROM jobs WHERE queue = $1 AND (taken IS NULL OR taken < now() - interval '2 seconds')
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
    take: "UPDATE jobs SET taken = now(), attempts = attempts + 1 WHERE id = $1",
    delete: "DELETE FROM jobs WHERE id = $1",
    bury: "UPDATE jobs SET queue = $1, taken = NULL, attempts = 0 WHERE id = $2",
}

ctx_service_tests::scenarios! { Postgres:
    alone: a_message_survives_a_restart_of_the_database_with_its_context,
    end_to_end => a_consumer_in_another_process_continues_the_trace_with_all_fields,
    redelivery => a_job_of_a_killed_consumer_keeps_its_parent,
    attempts => attempts_are_counted,
    dead_letters => a_dead_letter_keeps_its_context,
    tenants => ten_thousand_jobs_of_a_hundred_tenants_are_not_mixed_up,
    without_context => a_job_without_context_gets_none,
    hostile_context => a_hostile_job_sets_nothing,
    longest_baggage => the_longest_baggage_arrives_whole,
}

#[tokio::test]
async fn a_column_of_other_json_is_an_empty_context_and_costs_no_job() -> Result {
    let broker = Postgres::connect(&scenarios::unique("types")).await?;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let contexts = [
        (serde_json::json!([1, 2]), false),
        (serde_json::json!("x"), false),
        (serde_json::json!({"traceparent": 5, "baggage": {"a": 1}}), false),
        (serde_json::json!({"Traceparent": parent, "other": [1]}), true),
    ];
    for (context, is_continued) in contexts {
        let insert = "INSERT INTO jobs (queue, body, context) VALUES ($1, 'raw', $2)";
        sqlx::query(insert).bind(&broker.queue).bind(&context).execute(&broker.pool).await?;
        let job = scenarios::receive(&broker).await?;
        let extracted = propagation::extract(&job.context, Trust::internal());
        assert_eq!(extracted.is_continued(), is_continued, "{context}");
        ack(job).await?;
    }
    let insert = "INSERT INTO jobs (queue, body) VALUES ($1, 'raw')";
    sqlx::query(insert).bind(&broker.queue).execute(&broker.pool).await?;
    let job = scenarios::receive(&broker).await?;
    assert_eq!(job.context, None);
    ack(job).await
}

#[tokio::test]
async fn json_columns_without_binary_form_hold_it_too() -> Result {
    let broker = Postgres::connect(&scenarios::unique("json")).await?;
    let context: Captured = [("baggage", "tenant_id=acme")].into_iter().collect();
    let (read,): (Captured,) = sqlx::query_as("SELECT $1::json").bind(&context).fetch_one(&broker.pool).await?;
    assert_eq!(read, context);
    Ok(())
}

/// A tenant whose name would end the comment, the string and the statement.
const HOSTILE: &str = "*/ '; DROP TABLE jobs; -- $1 ?";

#[tokio::test]
async fn a_running_statement_and_the_log_name_the_tenant() -> Result {
    telemetry::install();
    let pool = Postgres::connect(&scenarios::unique("comment")).await?.pool;
    let slow = pool.clone();
    let request = async move {
        let statement = SqlComment::new().add_to("SELECT pg_sleep($1);").into_owned();
        sqlx::query(AssertSqlSafe(statement)).bind(3.0).persistent(false).execute(&slow).await
    };
    let request = tokio::spawn(async move {
        request.instrument(info_span!(target: "ctx", "request")).with_field(&TENANT_ID, HOSTILE).await
    });
    let select = "SELECT query FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
    let mut active: Vec<(String,)> = Vec::new();
    while active.is_empty() && !request.is_finished() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        active = sqlx::query_as(select).fetch_all(&pool).await?;
    }
    request.await??;
    let tenant = "tenant_id='%2A%2F%20%27%3B%20DROP%20TABLE%20jobs%3B%20--%20%241%20%3F'";
    let [(query,)] = &active[..] else { return Err(format!("not one statement: {active:?}").into()) };
    assert!(
        query.starts_with(&format!("SELECT pg_sleep($1) /*{tenant},traceparent='00-")) && query.ends_with("'*/;"),
        "{query}"
    );
    let log = std::path::Path::new(&std::env::var("CTX_SERVICES")?).join("postgres/log");
    assert!(std::fs::read_to_string(log)?.contains(query.as_str()));
    Ok(())
}

#[tokio::test]
async fn comments_of_a_tenant_alone_are_prepared_once() -> Result {
    telemetry::install();
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(1)
        .connect_with((*Postgres::connect(&scenarios::unique("prepared")).await?.pool.connect_options()).clone())
        .await?;
    let query = |comment: SqlComment| {
        let pool = pool.clone();
        async move {
            let statement = comment.add_to("SELECT 7").into_owned();
            sqlx::query(AssertSqlSafe(statement)).execute(&pool).await
        }
    };
    let prepared =
        || async { sqlx::query_as::<_, (i64,)>("SELECT count(*) FROM pg_prepared_statements").fetch_one(&pool).await };
    query(SqlComment::new().without_trace()).with_field(&TENANT_ID, "acme").await?;
    let (before,) = prepared().await?;
    for _ in 0..5 {
        query(SqlComment::new().without_trace()).with_field(&TENANT_ID, "acme").await?;
    }
    assert_eq!(prepared().await?.0, before);
    // The caveat: with a trace each is another statement.
    for _ in 0..5 {
        query(SqlComment::new())
            .instrument(info_span!(target: "ctx", "request"))
            .with_field(&TENANT_ID, "acme")
            .await?;
    }
    assert_eq!(prepared().await?.0, before + 5);
    Ok(())
}

#[tokio::test]
async fn a_query_is_a_client_span_with_the_fields() -> Result {
    telemetry::install();
    let pool = Postgres::connect(&scenarios::unique("call")).await?.pool;
    const COUNT: &str = "SELECT count(*) FROM jobs WHERE queue = $1";
    let tenant = scenarios::unique("tenant");
    let call =
        Call::new("postgresql", "SELECT").collection("jobs").query(COUNT).server("127.0.0.1", server::port(5432));
    call.run(sqlx::query(COUNT).bind("none").execute(&pool)).with_field(&TENANT_ID, tenant.clone()).await?;
    let failing = Call::new("postgresql", "SELECT").collection("nothing");
    let failed =
        failing.run(sqlx::query("SELECT * FROM nothing").execute(&pool)).with_field(&TENANT_ID, tenant.clone()).await;
    assert!(failed.is_err());
    let spans = telemetry::spans_of(&tenant);
    let [query, failed] = &spans[..] else { return Err(format!("not two spans: {spans:#?}").into()) };
    assert_eq!((&query["exported"], &query["kind"]), (&"SELECT jobs".into(), &"client".into()));
    for (key, value) in [
        ("db.system.name", "postgresql"),
        ("db.operation.name", "SELECT"),
        ("db.collection.name", "jobs"),
        ("db.query.text", COUNT),
        ("server.address", "127.0.0.1"),
    ] {
        assert_eq!(query["attributes"][key], value);
    }
    assert_eq!(failed["attributes"]["error.type"], "sqlx_core::error::Error");
    Ok(())
}
