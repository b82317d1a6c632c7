//! Shared code of the integration tests.

mod captured;
mod exported;
mod fields;
mod recorder;
mod threads;
mod visiting;

pub use captured::Captured;
pub use exported::{Exported, attribute, attributes};
pub use fields::{ATTEMPT, BETA, EMAIL, HASHED_EMAIL, PLAN, Plan, RATIO, SHARD};
pub use recorder::{Item, Kind, Parent, Recorder, Value};
pub use threads::{Yield, block_on, each_poll_on_a_new_thread, on_a_new_thread, runtime};
pub use visiting::Visiting;

use ctx_layer::Schema;

/// Creates a schema of the well-known fields and the fields of the tests.
pub fn schema() -> Schema {
    Schema::builder()
        .well_known()
        .field(&ATTEMPT)
        .field(&SHARD)
        .field(&RATIO)
        .field(&BETA)
        .field(&PLAN)
        .build()
        .expect("no name is in it twice")
}

/// Returns every word of `text` that has the form `name=...`, repeated ones included.
pub fn count(text: &str, name: &str) -> usize {
    text.match_indices(&format!("{name}="))
        .filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .count()
}

/// Compiles the programs of the page.
#[cfg(doctest)]
#[doc = include_str!("../../docs/migrate.md")]
struct Migrate;

/// Compiles the programs of the page.
#[cfg(doctest)]
#[doc = include_str!("../../docs/messaging.md")]
struct Messaging;

/// Compiles the programs of the page.
#[cfg(doctest)]
#[doc = include_str!("../../docs/testing.md")]
struct Testing;
