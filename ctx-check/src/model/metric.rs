//! A metric, as the readers find it: enough of it for the rules about metrics.

use std::borrow::Cow;

use super::Attribute;

/// The type of a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricKind {
    /// A gauge, a sum or a summary.
    #[default]
    Plain,
    /// A histogram with explicit bounds.
    Histogram,
    /// A histogram with exponential buckets.
    ExponentialHistogram,
}

/// A metric with its data points.
#[derive(Clone, Debug, Default)]
pub struct Metric<'a> {
    /// The name.
    pub name: Cow<'a, str>,
    /// The unit.
    pub unit: Cow<'a, str>,
    /// The type.
    pub kind: MetricKind,
    /// The attributes of all data points, one after the other.
    pub attributes: Vec<Attribute<'a>>,
    /// The explicit bounds of each data point of a histogram, as they are written.
    pub bounds: Vec<String>,
}
