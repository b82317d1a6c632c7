//! A collector that is down, refuses or hangs: what is lost is counted and reported, and the end comes in time.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use ctx_layer::setup::{self, LogFormat, Setup, Telemetry};

use crate::{
    collector::{Answer, Collector},
    export::to,
};

/// The variables of a test of losses: traces only, and no waiting.
const FAST: [(&str, &str); 5] = [
    ("OTEL_LOGS_EXPORTER", "none"),
    ("OTEL_METRICS_EXPORTER", "none"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "300"),
];

fn spans(telemetry: &Telemetry, count: usize) {
    telemetry.in_scope(|| {
        for _ in 0..count {
            drop(tracing::info_span!("request").entered());
        }
    });
}

/// Returns the address of a port on which nobody listens.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    format!("http://{}", listener.local_addr().expect("it has an address"))
}

fn down() -> Setup {
    setup::builder("orders").variables([("OTEL_EXPORTER_OTLP_ENDPOINT", closed())]).variables(FAST).local()
}

#[test]
fn a_collector_that_is_down_loses_spans_that_are_counted() {
    for protocol in ["grpc", "http/protobuf", "http/json"] {
        let telemetry = down()
            .variables([("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)])
            .writer(std::io::sink)
            .init()
            .expect("it starts");
        spans(&telemetry, 5);
        let counts = telemetry.shutdown_blocking().expect("it ends in time");
        assert_eq!((counts.traces.exported, counts.traces.failed), (0, 5), "{protocol}: {counts:?}");
        assert_eq!(counts.traces.queued, 0);
    }
}

#[test]
fn a_collector_that_refuses_loses_spans_that_are_counted() {
    let collector = Collector::start(Answer::Refuse);
    let telemetry = to(&collector).variables(FAST).init().expect("it starts");
    spans(&telemetry, 3);
    let counts = telemetry.flush().expect("it is in time");
    assert_eq!((counts.traces.exported, counts.traces.failed), (0, 3));

    collector.set_answer(Answer::Accept);
    spans(&telemetry, 2);
    let counts = telemetry.shutdown_blocking().expect("it ends in time");
    assert_eq!((counts.traces.exported, counts.traces.failed), (2, 3), "it is back");
    assert_eq!(collector.spans().len(), 2);
}

#[test]
fn a_full_queue_drops_spans_that_are_counted() {
    let collector = Collector::start(Answer::Hang);
    let telemetry = to(&collector)
        .variables(FAST)
        .variables([("OTEL_EXPORTER_OTLP_TIMEOUT", "60000"), ("CTX_OBSERVABILITY_SHUTDOWN_TIMEOUT", "50ms")])
        .init()
        .expect("it starts");
    spans(&telemetry, 1000);
    let counts = telemetry.counts().traces;
    assert!(counts.queued <= 8, "{counts:?}");
    // A batch or more is on its way, and one of 8 is in the queue.
    assert!(counts.dropped >= 1000 - 8 - 8 && counts.dropped < 1000, "{counts:?}");
    let error = telemetry.shutdown_blocking().expect_err("the collector hangs");
    assert!(error.to_string().starts_with("not everything was exported: traces: "), "{error}");
}

#[test]
fn losses_are_reported_once_per_interval() {
    let lines = Arc::new(Mutex::new(Vec::<u8>::new()));
    let writer = {
        let lines = Arc::clone(&lines);
        move || Lines(Arc::clone(&lines))
    };
    let telemetry = down().writer(writer).init().expect("it starts");
    for _ in 0..3 {
        spans(&telemetry, 2);
        telemetry.flush().expect("it is in time");
    }
    telemetry.shutdown_blocking().expect("it ends in time");
    let lines = String::from_utf8(lines.lock().expect("it is whole").clone()).expect("it is UTF-8");
    let reports: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("it is JSON"))
        .filter(|line: &serde_json::Value| line["target"] == "ctx_layer::setup")
        .collect();
    // One when it began, one at the end with the rest.
    assert!((1..=2).contains(&reports.len()), "{lines}");
    let failed: u64 = reports.iter().filter_map(|report| report["failed"].as_u64()).sum();
    assert_eq!(failed, 6, "{lines}");
    assert!(reports[0]["error"].as_str().is_some_and(|error| !error.is_empty()), "{lines}");
    assert!(!lines.contains("BatchSpanProcessor"), "the SDK says nothing beside it: {lines}");
}

struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("it is whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A disk that is full.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_that_find_no_room_on_the_disk_are_counted() {
    let collector = Collector::start(Answer::Accept);
    for format in [LogFormat::Json, LogFormat::Text] {
        let telemetry = to(&collector)
            .writer(|| Full)
            .configure(move |settings| settings.observability.log_format = format)
            .init()
            .expect("it starts");
        telemetry.in_scope(|| (0..3).for_each(|_| tracing::info!("hello")));
        let counts = telemetry.shutdown_blocking().expect("it ends in time");
        assert_eq!((counts.lost_lines, counts.logs.exported), (3, 3), "{format:?}");
    }
}

#[test]
fn the_end_works_inside_every_kind_of_runtime() {
    let collector = Collector::start(Answer::Accept);
    let current = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it starts");
    let multi = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("it starts");
    for runtime in [current(), multi()] {
        for is_awaited in [true, false] {
            for protocol in ["http/protobuf", "grpc"] {
                let telemetry = runtime.block_on(async {
                    let telemetry = to(&collector)
                        .variables(FAST)
                        .variables([("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)])
                        .init()
                        .expect("it starts");
                    spans(&telemetry, 1);
                    if is_awaited {
                        telemetry.shutdown().await.expect("it ends in time");
                    } else {
                        telemetry.shutdown_blocking().expect("it ends in time");
                    }
                    telemetry
                });
                let counts = telemetry.counts().traces;
                assert_eq!((counts.exported, counts.failed), (1, 0), "{protocol}");
            }
        }
    }
}

#[test]
fn dropping_the_last_handle_exports_the_rest() {
    let collector = Collector::start(Answer::Accept);
    let telemetry = to(&collector).init().expect("it starts");
    let other = telemetry.clone();
    spans(&telemetry, 1);
    drop(telemetry);
    spans(&other, 1);
    let dispatch = other.dispatch().clone();
    drop(other);
    assert_eq!(collector.spans().len(), 2);
    tracing::dispatcher::with_default(&dispatch, || drop(tracing::info_span!("recorded when it is over")));
    assert_eq!(collector.spans().len(), 2);
}

#[test]
fn spans_of_a_panic_are_exported() {
    let collector = Collector::start(Answer::Accept);
    let telemetry = to(&collector).init().expect("it starts");
    let panicked = std::thread::spawn(move || {
        telemetry.in_scope(|| {
            let _span = tracing::info_span!("request").entered();
            panic!("it is broken");
        });
        drop(telemetry);
    });
    assert!(panicked.join().is_err());
    let _ = collector.span("request");
}

#[test]
fn a_collector_that_hangs_does_not_delay_the_service() {
    let collector = Collector::start(Answer::Hang);
    let telemetry = to(&collector)
        .variables(FAST)
        .configure(|settings| settings.observability.shutdown_timeout = Duration::from_millis(10))
        .init()
        .expect("it starts");
    // Would take hours if a span waited for the time limit of an export.
    spans(&telemetry, if std::env::var_os("CTX_STRESS").is_some() { 1_000_000 } else { 20_000 });
    let counts = telemetry.counts().traces;
    assert!(counts.queued <= 8, "{counts:?}");
    assert_eq!(counts.exported, 0);
}

/// Returns the variables of all signals with short exports.
fn all_signals(url: &str, protocol: &str) -> [(&'static str, String); 4] {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.to_owned()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "200".to_owned()),
        ("RUST_LOG", "info".to_owned()),
    ]
}

fn all(url: &str, protocol: &str) -> Setup {
    setup::builder("orders").variables(all_signals(url, protocol)).writer(std::io::sink).local()
}

#[test]
fn the_end_comes_in_its_time_for_every_signal_that_hangs() {
    for protocol in ["http/protobuf", "grpc"] {
        let collector = Collector::start(Answer::Hang);
        let telemetry = all(&collector.url(), protocol)
            .variables([("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000"), ("CTX_OBSERVABILITY_SHUTDOWN_TIMEOUT", "100ms")])
            .init()
            .expect("it starts");
        telemetry.in_scope(|| tracing::info_span!("request").in_scope(|| tracing::info!("hello")));
        // Would take an hour otherwise.
        let error = telemetry.shutdown_blocking().expect_err("the collector hangs").to_string();
        for signal in ["traces", "logs", "metrics"] {
            assert!(error.contains(signal), "{protocol}: {error}");
        }
        let counts = telemetry.counts();
        assert_eq!((counts.traces.queued, counts.logs.queued), (1, 1), "{protocol}: what is lost is counted");
    }
}

#[test]
fn what_the_end_leaves_behind_is_reported() {
    let collector = Collector::start(Answer::Hang);
    let lines = Arc::new(Mutex::new(Vec::<u8>::new()));
    let writer = {
        let lines = Arc::clone(&lines);
        move || Lines(Arc::clone(&lines))
    };
    let telemetry = all(&collector.url(), "http/protobuf")
        .variables([("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000"), ("CTX_OBSERVABILITY_SHUTDOWN_TIMEOUT", "100ms")])
        .writer(writer)
        .init()
        .expect("it starts");
    spans(&telemetry, 3);
    let _ = telemetry.shutdown_blocking().expect_err("the collector hangs");
    let lines = String::from_utf8(lines.lock().expect("it is whole").clone()).expect("it is UTF-8");
    let report = lines.lines().find(|line| line.contains("the end took too long")).unwrap_or_else(|| panic!("{lines}"));
    let report: serde_json::Value = serde_json::from_str(report).expect("it is JSON");
    assert_eq!((report["signal"].as_str(), report["queued"].as_u64()), (Some("traces"), Some(3)), "{report}");
}

#[test]
fn a_connection_that_is_never_read_loses_what_is_counted() {
    for protocol in ["http/protobuf", "grpc"] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        // Accepts, keeps the connections open, and reads nothing.
        std::thread::spawn(move || listener.incoming().flatten().collect::<Vec<_>>());
        let telemetry =
            all(&url, protocol).variables([("CTX_OBSERVABILITY_SHUTDOWN_TIMEOUT", "60s")]).init().expect("it starts");
        // More than a socket's buffer takes.
        let long = "x".repeat(20_000);
        telemetry.in_scope(|| {
            for _ in 0..600 {
                tracing::info_span!("request", long).in_scope(|| tracing::info!(long, "hello"));
            }
        });
        let counts = telemetry.shutdown_blocking().expect("each export has its own time limit");
        assert_eq!((counts.traces.exported, counts.traces.failed, counts.traces.queued), (0, 600, 0), "{protocol}");
        assert_eq!((counts.logs.exported, counts.logs.queued), (0, 0), "{protocol}: {counts:?}");
        // And the report of the library itself.
        assert!(counts.logs.failed >= 600, "{protocol}: {counts:?}");
        assert!(counts.metrics.failed >= 1 && counts.metrics.exported == 0, "{protocol}: {counts:?}");
    }
}

#[test]
fn what_waits_during_an_outage_arrives_after_it() {
    for protocol in ["http/protobuf", "http/json", "grpc"] {
        let collector = Collector::start(Answer::Accept);
        let telemetry = all(&collector.url(), protocol)
            .variables([("OTEL_METRICS_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "none")])
            // Only a flush exports.
            .variables([("OTEL_BSP_SCHEDULE_DELAY", "3600000"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "5000")])
            .variables([("CTX_OBSERVABILITY_SHUTDOWN_TIMEOUT", "60s")])
            .init()
            .expect("it starts");
        spans(&telemetry, 1);
        assert_eq!(telemetry.flush().expect("it is in time").traces.exported, 1, "{protocol}");

        collector.stop();
        spans(&telemetry, 3);
        let counts = telemetry.flush().expect("it is in time").traces;
        assert_eq!((counts.exported, counts.failed), (1, 3), "{protocol}: it is down");
        spans(&telemetry, 5);
        assert_eq!(telemetry.counts().traces.queued, 5, "{protocol}");

        collector.start_again();
        let counts = telemetry.flush().expect("it is in time").traces;
        assert_eq!((counts.exported, counts.failed, counts.queued), (6, 3, 0), "{protocol}: it is back");
        if protocol != "http/json" {
            assert_eq!(collector.spans().len(), 6, "{protocol}");
        }
        telemetry.shutdown_blocking().expect("it ends in time");
    }
}
