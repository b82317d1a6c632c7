//! The `log` crate's records. A binary of its own: its logger and the global subscriber are set once per process.

use std::sync::OnceLock;

use ctx_layer::{ContextLayer, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::{ATTEMPT, Captured, Exported, Recorder, attribute, count};
use serde_json::Value;
use tracing::info_span;
use tracing_subscriber::{EnvFilter, filter::LevelFilter, fmt, prelude::*};

struct Outputs {
    json: Captured,
    text: Captured,
    one: Captured,
    warnings: Captured,
    recorder: Recorder,
    otel: Exported,
}

/// Installed as programs do; `init` bridges `log` too.
fn outputs() -> &'static Outputs {
    static OUTPUTS: OnceLock<Outputs> = OnceLock::new();
    OUTPUTS.get_or_init(|| {
        let outputs = Outputs {
            json: Captured::default(),
            text: Captured::default(),
            one: Captured::default(),
            warnings: Captured::default(),
            recorder: Recorder::default(),
            otel: Exported::new(),
        };
        let text = fmt::layer().with_ansi(false).without_time().with_file(true).with_line_number(true);
        let extra = ctx_layer::Schema::builder().field(&ATTEMPT).build().unwrap();
        tracing_subscriber::registry()
            .with(fields_once_per_line(text.with_writer(outputs.text.clone())))
            .with(fmt::layer().json().with_file(true).with_line_number(true).with_writer(outputs.json.clone()))
            .with(ContextLayer::new(
                fmt::layer().json().with_file(true).with_line_number(true).with_writer(outputs.one.clone()),
                extra,
            ))
            .with(fmt::layer().json().with_writer(outputs.warnings.clone()).with_filter(LevelFilter::WARN))
            .with(outputs.recorder.clone())
            .with(tracing_opentelemetry::layer().with_tracer(outputs.otel.tracer()))
            .with(EnvFilter::new("info,loud=trace,silent=off,log_bridge=trace"))
            .with_context_fields(ctx_layer::Schema::builder().well_known().build().unwrap())
            .init();
        outputs
    })
}

fn lines(out: &Captured, message: &str) -> Vec<Value> {
    out.json().into_iter().filter(|line| line["fields"]["message"] == message).collect()
}

fn line(out: &Captured, message: &str) -> Value {
    let mut lines = lines(out, message);
    assert_eq!(lines.len(), 1, "{message:?}: {lines:?}");
    lines.remove(0)
}

#[test]
fn a_log_record_has_the_field_and_keeps_target_file_and_line_in_json() {
    let outputs = outputs();
    let at = TENANT_ID.in_scope("acme", || {
        log::info!("a json record {}", 1);
        line!() - 1
    });
    let line = line(&outputs.json, "a json record 1");
    assert_eq!(line["fields"]["tenant_id"], "acme", "{line}");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["target"], "log_bridge", "{line}");
    assert_eq!(line["filename"], file!(), "{line}");
    assert_eq!(line["line_number"], at, "{line}");
}

#[test]
fn a_log_record_has_the_field_and_keeps_target_file_and_line_in_text() {
    let outputs = outputs();
    let at = TENANT_ID.in_scope("acme", || {
        log::warn!(target: "third_party", "a text record");
        line!() - 1
    });
    let text = outputs.text.lines().into_iter().find(|line| line.contains("a text record")).unwrap();
    assert_eq!(text, format!(" WARN third_party: {}:{at}: a text record tenant_id=\"acme\"", file!()));
}

#[test]
fn a_log_record_has_the_field_of_one_output_wrapped_alone() {
    let outputs = outputs();
    let at = ATTEMPT.in_scope(3, || {
        log::info!(target: "third_party", "one output's record");
        line!() - 1
    });
    let line = line(&outputs.one, "one output's record");
    assert_eq!(line["fields"]["attempt"], 3, "{line}");
    assert_eq!(line["target"], "third_party", "{line}");
    assert_eq!((&line["filename"], &line["line_number"]), (&file!().into(), &at.into()), "{line}");
    let other = self::line(&outputs.json, "one output's record");
    assert_eq!(other["fields"].get("attempt"), None, "{other}");
}

#[test]
fn a_log_record_belongs_to_the_span_around_it() {
    let outputs = outputs();
    TENANT_ID.in_scope("acme", || {
        let span = info_span!("bridged", path = "/orders");
        drop(TENANT_ID.attach("elsewhere"));
        span.in_scope(|| log::info!("in a span"));
    });
    let line = line(&outputs.json, "in a span");
    assert_eq!((&line["span"]["name"], &line["span"]["tenant_id"]), (&"bridged".into(), &"acme".into()));
    let span = outputs.otel.span("bridged");
    let event = &span.events.events[0];
    assert_eq!(event.name, "in a span");
    assert_eq!(attribute(&event.attributes, "tenant_id"), Some("acme".into()));
}

#[test]
fn a_log_record_has_the_fields_that_the_span_around_it_remembers() {
    let outputs = outputs();
    let span = TENANT_ID.in_scope("acme", || info_span!("remembers"));
    span.in_scope(|| log::info!("remembered"));
    assert_eq!(line(&outputs.json, "remembered")["fields"]["tenant_id"], "acme");
}

#[test]
fn records_of_every_level_have_the_field() {
    let outputs = outputs();
    TENANT_ID.in_scope("acme", || {
        log::error!(target: "loud", "every level");
        log::warn!(target: "loud", "every level");
        log::info!(target: "loud", "every level");
        log::debug!(target: "loud", "every level");
        log::trace!(target: "loud", "every level");
    });
    let lines = lines(&outputs.json, "every level");
    let levels: Vec<_> = lines.iter().map(|line| line["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"]);
    assert!(lines.iter().all(|line| line["fields"]["tenant_id"] == "acme"), "{lines:?}");
    let warned = self::lines(&outputs.warnings, "every level");
    assert_eq!(warned.len(), 2, "{warned:?}");
    assert!(warned.iter().all(|line| line["fields"]["tenant_id"] == "acme"), "{warned:?}");
}

#[test]
fn records_are_filtered_by_their_own_target() {
    let outputs = outputs();
    TENANT_ID.in_scope("acme", || {
        log::error!(target: "silent", "never seen");
        log::debug!(target: "other", "never seen");
        assert!(log::log_enabled!(target: "loud", log::Level::Trace));
        assert!(!log::log_enabled!(target: "other", log::Level::Debug));
        assert!(!log::log_enabled!(target: "silent", log::Level::Error));
    });
    assert!(lines(&outputs.json, "never seen").is_empty());
}

#[test]
fn except_for_the_field_a_record_is_written_as_without_the_layer() {
    outputs();
    let (with, without) = (Captured::default(), Captured::default());
    let layer = |out: &Captured| fmt::layer().json().without_time().with_file(true).with_writer(out.clone());
    let run = || TENANT_ID.in_scope("acme", || log::info!(target: "third_party", "compared"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer(&without)), run);
    let subscriber =
        tracing_subscriber::registry().with(layer(&with)).with_context_fields(ctx_layer::Schema::well_known());
    tracing::subscriber::with_default(subscriber, run);
    let (mut with, without) = (with.json().remove(0), without.json().remove(0));
    assert_eq!(with["fields"].as_object_mut().unwrap().remove("tenant_id"), Some("acme".into()));
    assert_eq!(with, without);
}

#[test]
fn layers_get_a_record_with_its_log_fields_and_the_context_fields() {
    let outputs = outputs();
    TENANT_ID.in_scope("acme", || log::info!(target: "third_party", "recorded"));
    let event = outputs.recorder.event("recorded");
    assert_eq!(event.text("log.target"), Some("third_party"));
    assert_eq!(event.text("log.file"), Some(file!()));
    assert_eq!(event.text("tenant_id"), Some("acme"));
}

#[test]
fn records_without_a_current_field_have_none() {
    let outputs = outputs();
    log::info!("without context");
    assert_eq!(line(&outputs.json, "without context")["fields"].get("tenant_id"), None);
    let text = outputs.text.lines().into_iter().find(|line| line.contains("without context")).unwrap();
    assert_eq!(count(&text, "tenant_id"), 0, "{text}");
}
