//! The report, and the forms in which it is written.

mod baseline;
mod gates;
mod html;
mod junit;
mod markdown;
mod model;
mod sarif;
mod table;
mod trace_view;

pub use baseline::{Baseline, Comparison};
pub use gates::{Gates, Share, Violation};
pub use html::html;
pub use junit::junit;
pub use markdown::markdown;
pub use model::{DeviationReport, EdgeReport, FieldReport, ProblemReport, Report, ServiceReport, Summary};
pub use sarif::sarif;
pub use table::table;
pub(crate) use trace_view::{LogView, SpanView, TraceView};
