//! Judges from traces and logs whether context propagation works in a system.
//!
//! [`Check`] reads telemetry in any of the formats that collectors, exporters and interfaces write, and returns a [`Report`]: which
//! edges between services are broken and why, orphans, several tenants in one trace, missing fields, sensitive values, clocks.
//! The command `ctx-check` does this with files. What the judge decides, and why, is in `docs/ctx-check.md`.

mod check;
pub mod finding;
mod intake;
mod judge;
#[cfg(feature = "listen")]
pub mod listen;
pub mod model;
pub mod reader;
pub mod report;
pub mod rule;
pub mod settings;
pub mod sql;
mod store;

pub use check::{Check, CheckError};
pub use finding::{Finding, FindingKind};
pub use report::Report;
pub use settings::Settings;
