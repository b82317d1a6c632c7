//! The findings of the readers, whatever the format: spans, log records, metrics, and the resources they belong to.

mod attribute;
mod id;
mod log_record;
mod metric;
mod resource;
mod span;

pub use attribute::{Attribute, ValueKind};
pub use id::{SpanId, TraceId};
pub use log_record::LogRecord;
pub use metric::{Metric, MetricKind};
pub use resource::Resource;
pub use span::{Event, Kind, Link, Span, Status};
