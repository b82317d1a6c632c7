//! Context over the wire: what is sent, what is trusted, what is lost and how the loss is reported.

mod baggage;
mod capture;
mod carriers;
mod counters;
mod debug;
mod env;
mod fuzzed;
mod grammar;
mod journey;
mod limits;
mod outbound;
mod payloads;
mod propagator;
mod properties;
mod shared;
mod traceparent;
mod tracestate;
mod trust;
mod validation;
