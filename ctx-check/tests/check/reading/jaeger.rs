//! Jaeger's JSON.

use crate::{
    reading::{assert_read, system},
    scenario::{found, judge},
};

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
fn documents_of_elasticsearch_are_read() {
    let document = |service: &str, kind: &str, id: &str, parent: &str| {
        let references = if parent.is_empty() {
            "[]".to_owned()
        } else {
            format!(r#"[{{"refType":"CHILD_OF","traceID":"1","spanID":"{parent}"}}]"#)
        };
        format!(
            r#"{{"traceID":"1","spanID":"{id}","operationName":"n","references":{references},"startTime":1790000000000000,"startTimeMillis":1790000000000,"duration":5,"tags":[{{"key":"span.kind","type":"string","value":"{kind}"}},{{"key":"tenant_id","type":"string","value":"{service}"}}],"logs":[],"process":{{"serviceName":"{service}","tags":[]}}}}"#
        )
    };
    let spans = [
        document("web", "server", "1", ""),
        document("web", "client", "2", "1"),
        document("orders", "server", "3", "2"),
    ];
    let expected = ["ctx/tenant-change | web -> orders | replaced"];
    assert_eq!(found(&judge(spans.join("\n"), "")), expected);
    assert_eq!(found(&judge(format!("[{}]", spans.join(",\n")), "")), expected);
    let dumped: Vec<String> = spans
        .iter()
        .map(|span| format!(r#"{{"_index":"jaeger-span-2026-11-27","_id":"a","_source":{span}}}"#))
        .collect();
    assert_eq!(found(&judge(dumped.join("\n"), "")), expected);
}
