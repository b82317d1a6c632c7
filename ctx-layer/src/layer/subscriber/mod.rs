//! The subscriber over a whole stack.

mod context_subscriber;
mod disabled_spans;
mod exiting;
mod passing_on;

pub use context_subscriber::ContextSubscriber;
pub(super) use passing_on::{like, with_parent_of};
