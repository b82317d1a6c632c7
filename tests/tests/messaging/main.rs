//! Producers and consumers: whatever happens to a message, it is handled in its own context.

mod batches;
mod consume;
mod produce;
mod shared;
mod trace_modes;
