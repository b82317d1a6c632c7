//! One output that is text on a terminal and JSON elsewhere.

use std::{
    env,
    ffi::OsStr,
    fmt,
    io::{self, Write},
    str::FromStr,
    sync::{Arc, OnceLock},
};

use tracing_core::{
    Dispatch, Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context, registry::LookupSpan};

use super::{
    json::{self, JsonLayer},
    lost::LostLines,
    terminal,
    text::{self, TextLayer},
};

/// The variable that [`auto`] reads.
const VARIABLE: &str = "CTX_LOG_FORMAT";

/// Creates a layer that writes text on a terminal and JSON elsewhere, to standard output. The variable `CTX_LOG_FORMAT` (`text`,
/// `json` or `auto`) overrides that.
///
/// Another value of the variable counts as `auto`, and is reported on standard error.
///
/// ```
/// use ctx_layer::{Schema, SubscriberFieldsExt, output};
/// use tracing_subscriber::prelude::*;
///
/// let output = output::auto()
///     .with_json(|json| json.with_constant("service.name", "shop"))
///     .with_text(|text| text.with_trace_ids(true));
/// let subscriber =
///     tracing_subscriber::registry().with(output).with_context_fields(Schema::well_known());
/// # drop(subscriber);
/// ```
#[must_use = "a layer does nothing until it is added to a subscriber"]
pub fn auto() -> AutoLayer {
    AutoLayer::new(OutputFormat::from_variable(VARIABLE))
}

/// The format of an output that can have several.
///
/// ```
/// use ctx_layer::output::{self, OutputFormat};
///
/// let format: OutputFormat = "json".parse()?; // From the command line or a file.
/// let layer = output::auto().with_format(format);
/// # drop(layer);
/// # Ok::<(), ctx_layer::output::UnknownFormat>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputFormat {
    /// Text if the writer is standard output or standard error, and that is a terminal. Otherwise JSON.
    #[default]
    Auto,
    /// [Text](crate::output::text).
    Text,
    /// [JSON](crate::output::json).
    Json,
}

impl OutputFormat {
    /// Reads the format from a variable of the environment. One that is not set, or empty, is `Auto`; so is one with an unknown value,
    /// which is reported on standard error.
    pub fn from_variable(name: &str) -> Self {
        Self::from_value(name, env::var_os(name).as_deref(), &mut io::stderr())
    }

    fn from_value(name: &str, value: Option<&OsStr>, report: &mut dyn Write) -> Self {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return OutputFormat::Auto };
        let read = value.to_str().ok_or(UnknownFormat).and_then(str::parse);
        read.unwrap_or_else(|unknown| {
            // If this fails, the message is lost. Not `eprintln!`, which panics then.
            let _ = writeln!(report, "ctx-layer: {name} is {value:?}, which is {unknown}. It counts as `auto`");
            OutputFormat::Auto
        })
    }
}

impl FromStr for OutputFormat {
    type Err = UnknownFormat;

    /// Reads `auto`, `text` or `json`, in upper or lower case.
    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let known = [("auto", OutputFormat::Auto), ("text", OutputFormat::Text), ("json", OutputFormat::Json)];
        known.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, format)| *format).ok_or(UnknownFormat)
    }
}

/// An error: a string is not the name of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a log format: write `auto`, `text` or `json`")
    }
}

impl std::error::Error for UnknownFormat {}

/// A layer that writes text on a terminal and JSON elsewhere.
///
/// Created by [`auto`]. Its parts are set by [`with_json`](Self::with_json) and [`with_text`](Self::with_text), of which one applies.
#[must_use = "a layer does nothing until it is added to a subscriber"]
pub struct AutoLayer<W = fn() -> io::Stdout> {
    format: OutputFormat,
    json: JsonLayer<SharedWriter<W>>,
    text: TextLayer<SharedWriter<W>>,
    /// Known with the first span or event.
    is_text: OnceLock<bool>,
}

impl AutoLayer {
    fn new(format: OutputFormat) -> Self {
        let writer = SharedWriter(Arc::new(io::stdout as fn() -> io::Stdout));
        let (json, text) = (json::layer().with_writer(writer.clone()), text::layer().with_writer(writer));
        AutoLayer { format, json, text, is_text: OnceLock::new() }
    }
}

impl<W> AutoLayer<W>
where
    W: for<'a> MakeWriter<'a> + 'static,
{
    /// Sets where lines are written. Defaults to standard output.
    pub fn with_writer<W2>(self, make_writer: W2) -> AutoLayer<W2>
    where
        W2: for<'a> MakeWriter<'a> + 'static,
    {
        let writer = SharedWriter(Arc::new(make_writer));
        let AutoLayer { format, json, text, .. } = self;
        AutoLayer {
            format,
            json: json.with_writer(writer.clone()),
            text: text.with_writer(writer),
            is_text: OnceLock::new(),
        }
    }

    /// Sets the format. It replaces that of the variable.
    pub fn with_format(self, format: OutputFormat) -> Self {
        AutoLayer { format, is_text: OnceLock::new(), ..self }
    }

    /// Sets up the JSON that is written if the format is JSON.
    pub fn with_json(self, change: impl FnOnce(JsonLayer<SharedWriter<W>>) -> JsonLayer<SharedWriter<W>>) -> Self {
        AutoLayer { json: change(self.json), ..self }
    }

    /// Sets up the text that is written if the format is text.
    pub fn with_text(self, change: impl FnOnce(TextLayer<SharedWriter<W>>) -> TextLayer<SharedWriter<W>>) -> Self {
        AutoLayer { text: change(self.text), ..self }
    }

    /// Returns the count of this layer's lines that could not be written.
    pub fn lost_lines(&self) -> LostLines {
        if self.is_text() { self.text.lost_lines() } else { self.json.lost_lines() }
    }

    /// Returns `true` if text is written, and `false` if JSON is.
    #[inline]
    pub fn is_text(&self) -> bool {
        *self.is_text.get_or_init(|| match self.format {
            OutputFormat::Auto => terminal::is_terminal::<W>(),
            OutputFormat::Text => true,
            OutputFormat::Json => false,
        })
    }
}

/// A writer that the parts of an [`AutoLayer`] share.
pub struct SharedWriter<W>(Arc<W>);

impl<W> Clone for SharedWriter<W> {
    fn clone(&self) -> Self {
        SharedWriter(self.0.clone())
    }
}

impl<W> fmt::Debug for SharedWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedWriter").finish_non_exhaustive()
    }
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for SharedWriter<W> {
    type Writer = W::Writer;

    fn make_writer(&'a self) -> W::Writer {
        self.0.make_writer()
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> W::Writer {
        self.0.make_writer_for(metadata)
    }
}

impl<S, W> Layer<S> for AutoLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        if self.is_text() {
            Layer::<S>::on_register_dispatch(&self.text, subscriber);
        } else {
            Layer::<S>::on_register_dispatch(&self.json, subscriber);
        }
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        if self.is_text() {
            self.text.on_new_span(attributes, id, ctx);
        } else {
            self.json.on_new_span(attributes, id, ctx);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        if self.is_text() {
            self.text.on_record(id, values, ctx);
        } else {
            self.json.on_record(id, values, ctx);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if self.is_text() {
            self.text.on_event(event, ctx);
        } else {
            self.json.on_event(event, ctx);
        }
    }
}

impl<W> fmt::Debug for AutoLayer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AutoLayer { format, json, text, .. } = self;
        f.debug_struct("AutoLayer").field("format", format).field("json", json).field("text", text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_names_a_format_and_anything_else_is_reported() {
        for (value, format, is_reported) in [
            (None, OutputFormat::Auto, false),
            (Some(""), OutputFormat::Auto, false),
            (Some("json"), OutputFormat::Json, false),
            (Some("TEXT"), OutputFormat::Text, false),
            (Some("auto"), OutputFormat::Auto, false),
            (Some("xml\n"), OutputFormat::Auto, true),
        ] {
            let mut report = Vec::new();
            assert_eq!(OutputFormat::from_value(VARIABLE, value.map(OsStr::new), &mut report), format, "{value:?}");
            let report = String::from_utf8(report).unwrap();
            assert_eq!(!report.is_empty(), is_reported, "{report}");
            assert!(
                !is_reported || report.contains("CTX_LOG_FORMAT is \"xml\\n\", which is not a log format"),
                "{report}"
            );
        }
    }
}
