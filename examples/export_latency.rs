//! Measures what an export costs the service: `cargo run --release --example export_latency`.
//!
//! A request is a span with a child span and two events, on one thread. Each row is a start of its own, in this order in one run:
//! nothing is recorded; the same layers record, and nothing is queued; a collector accepts; one never answers; none listens. The
//! columns are the time of `init`, of requests (the median, the 99th and the 99.9th percentile), what was queued at the end and
//! dropped, the resident memory, the time of the end. A first argument is the number of requests of each row.
//!
//! `-- memory 5000000` runs only the rows without a working collector, and prints the resident memory after each million, then that
//! of 20 starts with their ends.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use ctx_layer::{
    field::well_known::TENANT_ID,
    setup::{self, Setup},
};
use opentelemetry::{Context, InstrumentationScope, trace::TracerProvider};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord, SdkLoggerProvider},
    metrics::SdkMeterProvider,
    trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor},
};
use tracing_opentelemetry::MetricsLayer;

/// A processor that drops all that is recorded: what remains is the cost of recording.
#[derive(Debug)]
struct Drops;

impl SpanProcessor for Drops {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl LogProcessor for Drops {
    fn emit(&self, _: &mut SdkLogRecord, _: &InstrumentationScope) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

/// Adds the layers that record what an export would send.
fn recording(setup: Setup) -> Setup {
    setup
        .layer(|_| {
            let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(1.0)));
            let provider = SdkTracerProvider::builder().with_sampler(sampler).with_span_processor(Drops).build();
            tracing_opentelemetry::layer().with_tracer(provider.tracer("orders"))
        })
        .layer(|_| MetricsLayer::new(SdkMeterProvider::default()))
        .layer(|_| OpenTelemetryTracingBridge::new(&SdkLoggerProvider::builder().with_log_processor(Drops).build()))
}

/// Binds a port of this machine.
fn listener() -> std::io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url))
}

/// Answers each request of HTTP/1.1 with 200.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut received = Vec::new();
    let mut chunk = [0; 65_536];
    loop {
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        received.extend_from_slice(&chunk[..count]);
        let Some(head) = received.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let headers = String::from_utf8_lossy(&received[..head]).to_ascii_lowercase();
        let length = headers.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        if received.len() >= head + 4 + length {
            received.drain(..head + 4 + length);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        }
    }
}

/// Returns the resident memory in MiB, where the system says.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}

fn request() {
    TENANT_ID.in_scope("acme", || {
        let _request = tracing::info_span!("request", path = "/orders").entered();
        tracing::info!("received");
        tracing::info_span!("query").in_scope(|| tracing::info!(rows = 3, "loaded"));
    });
}

fn builder(variables: &[(&str, String)]) -> Setup {
    setup::builder("orders")
        .variables(variables.iter().map(|(name, value)| (*name, value.clone())))
        .variables([("RUST_LOG", "info"), ("CTX_OBSERVABILITY_SHUTDOWN_TIMEOUT", "2s")])
        .writer(std::io::sink)
        .local()
}

/// Prints the resident memory after each million of requests.
fn memory(name: &str, variables: &[(&str, String)], requests: usize) -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = builder(variables).init()?;
    let mut sizes = Vec::new();
    telemetry.in_scope(|| {
        for count in 1..=requests {
            request();
            if count == 1_000 || count.is_multiple_of(1_000_000) {
                sizes.push(resident().map_or_else(|| "unknown".to_owned(), |size| size.to_string()));
            }
        }
    });
    let counts = telemetry.counts();
    let lost = counts.traces.dropped + counts.traces.failed + counts.logs.dropped + counts.logs.failed;
    println!("{name:12} MiB after 1000 requests and each million: {}  lost {lost}", sizes.join(" "));
    let _ = telemetry.shutdown_blocking();
    Ok(())
}

fn measure(
    name: &str,
    variables: &[(&str, String)],
    with: fn(Setup) -> Setup,
    requests: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let telemetry = with(builder(variables)).init()?;
    let started = start.elapsed();
    let mut times: Vec<Duration> = telemetry.in_scope(|| {
        let timed = |_| {
            let start = Instant::now();
            request();
            start.elapsed()
        };
        (0..requests).map(timed).collect()
    });
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 1000).copied().unwrap_or_default();
    let counts = telemetry.counts();
    let memory = resident().map(|memory| format!("{memory} MiB")).unwrap_or_default();
    let start = Instant::now();
    let _ = telemetry.shutdown_blocking();
    println!(
        "{name:12} init {started:>9.1?}  p50 {:>8.1?}  p99 {:>8.1?}  p99.9 {:>8.1?}  queued {:>4}  dropped {:>8}  {memory}  end {:.1?}",
        at(500),
        at(990),
        at(999),
        counts.traces.queued + counts.logs.queued,
        counts.traces.dropped + counts.logs.dropped,
        start.elapsed(),
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_memory = arguments.first().is_some_and(|first| first == "memory");
    let requests = arguments.last().filter(|last| *last != "memory").map(|count| count.parse()).transpose()?;
    let (accepting, accepts) = listener()?;
    thread::spawn(move || {
        for stream in accepting.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    // Never accepted: the system completes the connection, and nothing answers.
    let (_hanging, hangs) = listener()?;
    let closed = listener()?.1;

    let to = |url: &str| vec![("OTEL_EXPORTER_OTLP_ENDPOINT", url.to_owned())];
    let grpc = |url: &str| [to(url), vec![("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned())]].concat();
    let off = [("OTEL_SDK_DISABLED", "true".to_owned())];
    if is_memory {
        let requests = requests.unwrap_or(5_000_000);
        memory("down", &to(&closed), requests)?;
        memory("hangs", &to(&hangs), requests)?;
        memory("down, gRPC", &grpc(&closed), requests)?;
        memory("hangs, gRPC", &grpc(&hangs), requests)?;
        for _ in 0..20 {
            memory("starts, down", &to(&closed), 1_000)?;
        }
        return Ok(());
    }
    let requests = requests.unwrap_or(500_000);
    let same = |setup| setup;
    measure("warm-up", &off, same, requests / 10)?;
    measure("nothing", &off, same, requests)?;
    measure("not queued", &off, recording, requests)?;
    measure("accepts", &to(&accepts), same, requests)?;
    measure("hangs", &to(&hangs), same, requests)?;
    measure("down", &to(&closed), same, requests)?;
    measure("hangs, gRPC", &grpc(&hangs), same, requests)?;
    measure("down, gRPC", &grpc(&closed), same, requests)
}
