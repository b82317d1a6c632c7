//! The rules of the specification, as of the version below: <https://github.com/instrumentation-score/spec>.

use serde::Serialize;

/// The version of the specification whose rules these are.
pub const SPECIFICATION_VERSION: &str = "0.1";

/// How much a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// 40.
    Critical,
    /// 30.
    Important,
    /// 20.
    Normal,
    /// 10.
    Low,
}

impl Impact {
    /// Returns the weight in the formula.
    pub const fn weight(self) -> u64 {
        match self {
            Self::Critical => 40,
            Self::Important => 30,
            Self::Normal => 20,
            Self::Low => 10,
        }
    }
}

/// A rule of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Debug logs are not on in production for longer than 14 days.
    Log001,
    /// Log records have a severity number.
    Log002,
    /// Attributes of metrics have less than 10 000 values.
    Met001,
    /// Metrics have units.
    Met002,
    /// A metric has one unit.
    Met003,
    /// A histogram has the same bounds everywhere.
    Met004,
    /// Names of metrics do not contain the unit.
    Met005,
    /// Names of metrics are no attribute keys.
    Met006,
    /// `service.instance.id` is present.
    Res001,
    /// `service.instance.id` is unique.
    Res002,
    /// `k8s.pod.uid` is present.
    Res003,
    /// Attributes are at the right level.
    Res004,
    /// `service.name` is present.
    Res005,
    /// Language and runtime are supported by the SDK.
    Sdk001,
    /// At most 10 INTERNAL spans of a service in a trace.
    Spa001,
    /// No orphans.
    Spa002,
    /// Span names have bound cardinality.
    Spa003,
    /// Root spans are not CLIENT spans.
    Spa004,
    /// At most 20 spans of less than 5 ms in a trace.
    Spa005,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 19] = [
        Self::Log001,
        Self::Log002,
        Self::Met001,
        Self::Met002,
        Self::Met003,
        Self::Met004,
        Self::Met005,
        Self::Met006,
        Self::Res001,
        Self::Res002,
        Self::Res003,
        Self::Res004,
        Self::Res005,
        Self::Sdk001,
        Self::Spa001,
        Self::Spa002,
        Self::Spa003,
        Self::Spa004,
        Self::Spa005,
    ];

    /// Returns the id.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Log001 => "LOG-001",
            Self::Log002 => "LOG-002",
            Self::Met001 => "MET-001",
            Self::Met002 => "MET-002",
            Self::Met003 => "MET-003",
            Self::Met004 => "MET-004",
            Self::Met005 => "MET-005",
            Self::Met006 => "MET-006",
            Self::Res001 => "RES-001",
            Self::Res002 => "RES-002",
            Self::Res003 => "RES-003",
            Self::Res004 => "RES-004",
            Self::Res005 => "RES-005",
            Self::Sdk001 => "SDK-001",
            Self::Spa001 => "SPA-001",
            Self::Spa002 => "SPA-002",
            Self::Spa003 => "SPA-003",
            Self::Spa004 => "SPA-004",
            Self::Spa005 => "SPA-005",
        }
    }

    /// Returns how much it counts.
    pub const fn impact(self) -> Impact {
        match self {
            Self::Res005 => Impact::Critical,
            Self::Log001
            | Self::Log002
            | Self::Met001
            | Self::Met002
            | Self::Met003
            | Self::Met006
            | Self::Res002
            | Self::Res003
            | Self::Res004
            | Self::Spa003
            | Self::Spa004
            | Self::Spa005 => Impact::Important,
            Self::Met004 | Self::Met005 | Self::Res001 | Self::Spa001 | Self::Spa002 => Impact::Normal,
            Self::Sdk001 => Impact::Low,
        }
    }

    /// Returns the description in the specification.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Log001 => "Debug-level logs are not enabled in production environments for longer than 14 days.",
            Self::Log002 => "Log records have their `severityNumber` set.",
            Self::Met001 => "Metric attributes have bound cardinality.",
            Self::Met002 => "Metrics have useful metric units.",
            Self::Met003 => "Metric names are consistently associated with the same metric unit.",
            Self::Met004 => "Histogram metrics consistently use the same histogram buckets per metric name.",
            Self::Met005 => "Metric names do not contain the name of the metric unit.",
            Self::Met006 => "Metric names do not equal semantic convention attribute keys.",
            Self::Res001 => "`service.instance.id` is present.",
            Self::Res002 => "`service.instance.id` is unique across logical resources within a given `service.name`.",
            Self::Res003 => {
                "`k8s.pod.uid` is present in telemetry collected from applications running on a Kubernetes cluster."
            }
            Self::Res004 => "Semantic conventions attributes are used at the right level.",
            Self::Res005 => "`service.name` is present.",
            Self::Sdk001 => "Dependencies (language and runtime) are supported by the SDK.",
            Self::Spa001 => "Traces contain a limited number of `INTERNAL` spans per service.",
            Self::Spa002 => "Traces do not contain orphan spans.",
            Self::Spa003 => "Span names have bound cardinality.",
            Self::Spa004 => "Root spans are not `CLIENT` spans.",
            Self::Spa005 => "Traces do not contain a high number of short duration spans.",
        }
    }
}
