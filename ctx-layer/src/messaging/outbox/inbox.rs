//! The table of messages that were handled.

use std::{fmt, marker::PhantomData, time::Duration};

use super::{
    database::{OutboxDatabase, Value},
    dialect::{Dialect, FORGOTTEN, HANDLED, IS_HANDLED},
    outbox::{millis, now},
    table_name::TableName,
};

/// A table of messages that a consumer has handled, so that it handles each once.
///
/// Ask it in the transaction in which the message is handled. What the handler stores and that it was handled are then committed
/// together:
///
/// ```
/// use ctx_layer::messaging::outbox::{Inbox, OutboxDatabase};
///
/// # async fn handle<DB: OutboxDatabase>(pool: &sqlx::Pool<DB>, message_id: &str) -> Result<(), sqlx::Error> {
/// let mut transaction = pool.begin().await?;
/// if Inbox::<DB>::new().is_first(&mut transaction, "billing", message_id).await? {
///     // Store what the message is about, in this transaction.
/// }
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
pub struct Inbox<DB> {
    table: TableName,
    database: PhantomData<fn() -> DB>,
}

impl<DB: OutboxDatabase> Inbox<DB> {
    /// Creates an inbox in the table `inbox`. The table has to [exist](Self::create_table).
    pub const fn new() -> Self {
        Inbox { table: TableName::of("inbox"), database: PhantomData }
    }

    /// Creates an inbox in another table.
    ///
    /// # Errors
    /// Returns an error if the name is not 1 to 50 of `a-z A-Z 0-9 _`, or starts with a digit.
    pub fn with_table(name: &str) -> Result<Self, sqlx::Error> {
        Ok(Inbox { table: TableName::checked(name)?, database: PhantomData })
    }

    /// Returns the statement that creates the table, for migrations.
    ///
    /// # Errors
    /// Returns an error if the database is not SQLite, PostgreSQL or MySQL.
    pub fn schema(&self) -> Result<String, sqlx::Error> {
        let dialect = Dialect::of::<DB>()?;
        Ok(dialect.statement(self.table.as_str(), dialect.inbox_schema()))
    }

    /// Creates the table if it does not exist.
    ///
    /// # Errors
    /// Returns the database's error.
    pub async fn create_table(&self, connection: &mut DB::Connection) -> Result<(), sqlx::Error> {
        DB::run(connection, self.schema()?).await
    }

    /// Stores that a consumer handles a message. Returns `true` the first time, and `false` if it has been handled.
    ///
    /// # Errors
    /// Returns the database's error. Of two transactions that handle the same message at once, one gets an error: roll it back, and
    /// have the message delivered again.
    pub async fn is_first(
        &self,
        transaction: &mut DB::Connection,
        consumer: &str,
        message_id: &str,
    ) -> Result<bool, sqlx::Error> {
        let dialect = Dialect::of::<DB>()?;
        let key = || vec![Value::Text(consumer.to_owned()), Value::Text(message_id.to_owned())];
        let statement = |template| dialect.statement(self.table.as_str(), template);
        if DB::exists(transaction, statement(IS_HANDLED), key()).await? {
            return Ok(false);
        }
        let mut values = key();
        values.push(Value::Number(now()));
        DB::execute(transaction, statement(HANDLED), values).await?;
        Ok(true)
    }

    /// Deletes messages that were handled longer ago than this. Keep them for longer than a broker may deliver one again.
    ///
    /// # Errors
    /// Returns the database's error.
    pub async fn purge(&self, connection: &mut DB::Connection, older_than: Duration) -> Result<(), sqlx::Error> {
        let before = now().saturating_sub(millis(older_than));
        let statement = Dialect::of::<DB>()?.statement(self.table.as_str(), FORGOTTEN);
        DB::execute(connection, statement, vec![Value::Number(before)]).await
    }
}

impl<DB: OutboxDatabase> Default for Inbox<DB> {
    fn default() -> Self {
        Self::new()
    }
}

impl<DB> Clone for Inbox<DB> {
    fn clone(&self) -> Self {
        Inbox { table: self.table.clone(), database: PhantomData }
    }
}

impl<DB> fmt::Debug for Inbox<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("table", &self.table.as_str()).finish()
    }
}
