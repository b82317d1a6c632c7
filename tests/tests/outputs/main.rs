//! Every output has the fields. Each test reads an output as its consumer gets it.

mod combined;
mod filters;
mod fmt_json;
mod fmt_text;
mod ids;
mod json_formats;
mod metadata;
mod once;
mod opentelemetry_logs;
mod opentelemetry_spans;
mod sensitive;
mod span_trace;
