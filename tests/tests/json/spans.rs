//! Spans on lines, and the ids of OpenTelemetry spans.

use ctx_layer::{
    Fields, SubscriberFieldsExt,
    field::well_known::*,
    output::json::{Format, JsonLayer, layer},
};
use ctx_tests::{Captured, Exported, schema};
use serde_json::{Value, json};
use tracing::{field::Empty, info, info_span, subscriber::with_default};
use tracing_subscriber::{Layer, filter::LevelFilter, prelude::*};

use super::{lines_of, lines_under, strict};

fn nested() {
    let _outer = info_span!("outer", path = "/orders", status = Empty, name = "own").entered();
    let inner = info_span!("inner", turn = 1).entered();
    info!("inside");
    inner.exit().in_scope(|| {
        tracing::Span::current().record("turn", 2);
        info!("again");
    });
}

fn parsed(lines: Vec<String>) -> Vec<Value> {
    lines.iter().map(|line| strict::parse(line)).collect()
}

#[test]
fn a_line_has_the_name_of_its_span() {
    let lines = lines_of(|layer| layer, nested);
    assert_eq!(lines[0], r#"{"level":"INFO","message":"inside","span":{"name":"inner"}}"#);
    assert_eq!(lines_of(|layer| layer.with_current_span(false), nested)[0], r#"{"level":"INFO","message":"inside"}"#);
}

#[test]
fn spans_have_their_own_and_recorded_fields_on_request() {
    let lines = parsed(lines_of(|layer| layer.with_span_fields(true), nested));
    assert_eq!(lines[0]["span"], json!({"name": "inner", "turn": 1}));
    assert_eq!(lines[1]["span"], json!({"name": "inner", "turn": 2}));
}

#[test]
fn all_spans_are_listed_on_request_the_outermost_first() {
    let lines = parsed(lines_of(|layer| layer.with_span_list(true).with_current_span(false), nested));
    assert_eq!(
        lines[0],
        json!({"level": "INFO", "message": "inside", "spans": [{"name": "outer"}, {"name": "inner"}]})
    );
    let lines = parsed(lines_of(|layer| layer.with_span_list(true).with_span_fields(true), nested));
    let outer = json!({"name": "outer", "path": "/orders", "fields.name": "own"});
    assert_eq!(lines[1]["spans"], json!([outer, {"name": "inner", "turn": 2}]));
}

#[test]
fn context_fields_are_on_the_line_and_not_on_its_spans() {
    let run = || {
        Fields::new().with(&TENANT_ID, "acme").in_scope(|| {
            let _span = info_span!("request", user_id = Empty, path = "/").entered();
            let _ = USER_ID.record("ada");
            info!("inside");
        });
    };
    let lines = parsed(lines_under(|layer| layer.with_span_fields(true).with_span_list(true), run));
    let span = json!({"name": "request", "path": "/"});
    let expected = json!({
        "level": "INFO", "message": "inside", "tenant_id": "acme", "user_id": "ada", "span": span, "spans": [span],
    });
    assert_eq!(lines[0], expected);
}

#[test]
fn a_registered_field_that_a_span_sets_itself_is_on_the_lines_inside_it() {
    let run = || {
        let outer = info_span!("outer", tenant_id = "acme", role = "reader", user_id = Empty).entered();
        let _middle = info_span!("middle").entered();
        let _inner = info_span!("inner", role = %"writer", x = 1).entered();
        info!("inside");
        outer.record("user_id", "ada");
        TENANT_ID.in_scope("globex", || info!(role = "own", "set"));
        info!(parent: None, "outside");
    };
    let lines = parsed(lines_under(|layer| layer.with_span_fields(true), run));
    assert_eq!(
        lines[0],
        json!({
            "level": "INFO", "message": "inside", "role": "writer", "tenant_id": "acme", "span": {"name": "inner", "x": 1},
        })
    );
    assert_eq!(
        lines[1],
        json!({
            "level": "INFO", "message": "set", "role": "own", "tenant_id": "globex", "user_id": "ada",
            "span": {"name": "inner", "x": 1},
        })
    );
    assert_eq!(lines[2], json!({"level": "INFO", "message": "outside"}));
}

#[test]
fn a_span_that_this_output_filters_out_is_not_its_span() {
    let lines = Captured::default();
    let layer = layer().without_time().with_target(false).with_span_list(true).with_writer(lines.clone());
    let stack = tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO)).with(super::Looking);
    with_default(stack.with_context_fields(schema()), || {
        let _outer = info_span!("outer").entered();
        let _hidden = tracing::debug_span!("hidden").entered();
        info!("inside");
        tracing::debug!("hidden");
    });
    assert_eq!(
        lines.lines(),
        [r#"{"level":"INFO","message":"inside","span":{"name":"outer"},"spans":[{"name":"outer"}]}"#]
    );
}

/// Returns the lines of a stack with an OpenTelemetry layer, and the exported span.
fn with_opentelemetry(
    is_activated: bool,
    change: impl FnOnce(JsonLayer) -> JsonLayer,
    run: impl FnOnce(),
) -> (Vec<Value>, opentelemetry_sdk::trace::SpanData) {
    let (lines, exported) = (Captured::default(), Exported::new());
    let layer = change(layer().without_time().with_target(false).with_current_span(false)).with_writer(lines.clone());
    let opentelemetry =
        tracing_opentelemetry::layer().with_tracer(exported.tracer()).with_context_activation(is_activated);
    with_default(tracing_subscriber::registry().with(opentelemetry).with(layer).with_context_fields(schema()), run);
    (parsed(lines.lines()), exported.span("request"))
}

#[test]
fn a_line_has_the_ids_of_its_opentelemetry_span() {
    for is_activated in [true, false] {
        let run = || {
            let request = info_span!("request");
            request.in_scope(|| info!("inside"));
            info!(parent: &request, "by name");
            info!("outside");
            request.in_scope(|| {
                info!(parent: None, "of none");
                info!(trace_id = "own", "its own");
            });
        };
        let (lines, span) = with_opentelemetry(is_activated, |layer| layer, run);
        let ids = |line: &Value| (line["trace_id"].clone(), line["span_id"].clone(), line["trace_flags"].clone());
        let (trace_id, span_id) = (span.span_context.trace_id().to_string(), span.span_context.span_id().to_string());
        let expected = (json!(trace_id), json!(span_id), json!("01"));
        assert_eq!(ids(&lines[0]), expected, "{is_activated}");
        assert_eq!(ids(&lines[1]), expected, "{is_activated}");
        let nothing = (Value::Null, Value::Null, Value::Null);
        assert_eq!(ids(&lines[2]), nothing, "{is_activated}");
        assert_eq!(ids(&lines[3]), nothing, "{is_activated}");
        assert_eq!(ids(&lines[4]), (json!("own"), json!(span_id), json!("01")), "{is_activated}");
    }
}

#[test]
fn ids_are_written_as_each_collector_reads_them() {
    let run = || info_span!("request").in_scope(|| info!("inside"));
    let (lines, span) = with_opentelemetry(true, |layer| layer.with_format(Format::datadog()), run);
    let low = u64::from_be_bytes(span.span_context.trace_id().to_bytes()[8..].try_into().unwrap());
    assert_eq!(lines[0]["dd.trace_id"], low.to_string());
    let span_id = u64::from_be_bytes(span.span_context.span_id().to_bytes());
    assert_eq!(lines[0]["dd.span_id"], span_id.to_string());

    let (lines, span) = with_opentelemetry(true, |layer| layer.with_format(Format::google_cloud("shop")), run);
    let trace_id = span.span_context.trace_id();
    assert_eq!(lines[0]["logging.googleapis.com/trace"], format!("projects/shop/traces/{trace_id}"));
    assert_eq!(lines[0]["logging.googleapis.com/trace_sampled"], true);

    let (lines, _) = with_opentelemetry(true, |layer| layer.with_trace_ids(false), run);
    assert_eq!(lines[0], json!({"level": "INFO", "message": "inside"}));
}
