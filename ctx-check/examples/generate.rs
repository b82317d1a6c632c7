//! Writes traces to measure with: `cargo run --release -p ctx-check --example generate -- 1000000 > traces.jsonl`.
//!
//! OTLP in JSON as the Collector's file exporter writes it, an export request of 100 traces per line. A trace is an order in a shop of
//! five services: ten spans, three calls, a message, two database calls. Every thousandth loses its context at one of the calls.

use std::io::{self, BufWriter, Write};

const SERVICES: [&str; 5] = ["gateway", "orders", "billing", "stock", "mailer"];

/// A span: service, name, kind, parent, start and length in microseconds, attributes.
type Step = (usize, &'static str, u8, Option<usize>, u64, u64, &'static [(&'static str, &'static str)]);

const STEPS: [Step; 10] = [
    (
        0,
        "POST /orders",
        2,
        None,
        0,
        9000,
        &[
            ("http.request.method", "POST"),
            ("http.route", "/orders"),
            ("url.path", "/orders"),
            ("http.response.status_code", "201"),
        ],
    ),
    (
        0,
        "POST",
        3,
        Some(0),
        200,
        8500,
        &[
            ("http.request.method", "POST"),
            ("server.address", "orders"),
            ("server.port", "8080"),
            ("http.response.status_code", "201"),
        ],
    ),
    (
        1,
        "POST /orders",
        2,
        Some(1),
        300,
        8200,
        &[
            ("http.request.method", "POST"),
            ("http.route", "/orders"),
            ("url.path", "/orders"),
            ("http.response.status_code", "201"),
        ],
    ),
    (
        1,
        "INSERT orders",
        3,
        Some(2),
        400,
        1000,
        &[
            ("db.system.name", "postgresql"),
            ("db.operation.name", "INSERT"),
            ("server.address", "db"),
            ("db.query.text", "INSERT INTO orders (item, price) VALUES ($1, $2)"),
        ],
    ),
    (
        1,
        "POST",
        3,
        Some(2),
        1500,
        3000,
        &[
            ("http.request.method", "POST"),
            ("server.address", "billing"),
            ("server.port", "8080"),
            ("http.response.status_code", "200"),
        ],
    ),
    (
        2,
        "POST /bills",
        2,
        Some(4),
        1600,
        2800,
        &[
            ("http.request.method", "POST"),
            ("http.route", "/bills"),
            ("url.path", "/bills"),
            ("http.response.status_code", "200"),
        ],
    ),
    (2, "charge", 1, Some(5), 1700, 2500, &[("code.function.name", "billing::charge")]),
    (
        1,
        "GET",
        3,
        Some(2),
        4600,
        1000,
        &[
            ("http.request.method", "GET"),
            ("server.address", "stock"),
            ("server.port", "8080"),
            ("http.response.status_code", "200"),
        ],
    ),
    (
        3,
        "GET /items/{id}",
        2,
        Some(7),
        4700,
        800,
        &[
            ("http.request.method", "GET"),
            ("http.route", "/items/{id}"),
            ("url.path", "/items/17"),
            ("http.response.status_code", "200"),
        ],
    ),
    (
        1,
        "send mails",
        4,
        Some(2),
        6000,
        300,
        &[
            ("messaging.system", "rabbitmq"),
            ("messaging.destination.name", "mails"),
            ("messaging.operation.type", "send"),
        ],
    ),
];
const CONSUMER: Step = (
    4,
    "process mails",
    5,
    Some(9),
    7000,
    5000,
    &[
        ("messaging.system", "rabbitmq"),
        ("messaging.destination.name", "mails"),
        ("messaging.operation.type", "process"),
    ],
);
const TRACES_OF_A_LINE: u64 = 100;

fn main() -> io::Result<()> {
    let spans: u64 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let steps: Vec<&Step> = STEPS.iter().chain([&CONSUMER]).collect();
    let mut trace = 0;
    let mut written = 0;
    while written < spans {
        let traces = trace..trace + TRACES_OF_A_LINE;
        trace += TRACES_OF_A_LINE;
        write!(out, "{{\"resourceSpans\":[")?;
        for (number, service) in SERVICES.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(
                out,
                "{comma}{{\"resource\":{{\"attributes\":[{},{},{},{}]}},\"scopeSpans\":[{{\"scope\":{{\"name\":\"shop\",\"version\":\"1.0\"}},\"spans\":[",
                attribute("service.name", service),
                attribute("service.instance.id", &format!("{service}-0")),
                attribute("telemetry.sdk.language", "rust"),
                attribute("telemetry.sdk.version", "0.33.0")
            )?;
            let mut is_first = true;
            for trace in traces.clone() {
                for (at, step) in steps.iter().enumerate().filter(|(_, step)| step.0 == number) {
                    if !is_first {
                        out.write_all(b",")?;
                    }
                    is_first = false;
                    span(&mut out, trace, at, step)?;
                    written += 1;
                }
            }
            write!(out, "]}}]}}")?;
        }
        writeln!(out, "]}}")?;
    }
    out.flush()
}

/// The ids look random and are not: the same number gives the same file.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (number ^ (number >> 31)).max(1)
}

fn span(
    out: &mut impl Write,
    trace: u64,
    at: usize,
    (_, name, kind, parent, start, length, attributes): &Step,
) -> io::Result<()> {
    let start = 1_790_000_000_000_000_000 + trace * 1_000_000 + start * 1000;
    let id = |at: usize| mixed(trace * 16 + at as u64 + 1);
    // The context is lost where `billing` is called: it starts a trace of its own.
    let is_lost = trace % 1000 == 999 && matches!(at, 5 | 6);
    let of_trace = if is_lost { mixed(trace + (1 << 40)) } else { mixed(trace + (1 << 41)) };
    write!(out, "{{\"traceId\":\"{:016x}{:016x}\",\"spanId\":\"{:016x}\"", of_trace, mixed(of_trace), id(at))?;
    if let Some(parent) = parent.filter(|_| !(is_lost && at == 5)) {
        write!(out, ",\"parentSpanId\":\"{:016x}\"", id(parent))?;
    }
    write!(
        out,
        ",\"flags\":257,\"name\":\"{name}\",\"kind\":{kind},\"startTimeUnixNano\":\"{start}\",\"endTimeUnixNano\":\"{}\",\"attributes\":[{},{}",
        start + length * 1000,
        attribute("tenant_id", ["acme", "globex", "initech"][(trace % 3) as usize]),
        attribute("request_id", &format!("{:016x}", mixed(trace)))
    )?;
    for (key, value) in *attributes {
        write!(out, ",{}", attribute(key, value))?;
    }
    write!(out, "],\"status\":{{}}}}")
}

fn attribute(key: &str, value: &str) -> String {
    match value.parse::<i64>() {
        Ok(_) if key != "request_id" => format!("{{\"key\":\"{key}\",\"value\":{{\"intValue\":\"{value}\"}}}}"),
        _ => format!("{{\"key\":\"{key}\",\"value\":{{\"stringValue\":\"{value}\"}}}}"),
    }
}
