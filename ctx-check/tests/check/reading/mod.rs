//! Reading: all formats give the same, and what is wrong costs nothing but itself.

mod compression;
mod faults;
mod files;
mod jaeger;
mod log_lines;
mod otlp;
mod zipkin;

use ctx_check::Report;
use flate2::{Compression, write::GzEncoder};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span},
};
use std::io::Write;

use crate::scenario::{CONSUMER, SERVER, Scenario, found};

/// A system in which everything that a format can say plays a part: the verdict shows whether it was read.
pub(super) fn system() -> Scenario {
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

pub(super) const EXPECTED: [&str; 2] =
    ["ctx/broken-edge | web -> orders | header_stripped", "ctx/tenant-change | web -> orders | replaced"];

#[track_caller]
pub(super) fn assert_read(report: &Report, spans: u64) {
    assert_eq!(found(report), EXPECTED, "{:?}", report.problems);
    assert_eq!((report.summary.spans, report.problems.len()), (spans, 0), "{:?}", report.problems);
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("it is memory");
    encoder.finish().expect("it is memory")
}

/// A frame of Zstandard with raw blocks, as RFC 8878, section 3.1.1, has it.
pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
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

pub(super) fn value(text: &str) -> Option<AnyValue> {
    let value = text.parse().map_or_else(|_| Value::StringValue(text.to_owned()), Value::IntValue);
    Some(AnyValue { value: Some(value) })
}

pub(super) fn pairs(attributes: &[(String, String)]) -> Vec<KeyValue> {
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

pub(super) fn prefixed<'m>(messages: impl IntoIterator<Item = &'m [u8]>) -> Vec<u8> {
    let mut file = Vec::new();
    for message in messages {
        file.extend_from_slice(&(message.len() as u32).to_be_bytes());
        file.extend_from_slice(message);
    }
    file
}
