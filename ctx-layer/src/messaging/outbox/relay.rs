//! Sending the messages of an outbox.

use std::{fmt, time::Duration};

use sqlx::Pool;
use tracing::warn;

use super::{
    database::{ClaimedRow, OutboxDatabase, Value},
    dialect::{Dialect, FAILED, PUBLISHED, RELEASED},
    outbox::{Outbox, millis, now},
    stored_message::StoredMessage,
};
use crate::{
    messaging::{
        Destination, Producer, TraceMode,
        headers::{self, MESSAGE_CAUSE, TRACE_MODE},
        trace_mode::Cause,
    },
    propagation::{Boundary, Trust},
    task::{InContextExt, Snapshot},
    unique_id::unique_id,
};

static BOUNDARY: Boundary = Boundary::new("messaging.outbox");

/// A relay that sends the messages of an outbox, each in the context that was captured with it.
///
/// Several relays may run at once: each claims rows for the time of its [lease](Self::lease), in batches. Rows are sent one after
/// another, by `id`. The order holds for one relay, as long as no send fails.
///
/// | setting | default |
/// |---|---|
/// | [`batch`](Self::batch) | 100 rows |
/// | [`lease`](Self::lease) | 60 seconds |
/// | [`retry_after`](Self::retry_after) | 5 seconds |
/// | [`max_attempts`](Self::max_attempts) | no limit |
///
/// Run it in a loop:
///
/// ```
/// # use ctx_layer::messaging::outbox::{OutboxDatabase, Relay, StoredMessage};
/// # use std::{convert::Infallible, time::Duration};
/// # async fn publish(_: StoredMessage) -> Result<(), Infallible> { Ok(()) }
/// # async fn run<DB: OutboxDatabase>(relay: Relay<DB>) {
/// loop {
///     if let Err(error) = relay.publish_pending(publish).await {
///         tracing::error!(%error, "the outbox is not readable");
///     }
///     tokio::time::sleep(Duration::from_secs(1)).await;
/// }
/// # }
/// ```
pub struct Relay<DB: OutboxDatabase> {
    pool: Pool<DB>,
    outbox: Outbox<DB>,
    id: String,
    batch: u32,
    lease: Duration,
    retry_after: Duration,
    max_attempts: Option<u32>,
    boundary: &'static Boundary,
}

/// How often a statement is tried that other relays' statements are in conflict with.
const MAX_TRIES: u32 = 20;

/// Returns `true` if a database has ended a statement in favour of another: a serialization failure, or a deadlock (PostgreSQL,
/// appendix A; MySQL, error 1213).
fn is_conflict(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| matches!(&*code, "40001" | "40P01"))
}

/// The number of messages that a relay has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelaySummary {
    /// Messages that were sent.
    pub published: u64,
    /// Messages whose send failed. They are sent again after [`Relay::retry_after`].
    pub failed: u64,
}

impl<DB: OutboxDatabase> Relay<DB> {
    /// Creates a relay with the defaults.
    pub fn new(pool: Pool<DB>, outbox: Outbox<DB>) -> Self {
        Relay {
            pool,
            outbox,
            id: unique_id(),
            batch: 100,
            lease: Duration::from_secs(60),
            retry_after: Duration::from_secs(5),
            max_attempts: None,
            boundary: &BOUNDARY,
        }
    }

    /// Sets how many rows are claimed at once. Defaults to 100; 0 is taken as 1.
    pub fn batch(mut self, rows: u32) -> Self {
        self.batch = rows.max(1);
        self
    }

    /// Sets for how long the rows of a batch are claimed. Defaults to 60 seconds.
    ///
    /// A batch that takes longer is sent twice if another relay runs. After a crash, rows are sent when the lease is over.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets how long a row waits after its send has failed. Defaults to 5 seconds.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = wait;
        self
    }

    /// Sets how often a row is tried. Afterwards it stays in the table, unpublished. By default there is no limit.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// Sets the boundary that counts. Defaults to a boundary named `messaging.outbox`.
    pub fn boundary(mut self, boundary: &'static Boundary) -> Self {
        self.boundary = boundary;
        self
    }

    /// Sends all messages that wait, and returns how many they were.
    ///
    /// `publish` is called, and its future polled, in the context that was captured with the message, within a span of kind `CLIENT`
    /// with the operation `send`. A message whose future returns an error is sent again later. One that was sent and could not be
    /// marked is an error of this function, and is sent again when the lease is over, with the same id.
    ///
    /// # Errors
    /// Returns the database's error.
    pub async fn publish_pending<F, E>(&self, publish: impl Fn(StoredMessage) -> F) -> Result<RelaySummary, sqlx::Error>
    where
        F: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        let mut summary = RelaySummary::default();
        loop {
            let claimed = self.claim().await?;
            if claimed.is_empty() {
                return Ok(summary);
            }
            for row in claimed {
                let id = row.id;
                match self.send(StoredMessage::of(row), &publish).await {
                    Ok(()) => {
                        self.execute(PUBLISHED, vec![Value::Number(now()), Value::Number(id)]).await?;
                        summary.published += 1;
                    }
                    Err(_) => {
                        let again = now().saturating_add(millis(self.retry_after));
                        let row = vec![Value::Number(again), Value::Number(id), Value::Text(self.id.clone())];
                        self.execute(FAILED, row).await?;
                        summary.failed += 1;
                    }
                }
            }
        }
    }

    /// Gives the rows back that this relay has claimed, so that others send them at once. Call it when a [`publish_pending`] was
    /// dropped.
    ///
    /// [`publish_pending`]: Self::publish_pending
    ///
    /// # Errors
    /// Returns the database's error.
    pub async fn release(&self) -> Result<(), sqlx::Error> {
        self.execute(RELEASED, vec![Value::Text(self.id.clone())]).await
    }

    async fn execute(&self, template: &str, values: Vec<Value>) -> Result<(), sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        self.execute_on(&mut connection, template, values).await
    }

    /// Executes a statement that is a transaction of its own, again if it loses against another relay.
    async fn execute_on(
        &self,
        connection: &mut DB::Connection,
        template: &str,
        values: Vec<Value>,
    ) -> Result<(), sqlx::Error> {
        let statement = Dialect::of::<DB>()?.statement(self.outbox.table.as_str(), template);
        let mut tries = 0;
        loop {
            tries += 1;
            match DB::execute(connection, statement.clone(), values.clone()).await {
                Err(error) if is_conflict(&error) && tries < MAX_TRIES => {}
                result => return result,
            }
        }
    }

    async fn claim(&self) -> Result<Vec<ClaimedRow>, sqlx::Error> {
        let dialect = Dialect::of::<DB>()?;
        let claimed = dialect.statement(self.outbox.table.as_str(), dialect.claimed());
        let now = now();
        let claim = vec![
            Value::Text(self.id.clone()),
            Value::Number(now.saturating_add(millis(self.lease))),
            Value::Number(now),
            Value::Number(self.max_attempts.map_or(i64::MAX, i64::from)),
            Value::Number(i64::from(self.batch)),
        ];
        let mut connection = self.pool.acquire().await?;
        self.execute_on(&mut connection, dialect.claim(), claim).await?;
        DB::claimed(&mut connection, claimed, vec![Value::Text(self.id.clone())]).await
    }

    /// Sends a message in its own context.
    async fn send<F, E>(&self, message: StoredMessage, publish: &impl Fn(StoredMessage) -> F) -> Result<(), E>
    where
        F: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        let mode = headers::parsed(&message, TRACE_MODE, TraceMode::parse).unwrap_or_default();
        let cause = headers::parsed(&message, MESSAGE_CAUSE, Cause::parse).unwrap_or_default();
        // The table is the program's own: what it stored is trusted.
        let trust = match mode {
            TraceMode::Child => Trust::internal(),
            TraceMode::Link => Trust::internal().link_only(),
        };
        let extracted = self.boundary.extract(&message, trust);
        let sender = extracted.remote().cloned();
        let snapshot = Snapshot::restored(extracted.into_context());
        let destination = Destination::new(message.system().to_owned(), message.destination().to_owned());
        let producer = Producer::new(destination);
        let sending = snapshot.in_scope(|| producer.forward(Some(message.message_id()), cause, None, sender));
        let sent = async {
            let sent = sending.run(async { publish(message).await }).await;
            if let Err(error) = &sent {
                warn!(%error, "a message of the outbox was not sent");
            }
            sent
        };
        sent.in_context(snapshot).await
    }
}

impl<DB: OutboxDatabase> fmt::Debug for Relay<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("outbox", &self.outbox)
            .field("batch", &self.batch)
            .field("lease", &self.lease)
            .field("retry_after", &self.retry_after)
            .field("max_attempts", &self.max_attempts)
            .finish_non_exhaustive()
    }
}
