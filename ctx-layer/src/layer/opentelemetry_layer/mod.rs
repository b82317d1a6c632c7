//! The layer of `tracing-opentelemetry`: everything that this crate does with it, and what is left of that without the feature.

#[cfg(not(feature = "tracing-opentelemetry"))]
mod absent;
#[cfg(feature = "tracing-opentelemetry")]
mod present;

#[cfg(not(feature = "tracing-opentelemetry"))]
pub(crate) use absent::*;
#[cfg(feature = "tracing-opentelemetry")]
pub(crate) use present::*;
