//! Outputs: log lines with the context fields on them.
//!
//! | to write | see |
//! |---|---|
//! | lines for people | [`text`] |
//! | JSON lines for collectors | [`json`] |
//! | text on a terminal, and JSON elsewhere | [`auto()`] |
//!
//! Outputs of other crates get the fields, too: see [`fields_once_per_line`](crate::fields_once_per_line).
// If the documentation is built without a feature, its links lead to the list of features.
#![cfg_attr(not(feature = "json"), doc = "\n[`json`]: crate#features")]
#![cfg_attr(not(feature = "text"), doc = "\n[`text`]: crate#features")]
#![cfg_attr(not(all(feature = "json", feature = "text")), doc = "\n[`auto()`]: crate#features")]

#[cfg(all(feature = "json", feature = "text"))]
mod auto;
mod call_site;
mod common;
mod current;
mod escape;
#[cfg(feature = "json")]
pub mod json;
mod line;
mod lost;
mod naming;
mod notation;
#[cfg(all(test, feature = "json", feature = "text"))]
mod reading_tests;
mod spans;
#[cfg(feature = "text")]
mod terminal;
#[cfg(feature = "text")]
pub mod text;
mod time;
mod values;
mod written;

#[cfg(all(feature = "json", feature = "text"))]
pub use auto::{AutoLayer, OutputFormat, SharedWriter, UnknownFormat, auto};
pub use lost::LostLines;
