//! The names of the headers.

pub(crate) const TRACEPARENT: &str = "traceparent";
pub(crate) const TRACESTATE: &str = "tracestate";
pub(crate) const BAGGAGE: &str = "baggage";

/// All names, in the order in which they are written.
pub(crate) const ALL: [&str; 3] = [TRACEPARENT, TRACESTATE, BAGGAGE];
