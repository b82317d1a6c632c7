//! The judge, its readers and its reports.

mod command;
mod fuzzed;
mod listening;
mod planted;
mod reading;
mod reports;
mod scenario;
mod side_by_side;
mod verdicts;
