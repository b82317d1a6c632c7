//! The rules of the instrumentation-score specification, and its formula.

mod metric;
mod score;
mod specification;

pub(crate) use score::scores;
pub use score::{Outcome, RuleResult, ServiceScore};
pub use specification::{Impact, Rule, SPECIFICATION_VERSION};
