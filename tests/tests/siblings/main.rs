//! Hostile programs of the kinds of faults that were found once: what is current, levels, errors, foreign code, secrets, the wire.

mod current;
mod errors;
mod foreign;
mod levels;
mod secrets;
mod wire;
