//! A test kit: captures the telemetry of one test, and asserts what it should be.
//!
//! ```
//! use ctx_layer::{field::well_known::TENANT_ID, testing::{self, trace}};
//! use tracing::{info, info_span};
//!
//! fn handle(tenant: &str) {
//!     TENANT_ID.in_scope(tenant, || {
//!         let _request = info_span!("GET /orders").entered();
//!         std::thread::spawn(ctx_layer::task::in_current_context(|| {
//!             info_span!("load").in_scope(|| info!(rows = 3, "loaded"));
//!         }))
//!         .join()
//!         .expect("it does not panic");
//!     });
//! }
//!
//! let telemetry = testing::capture();
//! handle("acme");
//!
//! telemetry.assert_field_everywhere(&TENANT_ID, "acme");
//! telemetry.assert_one_trace();
//! telemetry.assert_trace(trace! { "GET /orders" { "load" { event "loaded" rows=3 } } });
//! ```
//!
//! As an attribute, with a runtime whose threads all belong to the test: [`#[ctx_layer::test]`](macro@crate::test).
//!
//! A failing assertion shows what was captured, with a mark at each line that is wrong:
//!
//! ```text
//! assertion failed: every span and event has tenant_id="acme", but 2 do not fit
//!
//!   trace 1 (b2a4e3c3a5cf4e3c8d2b2d5d2ab1c9f0)
//!   └─ GET /orders 1.2ms tenant_id="acme"
//! >    └─ load 310.4µs tenant_id="globex"   <-- tenant_id is "globex"
//! >       · INFO loaded rows=3 tenant_id="globex"   <-- tenant_id is "globex"
//! ```
//!
//! # What is captured
//!
//! - [Spans](Telemetry::spans), as OpenTelemetry exports them: typed fields, parents, links, status, times. Also open ones.
//! - [Events](Telemetry::events) of `tracing` and of `log`, as each output receives them, and [log records](Telemetry::logs).
//! - [Measurements](Telemetry::measurements) of instruments of OpenTelemetry's global meter provider.
//! - [Messages](Telemetry::messages): the headers that were written to carriers and read from them.
//!
//! The stack is one as programs have it, with [`with_context_fields`](crate::SubscriberFieldsExt::with_context_fields) and
//! OpenTelemetry's layer, and a parent-based sampler. [`builder`] changes its fields and its filter.
//!
//! # Of which test
//!
//! Tests run at the same time, in one process. These belong to a test by themselves:
//!
//! - its own thread, and the runtimes that it blocks on: also bare tasks, blocking ones, and other threads of such a runtime;
//! - everything in its spans, and in contexts that are carried, wherever it runs;
//! - requests to servers in the same process, which continue a trace of the test;
//! - on Linux, threads that it starts, and threads that these start, unless they are given a name.
//!
//! Not known is the test of bare work, outside of a span, on a thread of a pool that tests share, or on a named thread. It is captured if the
//! process has one test only, as under `cargo nextest`, and where [`Telemetry::in_scope`] or [`Telemetry::adopt_thread`] says whose it is. What
//! belongs to no test, or could belong to two, is in none.
//!
//! # Beside another subscriber
//!
//! The first capture of a process sets the global subscriber, if there is none, and OpenTelemetry's global providers and propagator.
//! With a global subscriber of the program, the test's own thread and the runtime of [`#[ctx_layer::test]`](macro@crate::test) are
//! captured, and threads in [`Telemetry::in_scope`]: others write to the program's subscriber.
//! A program whose tests set a global subscriber and panic if there is one needs
//! [`sets_globals(false)`](CaptureBuilder::sets_globals) in its other tests.

mod assertions;
mod builder;
mod capture;
mod captured;
mod expected;
mod isolation;
mod parameter;
mod picture;
#[cfg(feature = "tokio")]
mod runtime;
mod snapshot;
mod stack;
mod telemetry;
pub mod wire;

pub use crate::__expected_trace as trace;
pub use builder::CaptureBuilder;
pub use capture::Capture;
pub use captured::{
    CapturedEvent, CapturedLog, CapturedMessage, CapturedSpan, CapturedTrace, Direction, FieldName, Measurement, Value,
};
pub use expected::{ExpectedEvent, ExpectedSpan, ExpectedTrace};
#[doc(hidden)]
pub use parameter::TestParameter;
#[cfg(feature = "tokio")]
#[doc(hidden)]
pub use runtime::TestRuntime;
pub use telemetry::Telemetry;

/// Begins to capture the telemetry of this test, with the well-known fields.
///
/// ```
/// let telemetry = ctx_layer::testing::capture();
/// tracing::info!("started");
/// assert_eq!(telemetry.event("started").target(), module_path!());
/// ```
pub fn capture() -> Capture {
    builder().capture()
}

/// Returns a builder, for what differs from the defaults.
pub fn builder() -> CaptureBuilder {
    CaptureBuilder::new()
}
