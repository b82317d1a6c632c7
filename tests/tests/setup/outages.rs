//! A day of outages in a minute: `cargo test -p ctx-tests --test setup -- --ignored --exact outages::no_outage_loses_uncounted`.
//! `CTX_SECONDS` is how long it takes, `CTX_SEED` the order of the outages.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use ctx_layer::setup::{self, Telemetry};
use tracing::{Subscriber, span};
use tracing_subscriber::{Layer, layer::Context};

use crate::collector::{Answer, Collector};

/// The counts of what was recorded, which the exports have to account for.
#[derive(Clone, Default)]
struct Recorded {
    spans: Arc<AtomicU64>,
    events: Arc<AtomicU64>,
}

impl<S: Subscriber> Layer<S> for Recorded {
    fn on_new_span(&self, _: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        self.spans.fetch_add(1, Ordering::Relaxed);
    }

    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }
}

/// Numbers in an order that a seed repeats: xorshift64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Returns the resident memory in MiB.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}

struct Service {
    protocol: &'static str,
    collector: Collector,
    telemetry: Telemetry,
    recorded: Recorded,
    /// The spans and the log records that arrived.
    arrived: (u64, u64),
}

impl Service {
    fn start(protocol: &'static str) -> Self {
        let collector = Collector::start(Answer::Accept);
        let recorded = Recorded::default();
        let layer = recorded.clone();
        let telemetry = setup::builder("orders")
            .variables([
                ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url().as_str()),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "300"),
                // A collector that hangs for a second fills the queues.
                ("OTEL_BSP_MAX_QUEUE_SIZE", "256"),
                ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64"),
                ("OTEL_BLRP_MAX_QUEUE_SIZE", "256"),
                ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "64"),
                ("OTEL_BSP_SCHEDULE_DELAY", "50"),
                ("OTEL_BLRP_SCHEDULE_DELAY", "50"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
                ("CTX_OBSERVABILITY_REPORT_INTERVAL", "500ms"),
                ("CTX_OBSERVABILITY_SHUTDOWN_TIMEOUT", "30s"),
                ("RUST_LOG", "info"),
            ])
            .layer(move |_| layer)
            .writer(std::io::sink)
            .local()
            .init()
            .expect("it starts");
        Service { protocol, collector, telemetry, recorded, arrived: (0, 0) }
    }

    /// Changes how the collector answers, or takes it down.
    fn change(&mut self, numbers: &mut Numbers) -> &'static str {
        let (spans, records) = self.collector.forget();
        self.arrived.0 += spans as u64;
        self.arrived.1 += records as u64;
        let (answer, name) = match numbers.below(6) {
            0 => (Answer::Refuse, "refuses"),
            1 => (Answer::Hang, "hangs"),
            2 => (Answer::Slow(Duration::from_millis(numbers.below(400))), "is slow"),
            3 => {
                self.collector.stop();
                return "is down";
            }
            _ => (Answer::Accept, "accepts"),
        };
        self.collector.set_answer(answer);
        // Some restart, which cuts off what hung.
        if self.collector.is_down() || numbers.below(2) == 0 {
            self.collector.start_again();
        }
        name
    }

    /// Ends it, and checks that all that was recorded is in a count.
    fn end(mut self) {
        let (done, ended) = mpsc::channel();
        let telemetry = self.telemetry.clone();
        thread::spawn(move || done.send(telemetry.shutdown_blocking()));
        // Twice the time limit, since the machine may be busy.
        let ended = ended.recv_timeout(Duration::from_secs(60)).expect("it ends");
        let counts = ended.unwrap_or_else(|error| panic!("{}: {error}", self.protocol));
        let (spans, records) = self.collector.forget();
        self.arrived.0 += spans as u64;
        self.arrived.1 += records as u64;
        let (spans, events) =
            (self.recorded.spans.load(Ordering::Relaxed), self.recorded.events.load(Ordering::Relaxed));
        println!("{}: {spans} spans, {events} events, {counts:?}, arrived {:?}", self.protocol, self.arrived);
        // What the end itself reported is not in the counts that it returned.
        let counts = self.telemetry.counts();
        for (signal, recorded, arrived, counts) in
            [("spans", spans, self.arrived.0, counts.traces), ("records", events, self.arrived.1, counts.logs)]
        {
            let name = format!("{}, {signal}: {counts:?}", self.protocol);
            assert_eq!(recorded, counts.exported + counts.failed + counts.dropped, "{name}");
            assert_eq!(counts.queued, 0, "{name}");
            assert!(counts.exported > 0 && counts.failed > 0 && counts.dropped > 0, "it had all: {name}");
            // More may arrive than is known to have: an answer may miss the time limit.
            assert!(arrived >= counts.exported, "{arrived} arrived: {name}");
        }
        assert!(counts.metrics.exported > 0 && counts.metrics.failed > 0, "{counts:?}");
    }
}

#[test]
#[ignore = "takes a minute: tests/services/otlp.sh runs it"]
fn no_outage_loses_uncounted() {
    let time = Duration::from_secs(variable("CTX_SECONDS").unwrap_or(60));
    let seed = variable("CTX_SEED").unwrap_or_else(|| u64::from(std::process::id())).max(1);
    println!("CTX_SEED={seed}");
    let mut numbers = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut services = [Service::start("http/protobuf"), Service::start("grpc")];
    let is_over = Arc::new(AtomicBool::new(false));
    let loads: Vec<_> = services
        .iter()
        .map(|service| {
            let (telemetry, is_over) = (service.telemetry.clone(), Arc::clone(&is_over));
            thread::spawn(move || {
                telemetry.in_scope(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        for _ in 0..20 {
                            let _request = tracing::info_span!("request", path = "/orders").entered();
                            tracing::info_span!("query").in_scope(|| tracing::info!(rows = 3, "loaded"));
                        }
                        thread::sleep(Duration::from_millis(10));
                    }
                });
            })
        })
        .collect();

    let start = Instant::now();
    let mut first = None;
    let mut largest = 0;
    while start.elapsed() < time {
        for service in &mut services {
            let state = service.change(&mut numbers);
            println!("{:>8.1?} {}: the collector {state}", start.elapsed(), service.protocol);
        }
        thread::sleep(Duration::from_millis(100 + numbers.below(1500)));
        let memory = resident().unwrap_or_default();
        largest = largest.max(memory);
        // After all parts have been used.
        if first.is_none() && start.elapsed() > time / 4 {
            first = Some(memory);
        }
    }
    is_over.store(true, Ordering::Relaxed);
    for load in loads {
        load.join().expect("it has not panicked");
    }
    for service in services {
        service.end();
    }
    let first = first.unwrap_or(largest);
    println!("memory: {first} MiB after a quarter of the time, at most {largest} MiB");
    assert!(largest < first + 32, "from {first} MiB to {largest} MiB");
}
