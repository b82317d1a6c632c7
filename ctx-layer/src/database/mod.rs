//! Databases: calls of their clients have spans that carry the fields, and statements carry the context in comments.
//!
//! ```
//! # async fn fetch(_: &str) -> Result<(), std::io::Error> { Ok(()) }
//! # async fn find() -> Result<(), std::io::Error> {
//! use ctx_layer::database::{Call, SqlComment};
//!
//! const FIND: &str = "SELECT name FROM orders WHERE id = $1";
//! let statement = SqlComment::new().add_to(FIND); // Only if the database's log should name the tenant.
//! Call::new("postgresql", "SELECT").collection("orders").query(FIND).run(fetch(&statement)).await
//! # }
//! ```
//!
//! | to | write |
//! |---|---|
//! | create the span of a call | [`Call`] |
//! | find the request behind a statement in the log of a SQL database | [`SqlComment`] |
//! | find the request behind an operation in the profiler of MongoDB | [`comment`](fn@comment), given to the driver's `comment` |
//!
//! # Spans
//!
//! Names, kinds and attributes are those of OpenTelemetry's [semantic conventions for database clients][conventions], version 1.42.0. The
//! spans have the level `INFO`, the kind `CLIENT`, and the target `ctx_layer::database::call`.
//!
//! [conventions]: https://github.com/open-telemetry/semantic-conventions/tree/v1.42.0/docs/database

mod call;
mod comment;
mod exposed;
mod sql_comment;

pub use call::Call;
pub use comment::comment;
pub use sql_comment::SqlComment;
