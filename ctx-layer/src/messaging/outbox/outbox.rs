//! The table of messages that are to be sent.

use std::{
    fmt,
    marker::PhantomData,
    time::{Duration, SystemTime},
};

use serde_json::Map;

use super::{
    database::{OutboxDatabase, Value},
    dialect::{Dialect, PURGED},
    table_name::TableName,
};
use crate::{
    messaging::{Producer, SendOptions},
    propagation::CarrierMut,
};

/// A table of messages that are to be sent. See [the module](crate::messaging::outbox).
pub struct Outbox<DB> {
    pub(super) table: TableName,
    database: PhantomData<fn() -> DB>,
}

impl<DB: OutboxDatabase> Outbox<DB> {
    /// Creates an outbox in the table `outbox`. The table has to [exist](Self::create_table).
    pub const fn new() -> Self {
        Outbox { table: TableName::of("outbox"), database: PhantomData }
    }

    /// Creates an outbox in another table.
    ///
    /// # Errors
    /// Returns an error if the name is not 1 to 50 of `a-z A-Z 0-9 _`, or starts with a digit.
    pub fn with_table(name: &str) -> Result<Self, sqlx::Error> {
        Ok(Outbox { table: TableName::checked(name)?, database: PhantomData })
    }

    /// Returns the statements that create the table and its index, for migrations.
    ///
    /// # Errors
    /// Returns an error if the database is not SQLite, PostgreSQL or MySQL.
    pub fn schema(&self) -> Result<Vec<String>, sqlx::Error> {
        let dialect = Dialect::of::<DB>()?;
        Ok(dialect.outbox_schema().iter().map(|sql| dialect.statement(self.table.as_str(), sql)).collect())
    }

    /// Creates the table if it does not exist.
    ///
    /// # Errors
    /// Returns the database's error.
    pub async fn create_table(&self, connection: &mut DB::Connection) -> Result<(), sqlx::Error> {
        for statement in self.schema()? {
            DB::run(connection, statement).await?;
        }
        Ok(())
    }

    /// Writes a message with the current context, and returns its id. Pass the transaction that it belongs to, as in
    /// `append(&mut transaction, ..)`: the message is sent if that is committed, and not otherwise.
    ///
    /// Creates a span of kind `PRODUCER` with the operation `create`, which becomes the parent of the consumer's. The context is the
    /// one that is current when this future is first polled.
    ///
    /// # Errors
    /// Returns the database's error. The id is unique: a second message with it is one, too.
    pub async fn append(
        &self,
        transaction: &mut DB::Connection,
        producer: &Producer,
        payload: impl Into<Vec<u8>> + Send,
    ) -> Result<Box<str>, sqlx::Error> {
        self.append_with(transaction, producer, payload, [], &SendOptions::new()).await
    }

    /// Writes a message with other headers and with these properties. See [`append`](Self::append).
    ///
    /// ```
    /// use ctx_layer::messaging::{Cause, Producer, SendOptions, outbox::{Outbox, OutboxDatabase}};
    ///
    /// # async fn remind<DB: OutboxDatabase>(transaction: &mut DB::Connection, reminders: &Producer) -> Result<(), sqlx::Error> {
    /// let tomorrow = SendOptions::new().cause(Cause::Delayed);
    /// let headers = [("content-type", "application/json")];
    /// Outbox::<DB>::new().append_with(transaction, reminders, "{}", headers, &tomorrow).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns the database's error.
    pub async fn append_with<'h>(
        &self,
        transaction: &mut DB::Connection,
        producer: &Producer,
        payload: impl Into<Vec<u8>> + Send,
        headers: impl IntoIterator<Item = (&'h str, &'h str)> + Send,
        options: &SendOptions,
    ) -> Result<Box<str>, sqlx::Error> {
        let dialect = Dialect::of::<DB>()?;
        let mut stored = Map::new();
        headers.into_iter().for_each(|(key, value)| stored.set(key, value));
        let message_id = producer.create(&mut stored, options);
        let values = vec![
            Value::Text((*message_id).to_owned()),
            Value::Text(producer.destination().system().to_owned()),
            Value::Text(producer.destination().name().to_owned()),
            Value::Text(serde_json::Value::Object(stored).to_string()),
            Value::Bytes(payload.into()),
            Value::Number(now()),
        ];
        DB::execute(transaction, dialect.statement(self.table.as_str(), dialect.insert()), values).await?;
        Ok(message_id)
    }

    /// Deletes messages that were published longer ago than this.
    ///
    /// # Errors
    /// Returns the database's error.
    pub async fn purge(&self, connection: &mut DB::Connection, older_than: Duration) -> Result<(), sqlx::Error> {
        let before = now().saturating_sub(millis(older_than));
        let statement = Dialect::of::<DB>()?.statement(self.table.as_str(), PURGED);
        DB::execute(connection, statement, vec![Value::Number(before)]).await
    }
}

impl<DB: OutboxDatabase> Default for Outbox<DB> {
    fn default() -> Self {
        Self::new()
    }
}

impl<DB> Clone for Outbox<DB> {
    fn clone(&self) -> Self {
        Outbox { table: self.table.clone(), database: PhantomData }
    }
}

impl<DB> fmt::Debug for Outbox<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("table", &self.table.as_str()).finish()
    }
}

/// Returns the time in milliseconds since 1970.
pub(super) fn now() -> i64 {
    millis(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
