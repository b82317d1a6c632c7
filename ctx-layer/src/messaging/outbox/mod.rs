//! Messages that are stored in the transaction that they belong to, and sent afterwards.
//!
//! A program that changes its database and sends a message about it can crash between the two. With an outbox, the message is a row
//! that is written in the same transaction, and a relay sends it later. The context is captured when the row is **written**
//! ([`Outbox::append`]). The relay ([`Relay`]) sends exactly what was captured, and each row's send runs in that row's own context,
//! never in that of the relay.
//!
//! ```
//! use ctx_layer::messaging::{Destination, Producer, outbox::{Outbox, Relay}};
//! # use std::convert::Infallible;
//! # use ctx_layer::messaging::outbox::{OutboxDatabase, StoredMessage};
//!
//! # async fn publish(_: StoredMessage) -> Result<(), Infallible> { Ok(()) }
//! # async fn run<DB: OutboxDatabase>(pool: sqlx::Pool<DB>, mut transaction: sqlx::Transaction<'static, DB>) -> Result<(), sqlx::Error> {
//! let orders = Producer::new(Destination::new("rabbitmq", "orders"));
//!
//! // In the request, in its transaction:
//! let outbox = Outbox::<DB>::new();
//! outbox.append(&mut transaction, &orders, "the order as JSON").await?;
//! transaction.commit().await?;
//!
//! // In the background, again and again:
//! Relay::new(pool, outbox).publish_pending(publish).await?;
//! # Ok(())
//! # }
//! ```
//!
//! `cargo run --example outbox` in the repository shows it whole, with SQLite.
//!
//! # How often a message is sent
//!
//! **At least once, with the same id each time.** The relay sends a row, and then marks it as published. Between the two it can
//! crash; then the row is sent again when its [lease](Relay::lease) is over, by this relay or another: the same payload, the same
//! headers, the same `message_id`. No broker and no database can do better together. A consumer that stores the ids that it has
//! handled in its own transaction ([`Inbox`]) handles each message once.
//!
//! # Databases
//!
//! SQLite, PostgreSQL, and MySQL with MariaDB, through `sqlx` 0.9, which needs Rust 1.94. The drivers and the runtime are those that
//! the program enables in `sqlx`; this crate enables none. [`Outbox::schema`] returns the statements that create the table;
//! [`Outbox::create_table`] executes them. Times are milliseconds since 1970, by the clock of the program.
//!
//! | column | content |
//! |---|---|
//! | `id` | a number that grows: the order in which rows are sent |
//! | `message_id` | the message's id, unique |
//! | `system`, `destination` | of the [`Destination`](super::Destination) |
//! | `headers` | the headers, as a JSON object of strings |
//! | `payload` | the body |
//! | `created_at`, `published_at` | when it was written and sent; `published_at` is null before |
//! | `attempts` | how often sending it failed |
//! | `claimed_by`, `claimed_until` | the relay that sends it, and the end of its lease |

mod database;
mod dialect;
mod inbox;
#[allow(clippy::module_inception, reason = "it holds the type `Outbox`")]
mod outbox;
mod relay;
mod stored_message;
mod table_name;

pub use database::OutboxDatabase;
pub use inbox::Inbox;
pub use outbox::Outbox;
pub use relay::{Relay, RelaySummary};
pub use stored_message::StoredMessage;
