//! Outputs: log lines with the context fields on them.

pub mod json;
