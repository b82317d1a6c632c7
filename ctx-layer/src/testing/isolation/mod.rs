//! Keeping the telemetry of tests apart that run in one process at the same time.

mod live;
mod owner;
mod store;
mod thread_name;
mod witness;

pub(super) use owner::{Owned, OwnedThread, claim_span, owner, owner_in, owner_of_span};
pub(super) use store::Store;
pub(super) use witness::witness;
