//! What context is read from and written to, one file each.
//!
//! | carrier | feature | |
//! |---|---|---|
//! | `HashMap<String, String>`, `BTreeMap<String, String>` | | read and written |
//! | `Vec<(String, String)>`, slices of pairs | | read and, the `Vec`, written |
//! | [`std::process::Command`] | | written: the child's variables |
//! | [`Environment`] | | read: the variables of this process; written: a child's to be |
//! | `http::HeaderMap` | `http` | read and written |
//! | `serde_json::Map<String, Value>` | `serde_json` | read and written |
//! | `tokio::process::Command` | `tokio-process` | written: the child's variables |
//! | everything OpenTelemetry knows | | [`OtelExtractor`](crate::propagation::OtelExtractor), [`OtelInjector`](crate::propagation::OtelInjector) |
//!
//! Keys are compared regardless of case, several values under one key are all read, and what is written replaces what was
//! there.

mod environment;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "serde_json")]
mod json;
mod maps;
mod pairs;

pub use environment::{Environment, normalized_name};
#[cfg(feature = "http-server")]
pub(crate) use http::HeaderNames;
#[cfg(feature = "http")]
pub use http::{HeaderExtractor, HeaderInjector};
