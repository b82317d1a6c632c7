//! Measures what an export costs the service: `cargo run --release --example export_latency`.
//!
//! A request is a span with a child span and two events, on one thread. Each row is a start of its own, in this order in one run:
//! nothing is exported; a collector accepts; one never answers; none listens. The columns are the time of `init`, of requests (the
//! median, the 99th and the 99.9th percentile), what was queued at the end and dropped, the resident memory, the time of the end.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use ctx_layer::{field::well_known::TENANT_ID, setup};

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

fn measure(name: &str, variables: &[(&str, String)], requests: usize) -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let telemetry = setup::builder("orders")
        .variables(variables.iter().map(|(name, value)| (*name, value.clone())))
        .variables([("RUST_LOG", "info"), ("CTX_OBSERVABILITY_SHUTDOWN_TIMEOUT", "2s")])
        .writer(std::io::sink)
        .local()
        .init()?;
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
    let requests = std::env::args().nth(1).map(|count| count.parse()).transpose()?.unwrap_or(500_000);
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
    measure("warm-up", &[("OTEL_SDK_DISABLED", "true".to_owned())], requests / 10)?;
    measure("no export", &[("OTEL_SDK_DISABLED", "true".to_owned())], requests)?;
    measure("accepts", &to(&accepts), requests)?;
    measure("hangs", &to(&hangs), requests)?;
    measure("down", &to(&closed), requests)?;
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned());
    measure("hangs, gRPC", &[to(&hangs), vec![grpc.clone()]].concat(), requests)?;
    measure("down, gRPC", &[to(&closed), vec![grpc]].concat(), requests)?;
    Ok(())
}
