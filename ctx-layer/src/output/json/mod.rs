//! One JSON object per line: for collectors.
//!
//! [`layer()`] creates a [`Layer`](tracing_subscriber::Layer) like any other. It works with filters of its own, in `reload`, beside other
//! outputs and beside more of its kind, with every [`MakeWriter`](tracing_subscriber::fmt::MakeWriter).
//!
//! ```
//! use ctx_layer::{Schema, SubscriberFieldsExt, output::json};
//! use tracing_subscriber::prelude::*;
//!
//! let subscriber = tracing_subscriber::registry()
//!     .with(json::layer().with_constant("service.name", "shop"))
//!     .with_context_fields(Schema::well_known());
//! # drop(subscriber);
//! ```
//!
//! # What is on a line
//!
//! Time, level, target, message, the event's own fields, the context fields, the name of the span, the ids of the OpenTelemetry span, and
//! constants, in this order, each key once. The event's own value wins over the context's. The fields are those that are current, also
//! without a [`ContextSubscriber`](crate::ContextSubscriber) over the stack, and are shown by the schema of the stack, or by
//! [one of its own](JsonLayer::with_schema).
//!
//! [`Format`] says what things are called and what is nested. Each of its presets has a line here:
//!
//! ```
//! use ctx_layer::{field::well_known::TENANT_ID, output::json::{self, Format}};
//! use tracing_subscriber::prelude::*;
//!
//! # use std::io::{self, BufRead, BufReader};
//! # use std::{sync::Mutex, time::{Duration, UNIX_EPOCH}};
//! fn line(format: Format) -> io::Result<String> {
//!     let layer = json::layer().with_format(format).with_constant("service.name", "shop");
//!     # let (printed, writer) = io::pipe()?;
//!     # let clock = || UNIX_EPOCH + Duration::from_micros(1_795_782_896_123_456);
//!     # let layer = layer.with_clock(clock).with_writer(Mutex::new(writer));
//!     let stack = tracing_subscriber::registry().with(layer);
//!     tracing::subscriber::with_default(stack, || {
//!         let _tenant = TENANT_ID.attach("acme");
//!         tracing::warn!(target: "shop", order = 7, "overdue");
//!     });
//!     // Returns what was written.
//!     # BufReader::new(printed).lines().next().unwrap_or_else(|| Ok(String::new()))
//! }
//!
//! assert_eq!(
//!     line(Format::plain())?,
//!     concat!(
//!         r#"{"timestamp":"2026-11-27T12:34:56.123456Z","level":"WARN","target":"shop","#,
//!         r#""message":"overdue","order":7,"tenant_id":"acme","service.name":"shop"}"#,
//!     ),
//! );
//! assert_eq!(
//!     line(Format::ecs())?,
//!     concat!(
//!         r#"{"@timestamp":"2026-11-27T12:34:56.123456Z","log.level":"WARN","#,
//!         r#""log.logger":"shop","ecs.version":"8.11.0","message":"overdue","order":7,"#,
//!         r#""tenant_id":"acme","service.name":"shop"}"#,
//!     ),
//! );
//! assert_eq!(
//!     line(Format::google_cloud("my-project"))?,
//!     concat!(
//!         r#"{"time":"2026-11-27T12:34:56.123456Z","severity":"WARNING","target":"shop","#,
//!         r#""message":"overdue","order":7,"tenant_id":"acme","#,
//!         r#""logging.googleapis.com/labels":{"service.name":"shop"}}"#,
//!     ),
//! );
//! assert_eq!(
//!     line(Format::datadog())?,
//!     concat!(
//!         r#"{"timestamp":"2026-11-27T12:34:56.123456Z","status":"warn","logger.name":"shop","#,
//!         r#""message":"overdue","order":7,"tenant_id":"acme","service":"shop"}"#,
//!     ),
//! );
//! assert_eq!(
//!     line(Format::opentelemetry())?,
//!     concat!(
//!         r#"{"Timestamp":"1795782896123456000","SeverityText":"WARN","SeverityNumber":13,"#,
//!         r#""InstrumentationScope":{"Name":"shop"},"Body":"overdue","Attributes":{"order":7,"#,
//!         r#""tenant_id":"acme"},"Resource":{"service.name":"shop"}}"#,
//!     ),
//! );
//! # Ok::<(), io::Error>(())
//! ```
//!
//! The forms of all values, and how to move from `fmt().json()`, `json-subscriber` and `tracing-bunyan-formatter`, are in the repository's
//! `docs/json.md`.
//!
//! # Limits and errors
//!
//! - A line has at most [65 536 bytes](JsonLayer::with_max_line_len). On a longer one strings are cut and end in `…`, what has no room is
//!   left out, and `"truncated":true` is added.
//! - A value whose `Display` or `Debug` panics is written as `"[formatting failed: panic: ...]"`. The line is whole.
//! - A line that the writer refuses is lost and [counted](LostLines); the first is said on standard error. So is a line whose writer panics
//!   or logs. A partly written one is ended, so that the next is whole.
//! - A writer that blocks blocks the thread that logs. `tracing_appender::non_blocking` loses lines instead.
//!
//! # Costs
//!
//! The fields of a set are encoded with the first line that has them, in one allocation; each further line copies the bytes, on whatever
//! thread, and allocates nothing. Outputs with other schemas or names encode for themselves; outputs that are switched off do not. Spans are
//! not walked unless [the list of them](JsonLayer::with_span_list) is asked for, or a span sets a registered field itself. In a stack of
//! JSON layers and filters alone events are not rewritten; beside any other layer they are, for that layer.

mod call_site;
mod escape;
mod format;
mod ids;
mod json_layer;
mod last_span;
mod layout;
mod line;
mod object;
mod string_writer;
mod writing;

pub use super::lost::LostLines;
pub use format::{Format, Group, Member};
pub use json_layer::{JsonLayer, layer};
