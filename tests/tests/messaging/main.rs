//! Producers and consumers: whatever happens to a message, it is handled in its own context.

mod batches;
mod broker;
mod consume;
mod hostile;
mod metrics;
mod names;
mod other_ways;
mod produce;
mod shared;
mod tenants;
mod trace_modes;
mod worker;
