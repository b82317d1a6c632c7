//! The log lines, by the settings.

use std::io::{self, IsTerminal};

use tracing_subscriber::{
    Layer, Registry,
    fmt::{MakeWriter, writer::BoxMakeWriter},
};

use super::settings::{LogFormat, LogStream, Settings};
use crate::{
    Schema,
    output::{
        LostLines,
        json::{self, Format},
        text::{self, TextLayer},
    },
};

/// A layer of any type.
pub(crate) type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// The output of log lines.
pub(crate) struct Output {
    pub(crate) layer: Option<BoxedLayer>,
    pub(crate) lost: Option<LostLines>,
}

/// Creates the output of log lines. This is the one place that chooses between its kinds.
pub(crate) fn output(settings: &Settings, service: &str, ids: &Schema, writer: Option<BoxMakeWriter>) -> Output {
    let it = &settings.observability;
    let lines = Lines { format: it.log_format, service: service.to_owned(), has_ids: !ids.is_empty() };
    match (writer, it.log_stream) {
        // Colours are for eyes.
        (Some(writer), _) => lines.to(writer, false, |text| text.with_ansi(false)),
        (None, LogStream::Stdout) => lines.to(io::stdout, io::stdout().is_terminal(), |text| text),
        (None, LogStream::Stderr) => lines.to(io::stderr, io::stderr().is_terminal(), |text| text),
    }
}

/// The settings of log lines.
struct Lines {
    format: LogFormat,
    service: String,
    has_ids: bool,
}

impl Lines {
    fn to<W>(self, writer: W, is_terminal: bool, colours: fn(TextLayer<W>) -> TextLayer<W>) -> Output
    where
        W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
    {
        let format = match self.format {
            LogFormat::None => return Output { layer: None, lost: None },
            LogFormat::Text => None,
            LogFormat::Auto if is_terminal => None,
            LogFormat::Auto | LogFormat::Json => Some(Format::plain()),
            LogFormat::Ecs => Some(Format::ecs()),
            LogFormat::Datadog => Some(Format::datadog()),
            LogFormat::Opentelemetry => Some(Format::opentelemetry()),
        };
        match format {
            Some(format) => {
                let layer = json::layer()
                    .with_format(format)
                    .with_constant("service.name", self.service)
                    .with_trace_ids(self.has_ids)
                    .with_writer(writer);
                let lost = layer.lost_lines();
                Output { layer: Some(layer.boxed()), lost: Some(lost) }
            }
            None => {
                let layer = colours(text::layer().with_trace_ids(self.has_ids).with_writer(writer));
                let lost = layer.lost_lines();
                Output { layer: Some(layer.boxed()), lost: Some(lost) }
            }
        }
    }
}
