//! Serving requests: a `tower` layer.

mod client_address;
mod forwarded;
mod header_rule;
mod layer;
mod service;
mod settings;
mod span;

pub use header_rule::{HeaderRule, is_well_formed};
pub use layer::ServerLayer;
pub use service::{ServerFuture, ServerService};
