//! The judge, its readers and its reports.

mod command;
mod planted;
mod reading;
mod reports;
mod scenario;
mod verdicts;
