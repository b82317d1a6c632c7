//! The databases that an outbox can be in.

use sqlx::{AssertSqlSafe, ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Row, Type, query, raw_sql};

/// A value of a statement.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A number.
    Number(i64),
}

/// A row that a relay has claimed.
#[derive(Debug)]
pub struct ClaimedRow {
    pub id: i64,
    pub message_id: String,
    pub system: String,
    pub destination: String,
    pub headers: String,
    pub payload: Vec<u8>,
    pub attempts: i64,
}

/// A database that an outbox can be in. It is implemented for `sqlx`'s `Sqlite`, `Postgres` and `MySql`.
///
/// It is implemented for every other driver of `sqlx` with the usual types, too; statements return an error there.
pub trait OutboxDatabase: Database + Sealed {}

impl<DB: Database + Sealed> OutboxDatabase for DB {}

/// The statements of an outbox. Hides the bounds of `sqlx`.
pub trait Sealed: Database {
    /// Executes statements without values.
    fn run(connection: &mut Self::Connection, sql: String) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Executes a statement with values.
    fn execute(
        connection: &mut Self::Connection,
        sql: String,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Returns `true` if a query has a row.
    fn exists(
        connection: &mut Self::Connection,
        sql: String,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send;

    /// Returns the rows that a relay has claimed.
    fn claimed(
        connection: &mut Self::Connection,
        sql: String,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<ClaimedRow>, sqlx::Error>> + Send;
}

impl<DB> Sealed for DB
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    for<'v> String: Encode<'v, DB> + Decode<'v, DB> + Type<DB>,
    for<'v> Vec<u8>: Encode<'v, DB> + Decode<'v, DB> + Type<DB>,
    for<'v> i64: Encode<'v, DB> + Decode<'v, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    async fn run(connection: &mut DB::Connection, sql: String) -> Result<(), sqlx::Error> {
        raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
    }

    async fn execute(connection: &mut DB::Connection, sql: String, values: Vec<Value>) -> Result<(), sqlx::Error> {
        bound::<DB>(sql, values).execute(connection).await.map(drop)
    }

    async fn exists(connection: &mut DB::Connection, sql: String, values: Vec<Value>) -> Result<bool, sqlx::Error> {
        Ok(bound::<DB>(sql, values).fetch_optional(connection).await?.is_some())
    }

    async fn claimed(
        connection: &mut DB::Connection,
        sql: String,
        values: Vec<Value>,
    ) -> Result<Vec<ClaimedRow>, sqlx::Error> {
        let rows = bound::<DB>(sql, values).fetch_all(connection).await?;
        let read = |row: &DB::Row| {
            Ok(ClaimedRow {
                id: row.try_get(0)?,
                message_id: row.try_get(1)?,
                system: row.try_get(2)?,
                destination: row.try_get(3)?,
                headers: row.try_get(4)?,
                payload: row.try_get(5)?,
                attempts: row.try_get(6)?,
            })
        };
        rows.iter().map(read).collect()
    }
}

/// Returns a statement with its values. The statements are this crate's own, and names of tables are checked.
fn bound<DB>(sql: String, values: Vec<Value>) -> sqlx::query::Query<'static, DB, DB::Arguments>
where
    DB: Database,
    for<'v> String: Encode<'v, DB> + Type<DB>,
    for<'v> Vec<u8>: Encode<'v, DB> + Type<DB>,
    for<'v> i64: Encode<'v, DB> + Type<DB>,
{
    values.into_iter().fold(query(AssertSqlSafe(sql)), |query, value| match value {
        Value::Text(value) => query.bind(value),
        Value::Bytes(value) => query.bind(value),
        Value::Number(value) => query.bind(value),
    })
}
