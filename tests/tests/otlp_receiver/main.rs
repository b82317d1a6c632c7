//! Reads back from a real receiver what a service exports: rotel receives it over gRPC and HTTP and sends it on to the test.
//!
//! `bash tests/services/otlp.sh` installs rotel and runs this. `CTX_ROTEL` is the path of its binary.

#[allow(dead_code, reason = "the other test uses all of it")]
#[path = "../setup/collector.rs"]
mod collector;

use std::{
    env,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use collector::{Answer, Collector, attribute, string};
use ctx_layer::{
    field::well_known::USER_ID,
    propagation::{self, Trust},
    setup::{self, Telemetry},
};
use opentelemetry_proto::tonic::{logs::v1::LogRecord, trace::v1::status::StatusCode};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// A running rotel. Dropping it stops it.
struct Rotel {
    child: Child,
    grpc: SocketAddr,
    http: SocketAddr,
    folder: PathBuf,
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address")
}

impl Rotel {
    /// Starts one on free ports, that sends what it receives to the collector.
    fn start(collector: &Collector) -> Self {
        Self::start_at(collector, free_port(), free_port())
    }

    fn start_at(collector: &Collector, grpc: SocketAddr, http: SocketAddr) -> Self {
        let binary = env::var("CTX_ROTEL").expect("CTX_ROTEL is the path of rotel: run tests/services/otlp.sh");
        let folder = env::temp_dir().join(format!("ctx-rotel-{}-{}", std::process::id(), grpc.port()));
        std::fs::create_dir_all(&folder).expect("it is created");
        let child = Command::new(&binary)
            .arg("start")
            .args(["--otlp-grpc-endpoint", &grpc.to_string(), "--otlp-http-endpoint", &http.to_string()])
            .args(["--exporter", "otlp", "--otlp-exporter-protocol", "http", "--otlp-exporter-compression", "gzip"])
            .args(["--otlp-exporter-endpoint", &collector.url(), "--batch-timeout", "50ms"])
            .arg("--pid-file")
            .arg(folder.join("pid"))
            .arg("--log-file")
            .arg(folder.join("log"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{binary} starts: {error}"));
        let rotel = Rotel { child, grpc, http, folder };
        wait("rotel listens", || [grpc, http].iter().all(|port| TcpStream::connect(port).is_ok()));
        rotel
    }
}

impl Drop for Rotel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Waits for something that another process does. A minute is the limit for a machine that is busy.
fn wait(what: &str, is_done: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_done() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn telemetry(endpoint: String, protocol: &str) -> Telemetry {
    setup::builder("orders")
        .service_version("1.2.3")
        .variables([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test".to_owned()),
            ("RUST_LOG", "info".to_owned()),
        ])
        .writer(std::io::sink)
        .local()
        .init()
        .expect("it starts")
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A request of another service, with a query that fails and a link.
fn serve() {
    let headers = [
        ("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01")),
        ("tracestate", "vendor=value".to_owned()),
        ("baggage", "tenant_id=acme".to_owned()),
    ];
    let received = propagation::extract(&headers.as_slice(), Trust::internal());
    let _received = received.attach();
    let request = tracing::info_span!("request", otel.kind = "server", orders = 3);
    let _ = request.set_parent(received.context().clone());
    let _request = request.entered();
    let _ = USER_ID.record("ada");
    {
        let query = tracing::info_span!("query", otel.kind = "client", otel.status_code = "error");
        query.add_link(opentelemetry::trace::TraceContextExt::span(received.context()).span_context().clone());
        let _query = query.entered();
        tracing::error!(rows = 3, "the query failed");
    }
    tracing::info!(monotonic_counter.orders = 1_u64, "counted");
}

/// Exports what `serve` does to rotel, and checks what rotel received.
fn is_read_back(protocol: &str) {
    let collector = Collector::start(Answer::Accept);
    let rotel = Rotel::start(&collector);
    let port = if protocol == "grpc" { rotel.grpc } else { rotel.http };
    let telemetry = telemetry(format!("http://{port}"), protocol);
    telemetry.in_scope(serve);
    let counts = telemetry.shutdown_blocking().expect("it ends in time");
    assert_eq!((counts.traces.exported, counts.traces.failed), (2, 0), "{protocol}: {counts:?}");
    assert_eq!((counts.logs.exported, counts.logs.failed), (2, 0), "{protocol}: {counts:?}");
    assert_eq!(counts.metrics.failed, 0, "{protocol}: {counts:?}");
    wait("rotel sends it on", || {
        collector.spans().len() == 2 && collector.log_records().len() == 2 && !collector.metrics().is_empty()
    });

    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (request, query) = (collector.span("request"), collector.span("query"));
    assert_eq!(hex(&request.trace_id), TRACE);
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
    assert_eq!(request.trace_state, "vendor=value");
    assert_eq!((request.kind, query.kind), (2, 3), "a server and a client");
    assert_eq!(query.parent_span_id, request.span_id);
    assert_eq!(query.status.as_ref().map(|status| status.code), Some(StatusCode::Error as i32));
    assert_eq!(query.links.len(), 1);
    assert_eq!(hex(&query.links[0].span_id), "b7ad6b7169203331");
    for span in [&request, &query] {
        assert_eq!(attribute(&span.attributes, "tenant_id").as_deref(), Some("acme"), "{span:?}");
        assert_eq!(attribute(&span.attributes, "user_id").as_deref(), Some("ada"), "{span:?}");
    }
    assert_eq!(attribute(&request.attributes, "orders").as_deref(), Some("3"));

    let records = collector.log_records();
    let failed = records.iter().find(|record| record.severity_text == "ERROR").expect("it is there");
    assert_eq!(failed.body.as_ref().map(string).as_deref(), Some("the query failed"));
    assert_eq!((&failed.trace_id, &failed.span_id), (&query.trace_id, &query.span_id));
    // An event that is a metric has no fields, unless their policies say so: every value is another time series.
    let is_metric = |record: &LogRecord| attribute(&record.attributes, "monotonic_counter.orders").is_some();
    for record in records.iter().filter(|record| !is_metric(record)) {
        assert_eq!(attribute(&record.attributes, "tenant_id").as_deref(), Some("acme"), "{record:?}");
        assert_eq!(attribute(&record.attributes, "user_id").as_deref(), Some("ada"), "{record:?}");
    }
    let metrics: Vec<String> = collector.metrics().into_iter().map(|metric| metric.name).collect();
    assert!(metrics.iter().any(|name| name == "orders"), "{metrics:?}");
    assert!(metrics.iter().any(|name| name == "ctx.export.items"), "{metrics:?}");
    for resource in collector.resources() {
        assert_eq!(attribute(&resource, "service.name").as_deref(), Some("orders"));
        assert_eq!(attribute(&resource, "service.version").as_deref(), Some("1.2.3"));
        assert_eq!(attribute(&resource, "deployment.environment.name").as_deref(), Some("test"));
    }
}

#[test]
#[ignore = "needs rotel: bash tests/services/otlp.sh"]
fn all_signals_are_read_back_over_grpc() {
    is_read_back("grpc");
}

#[test]
#[ignore = "needs rotel: bash tests/services/otlp.sh"]
fn all_signals_are_read_back_over_http_with_protocol_buffers() {
    is_read_back("http/protobuf");
}

#[test]
#[ignore = "needs rotel: bash tests/services/otlp.sh"]
fn all_signals_are_read_back_over_http_with_json() {
    is_read_back("http/json");
}

#[test]
#[ignore = "needs rotel: bash tests/services/otlp.sh"]
fn a_receiver_that_comes_back_gets_what_comes_after() {
    let collector = Collector::start(Answer::Accept);
    let rotel = Rotel::start(&collector);
    let (grpc, http) = (rotel.grpc, rotel.http);
    let telemetry = telemetry(format!("http://{grpc}"), "grpc");
    let flushed = |log: fn()| {
        telemetry.in_scope(log);
        // What takes too long is in the counts.
        let _ = telemetry.flush();
        telemetry.counts().traces
    };
    assert_eq!(flushed(|| drop(tracing::info_span!("before").entered())).exported, 1);
    drop(rotel);
    let down = flushed(|| drop(tracing::info_span!("down").entered()));
    assert_eq!(down.exported, 1, "{down:?}");

    let _rotel = Rotel::start_at(&collector, grpc, http);
    let after = flushed(|| drop(tracing::info_span!("after").entered()));
    assert!(after.exported >= 2, "{after:?}");
    wait("rotel sends it on", || collector.spans().iter().any(|span| span.name == "after"));
}
