use tracing_core::LevelFilter;
use tracing_subscriber::filter::Targets;

use super::capture::Capture;
use crate::field::Schema;

/// Libraries whose spans and events below WARN are about bytes and exports, not about the program.
const TRANSPORTS: [&str; 12] = [
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry-otlp",
    "reqwest",
    "rustls",
    "tokio",
    "tonic",
    "tower",
];

/// Settings of a [`Capture`], for what differs from the defaults.
///
/// ```
/// use ctx_layer::{Schema, testing};
///
/// ctx_layer::context_fields! {
///     /// The plan that the tenant pays for.
///     pub static PLAN: String = "plan";
/// }
///
/// let schema = Schema::builder().well_known().field(&PLAN).build()?;
/// let telemetry = testing::builder().schema(schema).filter("debug").capture();
/// PLAN.in_scope("gold".to_owned(), || tracing::debug!("billed"));
/// telemetry.assert_field_everywhere(&PLAN, "gold");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `capture` is called"]
pub struct CaptureBuilder {
    schema: Schema,
    filter: Targets,
    sets_globals: bool,
}

impl CaptureBuilder {
    pub(super) fn new() -> Self {
        let transports = TRANSPORTS.map(|target| (target, LevelFilter::WARN));
        CaptureBuilder {
            schema: Schema::well_known(),
            filter: Targets::new().with_default(LevelFilter::TRACE).with_targets(transports),
            sets_globals: true,
        }
    }

    /// Sets the fields that are added to spans and events. Defaults to the [well-known](Schema::well_known) ones.
    ///
    /// All tests of a program should have the schema of the program.
    pub fn schema(self, schema: Schema) -> Self {
        CaptureBuilder { schema, ..self }
    }

    /// Sets the filter of spans and events: a level, and levels of targets, such as `"info,orders=debug"`. Defaults to everything,
    /// and WARN for `hyper`, `h2`, `tokio`, `opentelemetry` and other libraries of transports.
    ///
    /// # Panics
    /// Panics if it is not a filter of that form: this is a test, which should fail then.
    #[track_caller]
    pub fn filter(self, filter: &str) -> Self {
        match filter.parse() {
            Ok(filter) => CaptureBuilder { filter, ..self },
            Err(error) => panic!(
                "the filter {filter:?} of a capture cannot be used: {error}: write levels, and levels of targets, as in \
                 \"info,orders=debug\""
            ),
        }
    }

    /// Sets whether the first capture of the process sets the global subscriber, providers and propagator. Defaults to `true`.
    ///
    /// Without them, threads are captured that have the subscriber of the test: see [`testing`](super). Set it to `false` in all
    /// tests of a program that sets its own and panics if it cannot.
    pub fn sets_globals(self, sets_globals: bool) -> Self {
        CaptureBuilder { sets_globals, ..self }
    }

    /// Begins to capture the telemetry of this test.
    pub fn capture(self) -> Capture {
        Capture::begin(&self.schema, &self.filter, self.sets_globals)
    }
}
