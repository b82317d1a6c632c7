//! Judging: trace by trace what is wrong, then over all traces why.

mod calls;
mod capture;
mod clocks;
mod fields;
mod moments;
mod resolve;
mod targets;
mod tenants;
mod trace;
mod tree;
mod words;

pub(crate) use capture::Window;
pub(crate) use resolve::EdgeState;
pub(crate) use resolve::Verdict;
pub(crate) use targets::Targets;
pub(crate) use trace::{EdgeTally, Judge, ServiceTally, each_trace};
