//! OTLP in JSON and Protocol Buffers.

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest},
    common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics, metric::Data},
    resource::v1::Resource,
};
use prost::Message;

use crate::{
    reading::{EXPECTED, assert_read, gzip, messages, pairs, prefixed, system, value, zstd},
    scenario::{found, judge},
};

#[test]
fn otlp_in_json_is_read_in_every_layout() {
    let system = system();
    let spans = system.spans.len() as u64;
    let lines = system.lines();
    assert_read(&judge(lines.join("\n"), ""), spans);
    assert_read(&judge(lines.join("\r\n\r\n  "), ""), spans);
    assert_read(&judge(format!("\n\u{feff}\n{}", lines.join("\n")).replacen("\n\u{feff}\n", "\u{feff}", 1), ""), spans);
    // One document, on one line, indented, or in an array.
    let whole: Vec<serde_json::Value> =
        lines.iter().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    let resources: Vec<_> = whole.iter().map(|line| line["resourceSpans"][0].clone()).collect();
    let document = serde_json::json!({ "resourceSpans": resources });
    assert_read(&judge(document.to_string(), ""), spans);
    assert_read(&judge(serde_json::to_string_pretty(&document).expect("it is JSON"), ""), spans);
    assert_read(&judge(serde_json::to_string_pretty(&whole).expect("it is JSON"), ""), spans);
    // Several indented documents, one after the other.
    let indented: Vec<String> =
        whole.iter().map(|line| serde_json::to_string_pretty(line).expect("it is JSON")).collect();
    assert_read(&judge(indented.join("\n"), ""), spans);
}

#[test]
fn members_come_in_any_order() {
    let system = system();
    // `serde_json` sorts keys: `scopeSpans` would be after `resource`, so its name is changed back behind it.
    let file = system.lines().join("\n");
    let turned: Vec<String> = file
        .lines()
        .map(|line| {
            let start = line.find("\"resource\":").expect("there is one");
            let end = line.find(",\"scopeSpans\"").expect("there is one");
            let resource = &line[start..end];
            let rest = line[end + 1..].strip_suffix("}]}").expect("it ends so");
            format!("{{\"other\":[{{}}],\"resourceSpans\":[{{{rest},{resource}}}]}}")
        })
        .collect();
    assert!(turned[0].find("scopeSpans") < turned[0].find("\"resource\":"));
    assert_read(&judge(turned.join("\n"), ""), system.spans.len() as u64);
}

#[test]
fn what_otlp_forbids_and_some_write_is_read_and_named() {
    let system = system();
    let mut file = system.lines().join("\n");
    for (key, snake) in [
        ("resourceSpans", "resource_spans"),
        ("scopeSpans", "scope_spans"),
        ("traceId", "trace_id"),
        ("spanId", "span_id"),
        ("parentSpanId", "parent_span_id"),
        ("startTimeUnixNano", "start_time_unix_nano"),
        ("endTimeUnixNano", "end_time_unix_nano"),
        ("stringValue", "string_value"),
    ] {
        file = file.replace(&format!("\"{key}\""), &format!("\"{snake}\""));
    }
    for (number, name) in [(1, "INTERNAL"), (2, "SERVER"), (3, "CLIENT"), (4, "PRODUCER"), (5, "CONSUMER")] {
        file = file.replace(&format!("\"kind\":{number}"), &format!("\"kind\":\"SPAN_KIND_{name}\""));
    }
    file = file.replace("\"code\":2", "\"code\":\"STATUS_CODE_ERROR\"").replace("abc\"", "ABC\"");
    let report = judge(format!("\u{feff}{file}"), "");
    assert_read(&report, system.spans.len() as u64);
    let names: Vec<&str> = report.deviations.iter().map(|deviation| deviation.name).collect();
    assert_eq!(names, ["enum_name", "snake_case_key", "byte_order_mark", "capital_id"]);
}

#[test]
fn protocol_buffers_are_read_with_and_without_lengths() {
    let system = system();
    let spans = system.spans.len() as u64;
    let messages: Vec<Vec<u8>> = messages(&system).iter().map(Message::encode_to_vec).collect();
    let with_lengths = prefixed(messages.iter().map(Vec::as_slice));
    assert_read(&judge(&with_lengths, ""), spans);
    assert_read(&judge(messages.concat(), ""), spans);
    assert_read(&judge(gzip(&with_lengths), ""), spans);
    // The Collector's file exporter compresses each message, JSON too.
    let compressed: Vec<Vec<u8>> = messages.iter().map(|message| zstd(message)).collect();
    assert_read(&judge(prefixed(compressed.iter().map(Vec::as_slice)), ""), spans);
    let json: Vec<Vec<u8>> = system.lines().iter().map(|line| zstd(line.as_bytes())).collect();
    assert_read(&judge(prefixed(json.iter().map(Vec::as_slice)), ""), spans);
}

#[test]
fn cut_and_wrong_messages_cost_only_themselves() {
    let system = system();
    let spans = system.spans.len() as u64;
    let mut messages: Vec<Vec<u8>> = messages(&system).iter().map(Message::encode_to_vec).collect();
    let mut wrong = messages[0].clone();
    let at = wrong.windows(2).position(|window| window == [0x0a, 16]).expect("it has a trace id");
    wrong[at + 1] = 15;
    messages.insert(1, wrong);
    let mut file = prefixed(messages.iter().map(Vec::as_slice));
    file.extend([0, 0, 1, 0, 10, 200, 1]);
    let report = judge(&file, "");
    assert_eq!((report.summary.spans, found(&report)), (spans, EXPECTED.map(str::to_owned).to_vec()));
    assert_eq!(report.problems.iter().map(|problem| problem.line).collect::<Vec<_>>()[0], 2);
    assert!(report.problems.iter().any(|problem| problem.what.contains("cut")), "{:?}", report.problems);
}

#[test]
fn logs_and_metrics_in_protocol_buffers_are_not_taken_for_spans() {
    let resource =
        Some(Resource { attributes: pairs(&[("service.name".to_owned(), "web".to_owned())]), ..Resource::default() });
    let record = LogRecord {
        time_unix_nano: 5,
        severity_number: 9,
        body: value("ada@example.com"),
        trace_id: vec![1; 16],
        span_id: vec![1; 8],
        attributes: vec![KeyValue {
            key: "list".to_owned(),
            value: Some(AnyValue {
                value: Some(Value::ArrayValue(ArrayValue {
                    values: vec![AnyValue { value: Some(Value::BoolValue(true)) }],
                })),
            }),
            ..KeyValue::default()
        }],
        ..LogRecord::default()
    };
    let logs = ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: resource.clone(),
            scope_logs: vec![ScopeLogs { log_records: vec![record], ..ScopeLogs::default() }],
            ..ResourceLogs::default()
        }],
    };
    let metric = |unit: &str| Metric {
        name: "duration".to_owned(),
        unit: unit.to_owned(),
        data: Some(Data::Histogram(Histogram {
            data_points: vec![HistogramDataPoint { explicit_bounds: vec![1.0, 2.5], ..HistogramDataPoint::default() }],
            ..Histogram::default()
        })),
        ..Metric::default()
    };
    let metrics = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource,
            scope_metrics: vec![ScopeMetrics { metrics: vec![metric("s"), metric("ms")], ..ScopeMetrics::default() }],
            ..ResourceMetrics::default()
        }],
    };
    let report = judge(prefixed([&*logs.encode_to_vec(), &metrics.encode_to_vec()]), "");
    assert_eq!(
        (report.summary.logs, report.summary.metrics, report.problems.len()),
        (1, 2, 0),
        "{:?}",
        report.problems
    );
    assert_eq!(found(&report), ["ctx/sensitive-value | web | recorded"]);
    let failed = report.scores[0].rules.iter().find(|rule| rule.rule_id == "MET-003").expect("it is there");
    assert_eq!(format!("{:?}", failed.outcome), "Failed");
    let report = judge([logs.encode_to_vec(), logs.encode_to_vec()].concat(), "");
    assert_eq!(report.summary.logs, 2);
}

#[test]
fn answers_of_the_apis_of_tempo_and_jaeger_are_read() {
    let system = system();
    let spans = system.spans.len() as u64;
    let resources: Vec<serde_json::Value> = system
        .lines()
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON")["resourceSpans"][0].take())
        .collect();
    for answer in [
        serde_json::json!({ "batches": resources }),
        serde_json::json!({ "trace": { "resourceSpans": resources }, "metrics": {} }),
        serde_json::json!({ "trace": { "batches": resources } }),
        serde_json::json!({ "result": { "resourceSpans": resources } }),
    ] {
        assert_read(&judge(answer.to_string(), ""), spans);
        assert_read(&judge(serde_json::to_string_pretty(&answer).expect("it is JSON"), ""), spans);
    }
}

#[test]
fn ids_in_base64_are_read_and_named() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let system = system();
    let lines: Vec<String> = system
        .spans
        .iter()
        .map(|span| {
            let ids = |trace: u128, id: u64| {
                let trace = [format!("{trace:032x}"), BASE64_STANDARD.encode(trace.to_be_bytes())];
                [trace, [format!("{id:016x}"), BASE64_STANDARD.encode(id.to_be_bytes())]]
            };
            let others = span.links.iter().flat_map(|(trace, id)| ids(*trace, *id));
            let all = ids(span.trace, span.id).into_iter().chain(ids(1, span.parent)).chain(others);
            all.fold(span.line(&[]), |line, [digits, base64]| line.replace(&digits, &base64))
        })
        .collect();
    let report = judge(lines.join("\n"), "");
    assert_read(&report, system.spans.len() as u64);
    assert_eq!(report.deviations.iter().map(|deviation| deviation.name).collect::<Vec<_>>(), ["base64_id"]);
}
