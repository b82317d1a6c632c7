//! The captured telemetry as data.

mod contents;
mod event;
mod field_name;
mod log;
mod measurement;
mod message;
mod span;
mod trace;
mod value;

pub(in crate::testing) use contents::Contents;
pub use event::CapturedEvent;
pub use field_name::FieldName;
pub use log::CapturedLog;
pub use measurement::Measurement;
pub use message::{CapturedMessage, Direction};
pub use span::CapturedSpan;
pub use trace::CapturedTrace;
pub(in crate::testing) use value::Fields;
pub use value::Value;
