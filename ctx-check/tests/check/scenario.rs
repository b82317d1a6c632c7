//! Telemetry, built span by span, and written as OTLP.

use std::collections::BTreeMap;

use ctx_check::{Check, Finding, FindingKind, Report, Settings, finding::Cause};
use serde_json::{Value, json};

/// The number of OTLP.
pub(crate) const INTERNAL: u8 = 1;
pub(crate) const SERVER: u8 = 2;
pub(crate) const CLIENT: u8 = 3;
pub(crate) const PRODUCER: u8 = 4;
pub(crate) const CONSUMER: u8 = 5;

/// 2026-09-21, in milliseconds.
pub(crate) const EPOCH: u64 = 1_790_000_000_000;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TestSpan {
    pub(crate) trace: u128,
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) kind: u8,
    /// In milliseconds after [`EPOCH`].
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) links: Vec<(u128, u64)>,
    pub(crate) is_error: bool,
    pub(crate) flags: Option<u32>,
}

impl TestSpan {
    pub(crate) fn json(&self) -> Value {
        let mut span = json!({
            "traceId": format!("{:032x}", self.trace),
            "spanId": format!("{:016x}", self.id),
            "name": self.name,
            "kind": self.kind,
            "startTimeUnixNano": nanoseconds(self.start),
            "endTimeUnixNano": nanoseconds(self.end),
            "attributes": attributes(&self.attributes),
            "status": if self.is_error { json!({ "code": 2 }) } else { json!({}) },
        });
        if self.parent != 0 {
            span["parentSpanId"] = format!("{:016x}", self.parent).into();
        }
        if !self.links.is_empty() {
            let link = |(trace, id): &(u128, u64)| json!({ "traceId": format!("{trace:032x}"), "spanId": format!("{id:016x}") });
            span["links"] = self.links.iter().map(link).collect();
        }
        if let Some(flags) = self.flags {
            span["flags"] = flags.into();
        }
        span
    }

    /// Returns a line of an export with this span alone.
    pub(crate) fn line(&self, resource: &[(String, String)]) -> String {
        let mut of_resource = vec![("service.name".to_owned(), self.service.clone())];
        of_resource.extend_from_slice(resource);
        let resource = json!({ "attributes": attributes(&of_resource) });
        json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": [self.json()] }] }] }).to_string()
    }
}

pub(crate) fn nanoseconds(milliseconds: i64) -> String {
    ((EPOCH as i64 + milliseconds) * 1_000_000).to_string()
}

pub(crate) fn attributes(pairs: &[(String, String)]) -> Value {
    let attribute = |(key, value): &(String, String)| {
        let value = match value.parse::<i64>() {
            Ok(_) => json!({ "intValue": value }),
            Err(_) => json!({ "stringValue": value }),
        };
        json!({ "key": key, "value": value })
    };
    pairs.iter().map(attribute).collect()
}

#[derive(Clone, Debug)]
pub(crate) struct TestLog {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    pub(crate) service: String,
    pub(crate) body: String,
    pub(crate) time: i64,
    pub(crate) attributes: Vec<(String, String)>,
}

impl TestLog {
    pub(crate) fn line(&self) -> String {
        let of_resource = vec![("service.name".to_owned(), self.service.clone())];
        let record = json!({
            "traceId": format!("{:032x}", self.trace),
            "spanId": format!("{:016x}", self.span),
            "timeUnixNano": nanoseconds(self.time),
            "severityNumber": 9,
            "body": { "stringValue": self.body },
            "attributes": attributes(&self.attributes),
        });
        let resource = json!({ "attributes": attributes(&of_resource) });
        json!({ "resourceLogs": [{ "resource": resource, "scopeLogs": [{ "logRecords": [record] }] }] }).to_string()
    }
}

/// Telemetry of a system.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scenario {
    pub(crate) spans: Vec<TestSpan>,
    pub(crate) logs: Vec<TestLog>,
    pub(crate) resources: BTreeMap<String, Vec<(String, String)>>,
    next: u64,
}

impl Scenario {
    pub(crate) fn next_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Adds a span below another one (a place in `spans`), inside its time; or a root. Returns its place.
    pub(crate) fn add(&mut self, parent: Option<usize>, service: &str, name: &str, kind: u8) -> usize {
        let id = self.next_id();
        let (trace, parent_id, start, end) = match parent {
            Some(parent) => {
                let parent = &self.spans[parent];
                (parent.trace, parent.id, parent.start + 1, parent.end - 1)
            }
            None => (u128::from(id) << 64 | 0xabc, 0, id as i64 * 100, id as i64 * 100 + 50),
        };
        self.spans.push(TestSpan {
            trace,
            id,
            parent: parent_id,
            service: service.to_owned(),
            name: name.to_owned(),
            kind,
            start,
            end,
            attributes: Vec::new(),
            links: Vec::new(),
            is_error: false,
            flags: None,
        });
        self.spans.len() - 1
    }

    /// Adds a call to `address`, without the other side.
    pub(crate) fn call(&mut self, parent: usize, address: &str) -> usize {
        let service = self.spans[parent].service.clone();
        let call = self.add(Some(parent), &service, "GET", CLIENT);
        self.set(call, "server.address", address);
        self.set(call, "http.response.status_code", "200");
        call
    }

    /// Adds a call and the server span that it reaches.
    pub(crate) fn reach(&mut self, parent: usize, service: &str) -> (usize, usize) {
        let call = self.call(parent, service);
        (call, self.add(Some(call), service, "GET /x", SERVER))
    }

    /// Adds a message to a queue.
    pub(crate) fn send(&mut self, parent: usize, queue: &str) -> usize {
        let service = self.spans[parent].service.clone();
        let message = self.add(Some(parent), &service, "send", PRODUCER);
        self.of_queue(message, queue);
        message
    }

    pub(crate) fn of_queue(&mut self, span: usize, queue: &str) {
        self.set(span, "messaging.system", "rabbitmq");
        self.set(span, "messaging.destination.name", queue);
    }

    pub(crate) fn set(&mut self, span: usize, key: &str, value: &str) {
        let attributes = &mut self.spans[span].attributes;
        attributes.retain(|(known, _)| known != key);
        attributes.push((key.to_owned(), value.to_owned()));
    }

    pub(crate) fn log(&mut self, span: usize, attributes: &[(&str, &str)]) {
        let TestSpan { trace, id, service, start, .. } = self.spans[span].clone();
        let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.logs.push(TestLog { trace, span: id, service, body: "done".to_owned(), time: start, attributes });
    }

    /// Gives a span, and all below it, a trace of its own.
    pub(crate) fn tear_off(&mut self, span: usize) {
        let (old, id) = (self.spans[span].trace, self.spans[span].id);
        let below = self.below(span);
        for other in below {
            self.spans[other].trace = old ^ u128::from(id) << 96;
        }
        self.spans[span].parent = 0;
    }

    /// Returns a span, and all below it.
    pub(crate) fn below(&self, span: usize) -> Vec<usize> {
        let mut below = vec![span];
        let mut at = 0;
        while let Some(parent) = below.get(at).map(|place| self.spans[*place].id) {
            below.extend((0..self.spans.len()).filter(|place| self.spans[*place].parent == parent));
            at += 1;
        }
        below
    }

    pub(crate) fn remove(&mut self, span: usize) -> TestSpan {
        self.spans.remove(span)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let none = Vec::new();
        let spans = self.spans.iter().map(|span| span.line(self.resources.get(&span.service).unwrap_or(&none)));
        spans.chain(self.logs.iter().map(TestLog::line)).collect()
    }

    pub(crate) fn judge(&self) -> Report {
        self.judge_with("")
    }

    /// Judges with settings in TOML.
    pub(crate) fn judge_with(&self, settings: &str) -> Report {
        judge(self.lines().join("\n"), settings)
    }
}

/// Judges a file, with settings in TOML.
pub(crate) fn judge(file: impl AsRef<[u8]>, settings: &str) -> Report {
    let settings = Settings::parse("settings.toml", settings).expect("the settings are right");
    let mut check = Check::new(&settings).expect("the patterns are right");
    check.read("file", file.as_ref());
    check.finish().expect("there is room for temporary files")
}

/// Returns kind, service, edge and cause of the findings, in one string each.
pub(crate) fn found(report: &Report) -> Vec<String> {
    let mut found: Vec<String> = report.findings.iter().map(said).collect();
    found.sort();
    found
}

fn said(finding: &Finding) -> String {
    let place = match &finding.edge {
        Some(edge) => format!("{} -> {}", edge.from, edge.to),
        None => finding.service.clone(),
    };
    format!("{} | {place} | {}", finding.kind.rule_id(), finding.cause.name())
}

/// Returns the only finding.
#[track_caller]
pub(crate) fn only(report: &Report, kind: FindingKind, cause: Cause) -> Finding {
    match &*report.findings {
        [finding] if finding.kind == kind && finding.cause == cause => finding.clone(),
        _ => panic!("expected {kind:?} {cause:?} alone, and found {:#?}", found(report)),
    }
}

#[track_caller]
pub(crate) fn assert_healthy(report: &Report) {
    assert!(report.findings.is_empty() && report.problems.is_empty(), "{:#?} {:?}", found(report), report.problems);
}
