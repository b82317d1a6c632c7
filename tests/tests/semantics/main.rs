//! The meaning of fields: which value is current where, and for how long.

mod baggage;
mod debug;
mod ends;
mod errors;
mod foreign;
mod guards;
mod kept_apart;
mod levels;
mod long_run;
mod metrics;
mod nothing;
mod out_of_order;
mod own_values;
mod parents;
mod passed_on;
mod pins;
mod recording;
mod replaced;
mod requests;
mod sets;
mod spans;
mod stacks;
mod tasks;
mod values;
