//! The log lines, by the settings.

use std::io::{self, IsTerminal};

use tracing_subscriber::{Layer, Registry, fmt::writer::BoxMakeWriter};

use super::{LogFormat, LogStream, Settings};
use crate::{
    ContextLayer, Schema, fields_once_per_line,
    output::json::{self, Format, LostLines},
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
    let is_terminal = match it.log_stream {
        _ if writer.is_some() => false,
        LogStream::Stdout => io::stdout().is_terminal(),
        LogStream::Stderr => io::stderr().is_terminal(),
    };
    let writer = writer.unwrap_or_else(|| match it.log_stream {
        LogStream::Stdout => BoxMakeWriter::new(io::stdout),
        LogStream::Stderr => BoxMakeWriter::new(io::stderr),
    });
    let format = match it.log_format {
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
                .with_constant("service.name", service.to_owned())
                .with_trace_ids(!ids.is_empty())
                .with_writer(writer);
            let lost = layer.lost_lines();
            Output { layer: Some(layer.boxed()), lost: Some(lost) }
        }
        None => {
            // Colours are for eyes.
            let text = tracing_subscriber::fmt::layer().with_ansi(is_terminal).with_writer(writer);
            let layer = if ids.is_empty() {
                fields_once_per_line(text).boxed()
            } else {
                ContextLayer::new(text, ids.clone()).hide_on_spans().boxed()
            };
            Output { layer: Some(layer), lost: None }
        }
    }
}
