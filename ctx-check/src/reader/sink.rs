//! The interface between the readers and what takes their findings.

use super::{Deviation, Place, Problem};
use crate::model::{LogRecord, Metric, Resource, Span};

/// Takes what the readers find. A resource applies to all that follows, until the next resource.
pub trait Sink {
    /// Takes the resource of what follows.
    fn resource(&mut self, resource: &Resource<'_>);

    /// Takes a span.
    fn span(&mut self, span: &Span<'_>, place: Place);

    /// Takes a log record.
    fn log(&mut self, record: &LogRecord<'_>, place: Place);

    /// Takes a metric.
    fn metric(&mut self, metric: &Metric<'_>, place: Place);

    /// Takes what could not be read.
    fn problem(&mut self, problem: Problem);

    /// Takes what was read although the format forbids it.
    fn deviation(&mut self, deviation: Deviation, place: Place);
}
