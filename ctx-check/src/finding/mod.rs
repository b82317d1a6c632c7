//! Findings: what is wrong, where, how often, why, and what to do.

mod cause;
mod group;
mod record;

pub use cause::Cause;
pub(crate) use group::{Boundary, Evidence, Group, Groups, Key, Sign};
pub use record::{Consequence, Edge, Example, Finding, FindingKind, Severity};
