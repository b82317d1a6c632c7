//! How much context a recipient gets.

/// How much context a recipient gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outbound {
    /// `traceparent`, `tracestate`, the fields with [`propagated`](crate::Policy::propagated) and baggage. The default.
    #[default]
    Everything,
    /// `traceparent` only, for external recipients.
    TraceParentOnly,
}
