//! Shared code of the tests against real brokers and databases: the interface of a broker, processes, telemetry, and the scenarios that each
//! technology must pass.
//!
//! `bash tests/services/run` starts the servers and runs the tests. A test fails if its server is missing.

#[cfg(feature = "_scenarios")]
pub mod broker;
#[cfg(feature = "_scenarios")]
pub mod example;
#[cfg(feature = "_scenarios")]
pub mod fields;
#[cfg(feature = "_scenarios")]
pub mod job_handler;
#[cfg(feature = "_scenarios")]
pub mod job_library;
#[cfg(feature = "_scenarios")]
pub mod job_scenarios;
#[cfg(feature = "sql")]
pub mod jobs;
#[cfg(feature = "_scenarios")]
pub mod messages;
#[cfg(feature = "_scenarios")]
pub mod peer;
#[cfg(feature = "_scenarios")]
pub mod printed;
#[cfg(feature = "_scenarios")]
pub mod scenarios;
#[cfg(feature = "_scenarios")]
pub mod server;
#[cfg(feature = "_scenarios")]
pub mod telemetry;
#[cfg(feature = "_scenarios")]
pub mod wire;
#[cfg(feature = "_scenarios")]
pub mod worker;

/// The result of a test's step.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
