//! Migration guides, one page for each crate. Documentation only.

#[cfg(feature = "axum")]
#[doc = include_str!("axum_tracing_opentelemetry.md")]
pub mod axum_tracing_opentelemetry {}

#[cfg(feature = "reqwest")]
#[doc = include_str!("reqwest_tracing.md")]
pub mod reqwest_tracing {}

#[cfg(feature = "axum")]
#[doc = include_str!("tower_http_trace.md")]
pub mod tower_http_trace {}
