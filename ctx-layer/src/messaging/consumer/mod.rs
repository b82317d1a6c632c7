//! Receiving messages.

mod active_message;
#[allow(clippy::module_inception, reason = "it holds the type `Consumer`")]
mod consumer;
mod process_future;
mod processing;
mod receive_options;
mod received;
mod received_batch;
mod settings;
#[cfg(feature = "tokio")]
mod settling;
mod span;

pub use active_message::ActiveMessage;
pub use consumer::Consumer;
#[cfg(feature = "tokio")]
pub(super) use process_future::CaughtFuture;
pub use process_future::ProcessFuture;
pub use processing::Processing;
pub use receive_options::ReceiveOptions;
pub use received::Received;
pub use received_batch::ReceivedBatch;
