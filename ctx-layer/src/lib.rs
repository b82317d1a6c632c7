//! Context fields on every `tracing` span and every event, in every output, whoever emitted them.
#![warn(missing_docs)]

pub mod context;
pub mod field;
pub mod layer;

pub use context::{ContextFieldsExt, FieldsGuard, FutureFieldsExt};
pub use field::{ContextField, Fields, Policy, Schema};
#[cfg(feature = "fmt")]
pub use layer::OwnFields;
pub use layer::{ContextLayer, ContextOutput, ContextSubscriber, WithContextExt, once_per_line};
