//! Carriers from which context is read and to which it is written, one file each. A closure is one with [`extract_with`](super::extract_with) and
//! [`inject_with`](super::inject_with).
//!
//! | carrier | feature | |
//! |---|---|---|
//! | `HashMap<String, String>`, `BTreeMap<String, String>` | | read and written |
//! | `Vec<(String, String)>`, slices of pairs | | read and, the `Vec`, written |
//! | [`std::process::Command`] | | written: the child's variables |
//! | [`Environment`] | | read: the variables of this process; written: the variables of a child |
//! | `http::HeaderMap` | `http` | read and written |
//! | `serde_json::Map<String, Value>` | `serde_json` | read and written |
//! | `tokio::process::Command` | `tokio-process` | written: the child's variables |
//! | all carriers of OpenTelemetry | | [`OtelExtractor`], [`OtelInjector`] |
//!
//! Keys are case-insensitive. All values under a key are read. A written value replaces the previous ones.

pub(super) mod closures;
mod environment;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "serde_json")]
mod json;
mod maps;
mod opentelemetry;
mod pairs;
mod trace_only;

pub use environment::{Environment, normalized_name};
#[cfg(feature = "http-server")]
pub(crate) use http::HeaderNames;
#[cfg(feature = "http")]
pub use http::{HeaderExtractor, HeaderInjector};
pub use opentelemetry::{OtelExtractor, OtelInjector};
pub(crate) use trace_only::TraceOnly;
