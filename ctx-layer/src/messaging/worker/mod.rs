//! Handling messages one after another, or several at once.

mod delivery;
mod message;
mod settle;
mod summary;
#[allow(clippy::module_inception, reason = "it holds the type `Worker`")]
mod worker;

pub use delivery::Delivery;
pub use message::Message;
pub use summary::WorkerSummary;
pub use worker::Worker;
