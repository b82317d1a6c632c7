//! Lines for people.
//!
//! [`layer()`] creates a [`Layer`](tracing_subscriber::Layer) like any other. It works with filters of its own, in `reload`, beside other
//! outputs and beside more of its kind, with every [`MakeWriter`](tracing_subscriber::fmt::MakeWriter).
//!
//! ```
//! use ctx_layer::{Fields, Schema, SubscriberFieldsExt, field::well_known::*, output::text};
//! use tracing::{info_span, warn};
//! use tracing_subscriber::prelude::*;
//!
//! # use std::{io::{self, Read}, sync::Mutex, time::{Duration, UNIX_EPOCH}};
//! # let (mut printed, writer) = io::pipe()?;
//! let layer = text::layer();
//! # let clock = || UNIX_EPOCH + Duration::from_micros(1_795_782_896_123_456);
//! # let layer = layer.with_clock(clock).with_writer(Mutex::new(writer)).with_ansi(false);
//! let subscriber =
//!     tracing_subscriber::registry().with(layer).with_context_fields(Schema::well_known());
//! tracing::subscriber::with_default(subscriber, || {
//!     let fields = Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "ada");
//!     let request = fields.in_scope(|| info_span!("request", path = "/orders"));
//!     request.in_scope(|| {
//!         let error: Box<dyn std::error::Error> = "the card was declined".into();
//!         warn!(target: "shop", order = 7, error = &*error, "refused");
//!     });
//! });
//! # let mut lines = String::new();
//! # printed.read_to_string(&mut lines)?;
//! # assert_eq!(lines, "2026-11-27T12:34:56.123456Z WARN  shop request: refused order=7 tenant_id=\"acme\" user_id=\"ada\"\n    error: the card was declined\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It prints:
//!
//! ```text
//! 2026-11-27T12:34:56.123456Z WARN  shop request: refused order=7 tenant_id="acme" user_id="ada"
//!     error: the card was declined
//! ```
//!
//! # Parts of a line
//!
//! Time, level, target, the names of the spans, message, the event's own fields, the context fields (dim), in this order. The event's
//! own value wins over the context's. The fields are those that are current, also without a
//! [`ContextSubscriber`](crate::ContextSubscriber) over the stack, and are shown by the schema of the stack, or by
//! [one of its own](TextLayer::with_schema). Errors with their causes, and further lines of a message, are on lines below, which begin with
//! four blanks. All forms are in the repository's `docs/text.md`.
//!
//! # Forgery
//!
//! No value and no message can begin a line, look like a field, or colour the terminal. A string is shown as it is, or, where that could be
//! taken for something else, in quotes and escaped: `"placed tenant_id=\"victim\""`, `"\u{1b}[31m"`. Further lines of a string begin with
//! `    | `.
//!
//! # Colours
//!
//! [`with_ansi`](TextLayer::with_ansi) decides. Without it, there are none if `NO_COLOR` is set; there are if `FORCE_COLOR` (but not `0` or
//! `false`) or `CLICOLOR_FORCE` (but not `0`) is; otherwise if the writer is standard output or standard error, and that is a terminal
//! whose `TERM` is not `dumb`, and `CLICOLOR` is not `0`. The variables are read with the first span or event.
//!
//! # Limits and errors
//!
//! - A line has at most [65 536 bytes](TextLayer::with_max_line_len) with the lines below it. On a longer one strings are cut and end in
//!   `…`, values without room are left out, and ` truncated=true` is added.
//! - A value whose `Display` or `Debug` panics is shown as `[formatting failed: panic: ...]`.
//! - A line that the writer refuses is lost and [counted](LostLines); the first is reported on standard error. So is a line whose writer
//!   panics or logs.
//! - A writer that blocks blocks the thread that logs. `tracing_appender::non_blocking` loses lines instead.
//!
//! # Costs
//!
//! The fields of a set are encoded once and copied into each line. A line allocates nothing once its thread has written one, unless it has
//! a string of more than 512 bytes that has to be put in quotes. Each span around the event is looked up for its name.

mod below;
mod colours;
mod line;
mod place;
mod readable;
mod text_layer;
mod writing;

pub use super::lost::LostLines;
pub use text_layer::{TextLayer, layer};
