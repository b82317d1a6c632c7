//! Sending messages.

#[allow(clippy::module_inception, reason = "it holds the type `Producer`")]
mod producer;
mod send_batch;
mod send_options;
mod sending;
mod settings;
mod span;

pub use producer::Producer;
pub use send_batch::SendBatch;
pub use send_options::SendOptions;
pub use sending::{SendFuture, Sending};
