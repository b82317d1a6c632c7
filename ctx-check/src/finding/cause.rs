//! Likely causes.

use serde::Serialize;

/// The likely cause of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The caller sends no context.
    NoPropagatorInCaller,
    /// The other side does not read context.
    NoPropagatorInCallee,
    /// One of the two sides has no propagator, and nothing tells which.
    NoPropagator,
    /// The header is removed on its way.
    HeaderStripped,
    /// The other side links to the caller, and does not continue its trace.
    LinkInsteadOfParent,
    /// Something between the two sides has spans of its own, which are not exported.
    HopBetween,
    /// The id of the trace arrives, and that of the span does not.
    ParentDropped,
    /// The span exists, and was not exported.
    SpanLost,
    /// The other side samples by itself.
    SampledAway,
    /// Spans are recorded with another version of OpenTelemetry, which has other globals.
    AnotherVersion,
    /// The other side records no such spans.
    NotInstrumented,
    /// A clock is ahead or behind.
    ClockSkew,
    /// The caller is outside, or exports nothing.
    UnknownCaller,
    /// The field is not set where the request enters.
    NotSetAtEntry,
    /// The field is not propagated from service to service.
    NotPropagated,
    /// The field is not carried inside a service.
    NotCarried,
    /// The record is written outside of the context of its span.
    OutsideOfContext,
    /// The field is replaced by another value.
    Replaced,
    /// Work of several tenants is under one span.
    SharedWork,
    /// The value is recorded by the program.
    Recorded,
    /// Values that are different for each request are in a name or field.
    Unbounded,
    /// Ids are repeated.
    RepeatedId,
    /// The relation is not the one that is declared.
    NotAsDeclared,
    /// Messages are still in the queue, or their consumer is not in the data.
    StillQueued,
    /// It is as the rule says.
    Rule,
}

impl Cause {
    /// Returns the name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoPropagatorInCaller => "no_propagator_in_caller",
            Self::NoPropagatorInCallee => "no_propagator_in_callee",
            Self::NoPropagator => "no_propagator",
            Self::HeaderStripped => "header_stripped",
            Self::LinkInsteadOfParent => "link_instead_of_parent",
            Self::HopBetween => "hop_between",
            Self::ParentDropped => "parent_dropped",
            Self::SpanLost => "span_lost",
            Self::SampledAway => "sampled_away",
            Self::AnotherVersion => "another_version",
            Self::NotInstrumented => "not_instrumented",
            Self::ClockSkew => "clock_skew",
            Self::UnknownCaller => "unknown_caller",
            Self::NotSetAtEntry => "not_set_at_entry",
            Self::NotPropagated => "not_propagated",
            Self::NotCarried => "not_carried",
            Self::OutsideOfContext => "outside_of_context",
            Self::Replaced => "replaced",
            Self::SharedWork => "shared_work",
            Self::Recorded => "recorded",
            Self::Unbounded => "unbounded",
            Self::RepeatedId => "repeated_id",
            Self::NotAsDeclared => "not_as_declared",
            Self::StillQueued => "still_queued",
            Self::Rule => "rule",
        }
    }
}
