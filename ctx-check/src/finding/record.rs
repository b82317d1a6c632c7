//! A finding, as it is reported.

use serde::Serialize;

use super::Cause;

/// The kind of fault that a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Calls without their servers, or messages without their consumers.
    BrokenEdge,
    /// Spans whose parent was never seen.
    Orphan,
    /// Traces with several roots.
    SeveralRoots,
    /// Traces that start in a service that is not called from outside.
    UnexpectedRoot,
    /// Traces with two tenants.
    MixedTenants,
    /// A tenant that changes on the path of a request.
    TenantChange,
    /// Spans or log records without a required field.
    MissingField,
    /// A clock that is ahead or behind.
    ClockSkew,
    /// Times within one service that cannot be.
    ImpossibleTime,
    /// Different spans with one id, or spans that are their own ancestors.
    InvalidTree,
    /// Consumers of a queue that relate to producers in another way than declared.
    QueueMode,
    /// Sensitive values.
    SensitiveValue,
    /// Headers that are too large.
    HeaderSize,
    /// Fields or span names with too many values.
    Cardinality,
    /// Traces that are too large to be judged whole.
    LargeTrace,
    /// Messages that no consumer was seen for.
    Unconsumed,
    /// A rule of the settings.
    OwnRule,
}

impl FindingKind {
    /// All kinds.
    pub const ALL: [Self; 17] = [
        Self::BrokenEdge,
        Self::Orphan,
        Self::SeveralRoots,
        Self::UnexpectedRoot,
        Self::MixedTenants,
        Self::TenantChange,
        Self::MissingField,
        Self::ClockSkew,
        Self::ImpossibleTime,
        Self::InvalidTree,
        Self::QueueMode,
        Self::SensitiveValue,
        Self::HeaderSize,
        Self::Cardinality,
        Self::LargeTrace,
        Self::Unconsumed,
        Self::OwnRule,
    ];

    /// Returns the id of the rule.
    pub const fn rule_id(self) -> &'static str {
        match self {
            Self::BrokenEdge => "ctx/broken-edge",
            Self::Orphan => "ctx/orphan",
            Self::SeveralRoots => "ctx/several-roots",
            Self::UnexpectedRoot => "ctx/unexpected-root",
            Self::MixedTenants => "ctx/mixed-tenants",
            Self::TenantChange => "ctx/tenant-change",
            Self::MissingField => "ctx/missing-field",
            Self::ClockSkew => "ctx/clock-skew",
            Self::ImpossibleTime => "ctx/impossible-time",
            Self::InvalidTree => "ctx/invalid-tree",
            Self::QueueMode => "ctx/queue-mode",
            Self::SensitiveValue => "ctx/sensitive-value",
            Self::HeaderSize => "ctx/header-size",
            Self::Cardinality => "ctx/cardinality",
            Self::LargeTrace => "ctx/large-trace",
            Self::Unconsumed => "ctx/unconsumed",
            Self::OwnRule => "ctx/own-rule",
        }
    }

    /// Returns the kind in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::BrokenEdge => "broken edge",
            Self::Orphan => "orphan spans",
            Self::SeveralRoots => "several roots",
            Self::UnexpectedRoot => "unexpected root",
            Self::MixedTenants => "two tenants in one trace",
            Self::TenantChange => "tenant changes on the path",
            Self::MissingField => "missing field",
            Self::ClockSkew => "clock skew",
            Self::ImpossibleTime => "impossible time",
            Self::InvalidTree => "invalid tree",
            Self::QueueMode => "queue mode",
            Self::SensitiveValue => "sensitive value",
            Self::HeaderSize => "header too large",
            Self::Cardinality => "too many values",
            Self::LargeTrace => "large trace",
            Self::Unconsumed => "no consumer seen",
            Self::OwnRule => "own rule",
        }
    }

    /// Returns how bad it is.
    pub const fn severity(self) -> Severity {
        match self {
            Self::BrokenEdge | Self::MixedTenants | Self::TenantChange | Self::SensitiveValue | Self::MissingField => {
                Severity::Error
            }
            Self::Orphan
            | Self::SeveralRoots
            | Self::UnexpectedRoot
            | Self::ClockSkew
            | Self::ImpossibleTime
            | Self::InvalidTree
            | Self::QueueMode
            | Self::HeaderSize
            | Self::Cardinality
            | Self::OwnRule => Severity::Warning,
            Self::LargeTrace | Self::Unconsumed => Severity::Note,
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Requests cannot be followed, or data is where it must not be.
    Error,
    /// Something is not as it should be.
    Warning,
    /// Good to know.
    Note,
}

/// A consequence of a cause, which is no finding of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// Spans without their parent.
    Orphans,
    /// Roots inside a trace, or traces that start anew.
    Roots,
    /// Spans and log records without a required field.
    MissingFields,
    /// Traces with two tenants.
    MixedTraces,
    /// Spans at times that cannot be.
    ImpossibleTimes,
}

impl Consequence {
    /// All consequences.
    pub const ALL: [Self; 5] =
        [Self::Orphans, Self::Roots, Self::MissingFields, Self::MixedTraces, Self::ImpossibleTimes];

    /// Returns the consequence in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Orphans => "orphan spans",
            Self::Roots => "traces or roots that start anew",
            Self::MissingFields => "spans and log records without a field",
            Self::MixedTraces => "traces with two tenants",
            Self::ImpossibleTimes => "spans at impossible times",
        }
    }
}

/// From where to where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// The service that calls or sends.
    pub from: String,
    /// The service that is called or receives; the address or queue if it is not known.
    pub to: String,
    /// The address or the queue.
    pub via: String,
}

/// A place to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The trace.
    pub trace_id: String,
    /// The spans: the one that shows the fault, and the other one of an edge.
    pub span_ids: Vec<String>,
    /// The file.
    pub file: String,
    /// The line of the file, or the message.
    pub line: u32,
}

/// A fault, with its place, its likely cause and a remedy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The kind of fault.
    pub kind: FindingKind,
    /// The id of the rule.
    pub rule_id: String,
    /// How bad it is.
    pub severity: Severity,
    /// The service in which it is seen.
    pub service: String,
    /// The edge, if it is one of an edge.
    pub edge: Option<Edge>,
    /// The field, if it is one of a field.
    pub field: Option<String>,
    /// The trace of the first example; empty if no trace shows it.
    pub trace_id: String,
    /// The spans of the first example.
    pub span_ids: Vec<String>,
    /// The likely cause.
    pub cause: Cause,
    /// The fault, in a sentence.
    pub message: String,
    /// The likely cause, in words.
    pub cause_words: String,
    /// The remedy.
    pub advice: String,
    /// How often it was seen.
    pub count: u64,
    /// Out of how many; 0 if that is not known.
    pub of: u64,
    /// When it was first seen, in nanoseconds since the Unix epoch; 0 if that is not known.
    pub first_seen: u64,
    /// When it was last seen.
    pub last_seen: u64,
    /// The consequences, which are no findings of their own.
    pub consequences: Vec<(Consequence, u64)>,
    /// The earliest examples.
    pub examples: Vec<Example>,
}

impl Finding {
    /// Returns what makes it the same finding in another run.
    pub fn identity(&self) -> String {
        let edge = self.edge.as_ref().map_or(String::new(), |edge| format!("{}>{}@{}", edge.from, edge.to, edge.via));
        format!(
            "{}|{}|{edge}|{}|{}",
            self.rule_id,
            self.service,
            self.field.as_deref().unwrap_or_default(),
            self.cause.name()
        )
    }
}
