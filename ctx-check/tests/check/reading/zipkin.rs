//! Zipkin's JSON.

use crate::{
    reading::{assert_read, system},
    scenario::{CLIENT, CONSUMER, SERVER, found, judge},
};

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
fn parts_of_a_span_are_one_span() {
    // Zipkin's tracers send what they have. A part without a time and a kind only adds annotations; so does the server's second one.
    let span = |kind: &str, service: &str, time: &str| {
        let kind = if kind.is_empty() { String::new() } else { format!(r#""kind":"{kind}","#) };
        let shared = if service == "orders" && !kind.is_empty() { r#","shared":true"# } else { "" };
        format!(
            r#"{{"traceId":"1","id":"2",{kind}"name":"n"{time},"localEndpoint":{{"serviceName":"{service}"}},"tags":{{"a":"b"}}{shared}}}"#
        )
    };
    let at =
        |start: u64| format!(r#","timestamp":{},"duration":{}"#, 1_790_000_000_000_000 + start, 1_000_000 - 2 * start);
    let parts = [
        span("CLIENT", "web", &at(0)),
        span("SERVER", "orders", &at(100_000)),
        span("", "orders", ""),
        span("SERVER", "orders", &at(200_000)),
        format!(
            r#"{{"traceId":"1","id":"3","parentId":"2","name":"load"{},"localEndpoint":{{"serviceName":"orders"}}}}"#,
            at(300_000)
        ),
    ];
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 3, 1, 4]] {
        let file: Vec<&str> = order.iter().map(|part| &*parts[*part]).collect();
        let report = judge(file.join("\n"), "");
        crate::scenario::assert_healthy(&report);
        assert_eq!(report.summary.spans, 3, "the client's, the server's, and what it caused");
    }
    // A span that never says its time is behind no clock.
    let report = judge([&*parts[0], &span("SERVER", "orders", ""), &parts[4]].join("\n"), "");
    crate::scenario::assert_healthy(&report);
}
