//! What the fields mean: which value stands where, and for how long it is in force.

mod baggage;
mod debug;
mod errors;
mod guards;
mod kept_apart;
mod late_binding;
mod levels;
mod metrics;
mod nothing;
mod own_values;
mod parents;
mod pins;
mod requests;
mod sets;
mod spans;
mod stacks;
mod tasks;
mod values;
