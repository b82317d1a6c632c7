//! The compared subscribers, which discard their output.

use std::{error::Error, fmt::Debug, hint::black_box, io};

use ctx_layer::{Schema, SubscriberFieldsExt, fields_once_per_line};
use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
use tracing_core::{
    Dispatch, Event, Field, Subscriber,
    field::Visit,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer, Registry, filter,
    fmt::{self, format},
    layer::Context,
    prelude::*,
};

/// A layer that looks at every value and formats nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Visiting;

impl<S: Subscriber> Layer<S> for Visiting {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        attributes.record(&mut Look);
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut Look);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Look);
    }
}

struct Look;

impl Visit for Look {
    fn record_f64(&mut self, field: &Field, value: f64) {
        black_box((field, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        black_box((field, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        black_box((field, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        black_box((field, value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        black_box((field, value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        black_box((field, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        black_box((field, value));
    }
}

/// Creates the bare registry.
pub fn bare() -> Dispatch {
    Dispatch::new(Registry::default())
}

/// Creates the registry under the layer.
pub fn bare_with(schema: Schema) -> Dispatch {
    Dispatch::new(Registry::default().with_context_fields(schema))
}

/// Creates a layer that only visits.
pub fn visiting() -> Dispatch {
    Dispatch::new(Registry::default().with(Visiting))
}

/// Creates a layer that only visits, under the layer.
pub fn visiting_with(schema: Schema) -> Dispatch {
    Dispatch::new(Registry::default().with(Visiting).with_context_fields(schema))
}

/// Creates a layer that only visits, and that is asked each time whether a span or event is enabled.
pub fn asking(schema: Option<Schema>) -> Dispatch {
    let filter = filter::dynamic_filter_fn(|metadata, _| !metadata.target().ends_with("unwanted"));
    let subscriber = Registry::default().with(filter).with(Visiting);
    match schema {
        None => Dispatch::new(subscriber),
        Some(schema) => Dispatch::new(subscriber.with_context_fields(schema)),
    }
}

/// Creates a layer that only visits, behind a level that is cached per call site.
pub fn levelled(schema: Option<Schema>) -> Dispatch {
    let subscriber = Registry::default().with(filter::LevelFilter::INFO).with(Visiting);
    match schema {
        None => Dispatch::new(subscriber),
        Some(schema) => Dispatch::new(subscriber.with_context_fields(schema)),
    }
}

type Json<S> = fmt::Layer<S, format::JsonFields, format::Format<format::Json>, fn() -> io::Sink>;

fn json_layer<S>() -> Json<S>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fmt::layer().json().with_writer(io::sink as fn() -> io::Sink)
}

/// Creates `fmt().json()` with its defaults.
pub fn json() -> Dispatch {
    Dispatch::new(Registry::default().with(json_layer()))
}

/// Creates `fmt().json()` with its defaults, under the layer.
pub fn json_with(schema: Schema) -> Dispatch {
    Dispatch::new(Registry::default().with(json_layer()).with_context_fields(schema))
}

/// Creates `fmt().json()` with the current span but without the list of enclosing spans.
pub fn json_without_list() -> Dispatch {
    Dispatch::new(Registry::default().with(json_layer().with_span_list(false)))
}

/// Creates `fmt().json()` without enclosing spans, under the layer: the fields are on the event anyway.
pub fn json_without_spans_with(schema: Schema) -> Dispatch {
    let layer = json_layer().with_span_list(false).with_current_span(false);
    Dispatch::new(Registry::default().with(layer).with_context_fields(schema))
}

/// Creates `fmt().json()` without enclosing spans.
pub fn json_without_spans() -> Dispatch {
    Dispatch::new(Registry::default().with(json_layer().with_span_list(false).with_current_span(false)))
}

/// Creates `fmt().json()` under the layer, with the fields hidden on spans.
pub fn json_once_per_line_with(schema: Schema) -> Dispatch {
    Dispatch::new(Registry::default().with(fields_once_per_line(json_layer())).with_context_fields(schema))
}

/// Creates the default text format of `fmt()`, without colours.
pub fn text() -> Dispatch {
    Dispatch::new(Registry::default().with(fmt::layer().with_ansi(false).with_writer(io::sink)))
}

/// Creates the text format under the layer, as recommended.
pub fn text_once_per_line_with(schema: Schema) -> Dispatch {
    let layer = fields_once_per_line(fmt::layer().with_ansi(false).with_writer(io::sink));
    Dispatch::new(Registry::default().with(layer).with_context_fields(schema))
}

/// Creates `json-subscriber` with its defaults: the current span and the list of enclosing spans.
pub fn json_subscriber() -> Dispatch {
    Dispatch::new(Registry::default().with(json_subscriber::layer().with_writer(io::sink)))
}

/// Creates `json-subscriber` with the fields of all enclosing spans at the top level of the line, like context fields.
pub fn json_subscriber_flat() -> Dispatch {
    let layer = json_subscriber::layer()
        .with_writer(io::sink)
        .with_current_span(false)
        .with_span_list(false)
        .flatten_span_list_on_top_level(true);
    Dispatch::new(Registry::default().with(layer))
}

/// Creates `tracing-bunyan-formatter`, which copies a span's fields to the spans inside it.
pub fn bunyan() -> Dispatch {
    let layer = BunyanFormattingLayer::new("shop".to_owned(), io::sink);
    Dispatch::new(Registry::default().with(JsonStorageLayer).with(layer))
}

/// Creates the registry, behind a level that is cached per call site.
pub fn bare_at_info() -> Dispatch {
    Dispatch::new(Registry::default().with(filter::LevelFilter::INFO))
}

/// Creates a stack that disables everything in these benchmarks, and enables other targets.
pub fn refusing() -> Dispatch {
    let filter = filter::Targets::new().with_target("somebody_else", filter::LevelFilter::TRACE);
    Dispatch::new(Registry::default().with(filter).with(Visiting))
}

/// Creates an OpenTelemetry layer, under the layer, with a tracer that samples and exports nothing.
pub fn opentelemetry_with(schema: Schema) -> Dispatch {
    use opentelemetry::trace::TracerProvider;
    let tracer = opentelemetry_sdk::trace::SdkTracerProvider::builder().build().tracer("benches");
    Dispatch::new(
        Registry::default().with(tracing_opentelemetry::layer().with_tracer(tracer)).with_context_fields(schema),
    )
}
