//! Separating the span fields of one `fmt` output from another's.

use std::fmt;

use tracing_subscriber::{
    field::RecordFields,
    fmt::{FormatFields, format::Writer},
};

/// A field formatter that gives a `fmt` output its own copy of span fields.
///
/// `fmt` layers with field formatters of one type share the string that the first of them writes for a span's fields
/// (`FormattedFields<N>`, tokio-rs/tracing#1372); so does `tracing-error`'s `SpanTrace` with a plain `fmt` layer. If two outputs
/// have to show different fields of spans, as with [`fields_once_per_line`](super::fields_once_per_line()), wrap one formatter:
///
/// ```
/// use ctx_layer::{SeparateSpanFields, Schema, SubscriberFieldsExt, fields_once_per_line};
/// use tracing_subscriber::{fmt, prelude::*};
///
/// let subscriber = tracing_subscriber::registry()
///     .with(fields_once_per_line(fmt::layer().map_fmt_fields(SeparateSpanFields)))
///     .with(fmt::layer().with_writer(std::io::stderr))
///     .with_context_fields(Schema::well_known());
/// # drop(subscriber);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SeparateSpanFields<N>(
    /// The wrapped formatter.
    pub N,
);

impl<'writer, N: FormatFields<'writer>> FormatFields<'writer> for SeparateSpanFields<N> {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        self.0.format_fields(writer, fields)
    }
}
