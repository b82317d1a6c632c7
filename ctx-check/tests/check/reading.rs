//! Reading: all formats give the same, and what is wrong costs nothing but itself.

use std::io::Write;

use ctx_check::{Check, Report, Settings};
use flate2::{Compression, write::GzEncoder};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics, metric::Data},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span},
};
use prost::Message;

use crate::scenario::{CLIENT, CONSUMER, SERVER, Scenario, found, judge};

/// A system in which everything that a format can say plays a part: the verdict shows whether it was read.
fn system() -> Scenario {
    let mut system = Scenario::default();
    for number in 0..3 {
        let web = system.add(None, "web", "GET /", SERVER);
        system.set(web, "tenant_id", "acme");
        let (_, orders) = system.reach(web, "orders");
        system.set(orders, "tenant_id", if number == 1 { "globex" } else { "acme" });
        if number == 2 {
            system.tear_off(orders);
        }
        let message = system.send(web, "mails");
        let consumer = system.add(None, "mailer", "process \u{e4}\u{1f600}", CONSUMER);
        system.of_queue(consumer, "mails");
        let (trace, id) = (system.spans[message].trace, system.spans[message].id);
        system.spans[consumer].links.push((trace, id));
        let refused = system.call(web, "orders");
        system.spans[refused].attributes.retain(|(key, _)| key != "http.response.status_code");
        system.spans[refused].is_error = true;
    }
    system
}

const EXPECTED: [&str; 2] =
    ["ctx/broken-edge | web -> orders | header_stripped", "ctx/tenant-change | web -> orders | replaced"];

#[track_caller]
fn assert_read(report: &Report, spans: u64) {
    assert_eq!(found(report), EXPECTED, "{:?}", report.problems);
    assert_eq!((report.summary.spans, report.problems.len()), (spans, 0), "{:?}", report.problems);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("it is memory");
    encoder.finish().expect("it is memory")
}

/// A frame of Zstandard with raw blocks, as RFC 8878, section 3.1.1, has it.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    frame.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    let blocks: Vec<&[u8]> = bytes.chunks(100_000).collect();
    for (at, block) in blocks.iter().enumerate() {
        let is_last = u32::from(at + 1 == blocks.len());
        frame.extend_from_slice(&((block.len() as u32) << 3 | is_last).to_le_bytes()[..3]);
        frame.extend_from_slice(block);
    }
    frame
}

fn value(text: &str) -> Option<AnyValue> {
    let value = text.parse().map_or_else(|_| Value::StringValue(text.to_owned()), Value::IntValue);
    Some(AnyValue { value: Some(value) })
}

fn pairs(attributes: &[(String, String)]) -> Vec<KeyValue> {
    attributes
        .iter()
        .map(|(key, text)| KeyValue { key: key.clone(), value: value(text), ..KeyValue::default() })
        .collect()
}

pub(crate) fn messages(system: &Scenario) -> Vec<ExportTraceServiceRequest> {
    let nanoseconds = |time| crate::scenario::nanoseconds(time).parse().expect("it is a number");
    let message = |from: &crate::scenario::TestSpan| ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: pairs(&[("service.name".to_owned(), from.service.clone())]),
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans: vec![Span {
                    trace_id: from.trace.to_be_bytes().to_vec(),
                    span_id: from.id.to_be_bytes().to_vec(),
                    parent_span_id: if from.parent == 0 { Vec::new() } else { from.parent.to_be_bytes().to_vec() },
                    name: from.name.clone(),
                    kind: i32::from(from.kind),
                    start_time_unix_nano: nanoseconds(from.start),
                    end_time_unix_nano: nanoseconds(from.end),
                    attributes: pairs(&from.attributes),
                    status: from.is_error.then(|| Status { code: 2, ..Status::default() }),
                    links: from
                        .links
                        .iter()
                        .map(|(trace, id)| span::Link {
                            trace_id: trace.to_be_bytes().to_vec(),
                            span_id: id.to_be_bytes().to_vec(),
                            ..span::Link::default()
                        })
                        .collect(),
                    ..Span::default()
                }],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    system.spans.iter().map(message).collect()
}

fn prefixed<'m>(messages: impl IntoIterator<Item = &'m [u8]>) -> Vec<u8> {
    let mut file = Vec::new();
    for message in messages {
        file.extend_from_slice(&(message.len() as u32).to_be_bytes());
        file.extend_from_slice(message);
    }
    file
}

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
fn compressed_files_are_read_with_all_their_members() {
    let system = system();
    let spans = system.spans.len() as u64;
    let lines = system.lines();
    let (first, second) = lines.split_at(lines.len() / 2);
    let (first, second) = (first.join("\n") + "\n", second.join("\n"));
    for compress in [gzip as fn(&[u8]) -> Vec<u8>, zstd] {
        let mut file = compress(first.as_bytes());
        file.extend(compress(second.as_bytes()));
        assert_read(&judge(&file, ""), spans);
    }
    // What comes before a cut is read.
    let mut cut = gzip(first.as_bytes());
    cut.extend(&gzip(second.as_bytes())[..20]);
    let report = judge(&cut, "");
    assert!(report.summary.spans >= lines.len() as u64 / 2 && report.problems.len() == 1, "{:?}", report.problems);
    assert!(report.problems[0].what.starts_with("the file ends here"), "{:?}", report.problems);
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
fn the_json_of_jaeger_is_read() {
    let system = system();
    let mut traces: std::collections::BTreeMap<u128, Vec<serde_json::Value>> = std::collections::BTreeMap::new();
    for span in &system.spans {
        let kind = ["", "internal", "server", "client", "producer", "consumer"][usize::from(span.kind)];
        let mut tags: Vec<_> = span
            .attributes
            .iter()
            .map(|(key, value)| serde_json::json!({ "key": key, "type": "string", "value": value }))
            .collect();
        tags.push(serde_json::json!({ "key": "span.kind", "type": "string", "value": kind }));
        if span.is_error {
            tags.push(serde_json::json!({ "key": "error", "type": "bool", "value": true }));
        }
        let mut references = Vec::new();
        if span.parent != 0 {
            references.push(serde_json::json!({ "refType": "CHILD_OF", "traceID": format!("{:x}", span.trace), "spanID": format!("{:x}", span.parent) }));
        }
        for (trace, id) in &span.links {
            references.push(serde_json::json!({ "refType": "FOLLOWS_FROM", "traceID": format!("{trace:x}"), "spanID": format!("{id:x}") }));
        }
        traces.entry(span.trace).or_default().push(serde_json::json!({
            "traceID": format!("{:x}", span.trace),
            "spanID": format!("{:x}", span.id),
            "operationName": span.name,
            "references": references,
            "startTime": crate::scenario::EPOCH * 1000 + (span.start * 1000) as u64,
            "duration": (span.end - span.start) * 1000,
            "tags": tags,
            "logs": [{ "timestamp": 1, "fields": [{ "key": "event", "value": "e" }] }],
            "processID": span.service,
        }));
    }
    let processes: serde_json::Map<String, serde_json::Value> = ["web", "orders", "mailer"]
        .into_iter()
        .map(|service| (service.to_owned(), serde_json::json!({ "serviceName": service, "tags": [] })))
        .collect();
    // `processes` sorts before `spans`; renamed, it comes behind, as Jaeger writes it.
    let traces: Vec<_> = traces
        .iter()
        .map(|(id, spans)| serde_json::json!({ "traceID": format!("{id:x}"), "spans": spans, "zprocesses": processes }))
        .collect();
    let spans = system.spans.len() as u64;
    let file = serde_json::json!({ "data": traces, "total": 0, "errors": null });
    let renamed = |text: String| text.replace("zprocesses", "processes");
    assert_read(&judge(renamed(file.to_string()), ""), spans);
    assert_read(&judge(renamed(serde_json::to_string_pretty(&file).expect("it is JSON")), ""), spans);
    let lines: Vec<String> = traces.iter().map(|trace| renamed(trace.to_string())).collect();
    assert_read(&judge(lines.join("\n"), ""), spans);
}

#[test]
fn the_json_of_zipkin_is_read_with_shared_spans_and_without_links() {
    let mut system = system();
    // Zipkin has no links: the consumers are children here, but for one, which is excused.
    let mut messages: Vec<usize> = (0..system.spans.len()).filter(|place| system.spans[*place].kind == 4).collect();
    messages.pop();
    messages.reverse();
    for place in 0..system.spans.len() {
        if system.spans[place].kind == CONSUMER
            && let Some(message) = messages.pop()
        {
            let message = system.spans[message].clone();
            (system.spans[place].trace, system.spans[place].parent) = (message.trace, message.id);
        }
    }
    let json = |is_shared: bool| {
        let span = |span: &crate::scenario::TestSpan| {
            let kind = ["", "", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"][usize::from(span.kind)];
            let tags: serde_json::Map<String, serde_json::Value> =
                span.attributes.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
            let mut json = serde_json::json!({
                "traceId": format!("{:032x}", span.trace),
                "id": format!("{:016x}", span.id),
                "name": span.name,
                "kind": kind,
                "timestamp": crate::scenario::EPOCH * 1000 + (span.start * 1000) as u64,
                "duration": (span.end - span.start) * 1000,
                "localEndpoint": { "serviceName": span.service, "ipv4": "127.0.0.1" },
                "tags": tags,
            });
            if span.is_error {
                json["tags"]["error"] = "refused".into();
            }
            if span.parent != 0 {
                json["parentId"] = format!("{:016x}", span.parent).into();
            }
            let client = system.spans.iter().find(|client| client.id == span.parent && client.kind == CLIENT);
            if let Some(client) = client.filter(|_| is_shared && span.kind == SERVER) {
                json["id"] = format!("{:016x}", client.id).into();
                json["parentId"] = format!("{:016x}", client.parent).into();
                json["shared"] = true.into();
            }
            json
        };
        system.spans.iter().map(span).collect::<Vec<_>>()
    };
    let spans = system.spans.len() as u64;
    for is_shared in [false, true] {
        let all = json(is_shared);
        assert_read(&judge(serde_json::json!(all).to_string(), ""), spans);
        assert_read(&judge(serde_json::json!([all]).to_string(), ""), spans);
        let lines: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_read(&judge(lines.join("\n"), ""), spans);
    }
}

#[test]
fn what_a_shared_server_span_caused_is_below_it() {
    let span = |kind: &str, service: &str, id: &str, parent: &str, shared: &str| {
        format!(
            r#"{{"traceId":"1","id":"{id}","parentId":"{parent}","kind":"{kind}","name":"n","timestamp":5,"duration":5,"localEndpoint":{{"serviceName":"{service}"}},"remoteEndpoint":{{"serviceName":"orders"}},"tags":{{"tenant_id":"{service}"}}{shared}}}"#
        )
    };
    let file = [
        span("CLIENT", "web", "2", "", ""),
        span("SERVER", "orders", "2", "", r#","shared":true"#),
        span("", "orders", "3", "2", ""),
    ];
    let report = judge(file.join("\n"), "");
    // The tenant changes once, where the server is, and not below it again.
    assert_eq!(found(&report), ["ctx/tenant-change | web -> orders | replaced"]);
    assert_eq!(report.findings[0].count, 1);
}

#[test]
fn our_own_log_lines_are_read_in_all_presets() {
    for line in [
        r#"{"timestamp":"2026-11-27T12:34:56.123456Z","level":"WARN","target":"shop::orders","message":"not placed","order":1042,"tenant_id":"acme","span":{"name":"request"},"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","trace_flags":"01","service.name":"shop"}"#,
        r#"{"@timestamp":"2026-11-27T12:34:56.123456Z","log.level":"WARN","ecs.version":"8.11.0","message":"not placed","tenant_id":"acme","trace.id":"0af7651916cd43dd8448eb211c80319c","span.id":"b7ad6b7169203331","service.name":"shop"}"#,
        r#"{"time":"2026-11-27T12:34:56.123456Z","severity":"WARNING","message":"not placed","tenant_id":"acme","logging.googleapis.com/trace":"projects/my-project/traces/0af7651916cd43dd8448eb211c80319c","logging.googleapis.com/spanId":"b7ad6b7169203331","service.name":"shop"}"#,
        r#"{"Timestamp":"1795782896123456000","SeverityText":"WARN","SeverityNumber":13,"InstrumentationScope":{"Name":"shop::orders"},"Body":"not placed","Attributes":{"order":1042,"tenant_id":"acme"},"TraceId":"0af7651916cd43dd8448eb211c80319c","SpanId":"b7ad6b7169203331","TraceFlags":1,"Resource":{"service.name":"shop"}}"#,
    ] {
        let settings = "require = [\"tenant_id\"]";
        let report = judge(line, settings);
        assert_eq!(
            (report.summary.logs, report.findings.len(), report.problems.len()),
            (1, 0, 0),
            "{line} {:?}",
            found(&report)
        );
        let without = line.replace("tenant_id", "other");
        let finding = crate::scenario::only(
            &judge(&without, settings),
            ctx_check::FindingKind::MissingField,
            ctx_check::finding::Cause::OutsideOfContext,
        );
        assert_eq!(
            (&*finding.service, &*finding.trace_id, finding.first_seen),
            ("shop", "0af7651916cd43dd8448eb211c80319c", 1_795_782_896_123_456_000)
        );
        let two = format!("{line}\n{}", line.replace("acme", "globex"));
        assert_eq!(found(&judge(&two, "")), ["ctx/mixed-tenants | shop | replaced"], "{line}");
    }
}

#[test]
fn a_line_outside_of_a_trace_needs_no_fields() {
    let file = r#"{"timestamp":"2026-11-27T12:34:56Z","level":"INFO","message":"started","service.name":"shop"}"#;
    crate::scenario::assert_healthy(&judge(file, "require = [\"tenant_id\"]"));
}

#[test]
fn one_bad_span_costs_only_itself_and_is_named() {
    let system = system();
    let spans = system.spans.len() as u64;
    let mut lines = system.lines();
    let span = &system.spans[0];
    let good = span.json().to_string();
    for (bad, what) in [
        (
            good.replace(&format!("\"{:016x}\"", span.id), "\"xyz\""),
            "found the id \"xyz\", expected 16 hexadecimal digits",
        ),
        (good.replace("\"traceId\"", "\"other\""), "the span has no `traceId`"),
        (good.replace("\"kind\":2", "\"kind\":\"X\""), "found \"X\", expected the number of an enum"),
        (
            good.replace("\"startTimeUnixNano\":\"1", "\"startTimeUnixNano\":\"-1"),
            "expected an unsigned integer of 64 bits",
        ),
        (good.replace("\"attributes\":[", "\"attributes\":[5,"), "found '5', expected an object"),
    ] {
        assert_ne!(bad, good);
        // Two good spans are around the bad one, on the second line.
        let mut line = lines[1].clone();
        let inner = system.spans[1].json().to_string();
        line = line.replace(&inner, &format!("{inner},{bad},{good}"));
        let saved = std::mem::replace(&mut lines[1], line);
        let report = judge(lines.join("\n"), "");
        assert_eq!(report.summary.spans, spans);
        assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
        let problem = &report.problems[0];
        assert_eq!((&*problem.file, problem.line), ("file", 2));
        assert!(problem.what.contains(what) && problem.column > 1, "{problem:?}");
        lines[1] = saved;
    }
}

#[test]
fn bad_lines_cost_only_themselves_and_are_named() {
    let system = system();
    let spans = system.spans.len() as u64;
    let mut lines = system.lines();
    lines.insert(2, "not JSON".to_owned());
    lines.insert(5, lines[4][..lines[4].len() - 30].to_owned());
    lines.insert(7, "{\"resourceSpans\":5}".to_owned());
    lines.push(lines[0][..60].to_owned());
    let report = judge(lines.join("\n"), "");
    assert_eq!((report.summary.spans, found(&report)), (spans, EXPECTED.map(str::to_owned).to_vec()));
    assert_eq!(report.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [3, 6, 8, lines.len() as u32]);
    assert!(report.problems[0].what.contains("not JSON"), "{:?}", report.problems);
    assert!(report.problems[1].what.contains("it was cut"), "{:?}", report.problems);
}

#[test]
fn the_line_of_a_fault_in_an_indented_document_is_right() {
    let file = "{\n  \"resourceSpans\": [\n    {\n      \"scopeSpans\": [{ \"spans\": [\n        { \"traceId\": \"zz\" }\n      ] }]\n    }\n  ]\n}\n";
    let report = judge(file, "");
    let problem = &report.problems[0];
    assert_eq!((problem.line, problem.column), (5, 22), "{problem:?}");
}

#[test]
fn bytes_that_are_not_utf_8_cost_only_themselves() {
    let system = system();
    let mut file = system.lines().join("\n").into_bytes();
    let at = file.windows(5).position(|window| window == b"GET /").expect("there is one");
    file[at] = 0xff;
    let report = judge(&file, "");
    assert_eq!((report.summary.spans, report.problems.len()), (system.spans.len() as u64, 1));
    assert_eq!(report.problems[0].line, 1);
}

#[test]
fn lines_and_documents_over_the_limit_are_skipped() {
    let system = system();
    let mut lines = system.lines();
    lines.insert(1, format!("{{\"long\":\"{}\"}}", "x".repeat(3 << 20)));
    let report = judge(lines.join("\n"), "[limits]\ndocument = 1");
    assert_eq!(report.summary.spans, system.spans.len() as u64);
    assert_eq!((report.problems.len(), report.problems[0].line), (1, 2), "{:?}", report.problems);
    let report = judge(format!("{{\n\"long\":\"{}\"}}", "x".repeat(3 << 20)), "[limits]\ndocument = 1");
    assert!(report.problems[0].what.contains("jq -c"), "{:?}", report.problems);
}

#[test]
fn any_cut_of_a_file_is_read_up_to_the_cut() {
    let system = system();
    let json = system.lines().join("\n").into_bytes();
    let messages: Vec<Vec<u8>> = messages(&system).iter().map(Message::encode_to_vec).collect();
    for file in
        [json.clone(), prefixed(messages.iter().map(Vec::as_slice)), messages.concat(), gzip(&json), zstd(&json)]
    {
        let mut before = 0;
        for end in (0..file.len()).step_by(97) {
            let report = judge(&file[..end], "");
            let read = report.summary.spans + report.summary.repeated_spans;
            assert!(read >= before || read + 1 >= before, "{read} {before}");
            before = read;
        }
    }
}

#[test]
fn directories_and_files_are_read_in_order() {
    let folder = tempfile::tempdir().expect("there is room");
    let system = system();
    let lines = system.lines();
    std::fs::create_dir(folder.path().join("b")).expect("there is room");
    std::fs::write(folder.path().join("b/2.jsonl.gz"), gzip(lines[3..].join("\n").as_bytes())).expect("there is room");
    std::fs::write(folder.path().join("a.jsonl"), lines[..3].join("\n")).expect("there is room");
    std::fs::write(folder.path().join(".hidden"), "no").expect("there is room");
    let files = ctx_check::reader::inputs(&[folder.path().to_owned()]).expect("it can be listed");
    let names: Vec<String> =
        files.iter().map(|file| file.name().replace(&folder.path().display().to_string(), "")).collect();
    assert_eq!(names, ["/a.jsonl", "/b/2.jsonl.gz"]);
    let settings = Settings::default();
    let mut check = Check::new(&settings).expect("the settings are right");
    for file in &files {
        check.read(&file.name(), file.open().expect("it exists"));
    }
    let report = check.finish().expect("there is room");
    assert_read(&report, system.spans.len() as u64);
    assert_eq!(report.summary.files, 2);
    assert!(
        ctx_check::reader::inputs(&[folder.path().join("none")]).is_err_and(|error| error.to_string().contains("none"))
    );
}

#[test]
fn the_verdict_is_the_same_with_little_memory() {
    let mut system = system();
    for _ in 0..2000 {
        let web = system.add(None, "web", "GET /", SERVER);
        system.reach(web, "orders");
    }
    let file = system.lines().join("\n");
    let report = judge(&file, "");
    let spilled = judge(&file, "[limits]\nmemory = 1");
    assert!(spilled.summary.spilled_bytes > 0 && report.summary.spilled_bytes == 0);
    let json = |mut report: Report| {
        report.summary.spilled_bytes = 0;
        report.json().expect("it is JSON")
    };
    assert_eq!(json(report), json(spilled));
}
