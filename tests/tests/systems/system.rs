//! A system within the test: its services are threads, and export to a receiver of `ctx-check`.

use std::{
    io,
    net::SocketAddr,
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use ctx_check::{Check, Report, Settings, listen::Listener};
use ctx_layer::setup;
use tokio::sync::oneshot;

/// Services, and the receiver of what they export.
pub(crate) struct System {
    receiver: SocketAddr,
    received: JoinHandle<Vec<Vec<u8>>>,
    end_of_receiver: oneshot::Sender<()>,
    services: Vec<(oneshot::Sender<()>, JoinHandle<()>)>,
    protocols: &'static [&'static str],
}

impl System {
    /// Creates a system without services. They export by these protocols, in turn.
    pub(crate) fn new(protocols: &'static [&'static str]) -> Self {
        let listener = Listener::bind(&[SocketAddr::from(([127, 0, 0, 1], 0))], 1 << 20).expect("a port is free");
        let receiver = listener.addresses()[0];
        let (end_of_receiver, end) = oneshot::channel();
        let received = thread::spawn(move || {
            let mut messages = Vec::new();
            // Or the test has failed.
            let end = async { drop(end.await) };
            listener.receive_until(end, |message, _| messages.push(message.to_vec()));
            messages
        });
        System { receiver, received, end_of_receiver, services: Vec::new(), protocols }
    }

    /// Returns the address of the receiver, as exporters want it.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.receiver)
    }

    /// Starts a service in a thread, and returns what it returns once it is ready. What it spawned runs until the end.
    pub(crate) fn start<T, F>(&mut self, name: &'static str, service: impl FnOnce() -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = T>,
    {
        let protocol = self.protocols[self.services.len() % self.protocols.len()];
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.endpoint()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
            ("OTEL_METRICS_EXPORTER", "none".to_owned()),
            ("RUST_LOG", "info".to_owned()),
        ];
        let (ready, is_ready) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let setup = setup::builder(name).variables(variables).writer(io::sink).local();
            let telemetry = setup.init().expect("the settings are right");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
            telemetry.in_scope(|| {
                runtime.block_on(async {
                    let limit = Duration::from_secs(60);
                    ready
                        .send(tokio::time::timeout(limit, service()).await.expect("it takes no minute"))
                        .unwrap_or_else(|_| panic!("the test waits for it"));
                    drop(stopped.await);
                });
                drop(runtime);
            });
            let counts = telemetry.shutdown_blocking().expect("it ends in time");
            assert_eq!((counts.traces.failed, counts.traces.dropped), (0, 0), "{name}");
        });
        self.services.push((stop, thread));
        is_ready.recv().unwrap_or_else(|_| panic!("{name} has failed"))
    }

    /// Ends the services, and judges what they exported, with settings in TOML.
    pub(crate) fn judge(self, settings: &str) -> Report {
        let (stops, threads): (Vec<_>, Vec<_>) = self.services.into_iter().unzip();
        drop(stops);
        for thread in threads {
            thread.join().expect("the service has not failed");
        }
        drop(self.end_of_receiver);
        let messages = self.received.join().expect("it has received");
        let settings = Settings::parse("settings.toml", settings).expect("the settings are right");
        let mut check = Check::new(&settings).expect("the patterns are right");
        for (message, number) in messages.iter().zip(1..) {
            check.read_message("received", message, number);
        }
        let report = check.finish().expect("there is room for temporary files");
        assert!(report.problems.is_empty() && report.deviations.is_empty(), "{:?}", report.problems);
        report
    }
}

/// Returns kind, edge or service, and cause of each finding, but of notes.
pub(crate) fn found(report: &Report) -> Vec<String> {
    let of_weight = report.findings.iter().filter(|finding| finding.severity != ctx_check::finding::Severity::Note);
    of_weight
        .map(|finding| {
            let place = match &finding.edge {
                Some(edge) => format!("{} -> {}", edge.from, edge.to),
                None => finding.service.clone(),
            };
            format!("{} | {place} | {}", finding.rule_id, finding.cause.name())
        })
        .collect()
}

/// Returns the edges, and how each is.
pub(crate) fn edges(report: &Report) -> Vec<String> {
    report.edges.iter().map(|edge| format!("{} -> {}: {}", edge.from, edge.to, edge.state)).collect()
}
