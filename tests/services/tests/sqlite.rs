//! A table of jobs in SQLite, with the context in a column. Needs no server.

use ctx_layer::propagation::{self, Captured, Trust};
use ctx_service_tests::Result;
use sqlx::SqlitePool;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn a_column_of_text_holds_captured_context() -> Result {
    let pool = SqlitePool::connect("sqlite::memory:").await?;
    sqlx::query("CREATE TABLE jobs (context TEXT)").execute(&pool).await?;
    let context = propagation::extract(&[("traceparent", PARENT)], Trust::external()).in_scope(propagation::capture);
    sqlx::query("INSERT INTO jobs VALUES (?)").bind(&context).execute(&pool).await?;
    let (stored,): (String,) = sqlx::query_as("SELECT context FROM jobs").fetch_one(&pool).await?;
    assert_eq!(stored, format!(r#"{{"traceparent":"{PARENT}"}}"#), "the bytes of docs/messaging/sql.md");
    let (read,): (Captured,) = sqlx::query_as("SELECT context FROM jobs").fetch_one(&pool).await?;
    assert_eq!(read, context);
    Ok(())
}

#[tokio::test]
async fn a_column_without_context_or_with_other_text_costs_no_row() -> Result {
    let pool = SqlitePool::connect("sqlite::memory:").await?;
    let (none,): (Option<Captured>,) = sqlx::query_as("SELECT NULL").fetch_one(&pool).await?;
    assert_eq!(none, None);
    for other in ["", "x", "[]", "{", r#"{"traceparent":7}"#] {
        let (read,): (Captured,) = sqlx::query_as("SELECT ?").bind(other).fetch_one(&pool).await?;
        assert!(read.is_empty(), "{other}");
    }
    Ok(())
}
