//! A system in several languages: FastAPI with httpx, or Express with fetch, between our services, each with OpenTelemetry's own
//! instrumentation and exporter.
//!
//! `bash tests/interop/install.sh target/interop` installs them, and `CTX_INTEROP=target/interop` points to them. A
//! test whose peer is not installed prints that it was skipped.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::{Router, extract::Query, routing::get};
use ctx_layer::{http::ServerLayer, propagation::Trust};

use crate::{
    shop::{Names, instrumented, serve},
    system::{System, edges, found},
};

/// The part that is taken out of the peer's propagator.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Removed {
    Nothing,
    Injection,
    Extraction,
}

/// A service in another language. Dropping it stops it.
struct Peer {
    child: Child,
    address: String,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Peer {
    /// Starts the service, which exports to `receiver`. Returns `None` if it is not installed.
    fn start(language: &str, receiver: String, removed: Removed) -> Option<Self> {
        let installed = PathBuf::from(std::env::var_os("CTX_INTEROP").unwrap_or_default());
        // Tests run in the folder of their package.
        let installed = if installed.is_relative() { PathBuf::from("..").join(installed) } else { installed };
        if !installed.join(format!("{language}.ready")).exists() {
            eprintln!("SKIPPED: {language} is not installed in CTX_INTEROP={}", installed.display());
            return None;
        }
        let installed = installed.canonicalize().expect("it is there");
        let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("interop");
        let mut command = if language == "python" {
            let mut command = Command::new(installed.join("venv/bin/python"));
            command.arg(sources.join("services.py"));
            command
        } else {
            let mut command = Command::new("node");
            // Modules are resolved next to the program.
            let program = installed.join("node/services.js");
            std::fs::copy(sources.join("services.js"), &program).expect("it can be copied");
            command.arg(program).env("OTEL_METRICS_EXPORTER", "none").env("OTEL_LOGS_EXPORTER", "none");
            command
        };
        let without = match removed {
            Removed::Nothing => "",
            Removed::Injection => "inject",
            Removed::Extraction => "extract",
        };
        command.env("PORT", "0").env("OTEL_SERVICE_NAME", language).env("WITHOUT", without);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let said = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let port = said.lines().map_while(Result::ok).find_map(|line| line.parse::<u16>().ok());
        Some(Peer { child, address: format!("127.0.0.1:{}", port.expect("it says its port")) })
    }
}

/// Runs the system: our `gateway` calls `leaf`, and the peer, which calls `leaf`. Returns `None` if the peer is not installed.
fn run(language: &str, removed: Removed) -> Option<ctx_check::Report> {
    let mut system = System::new(&["http/protobuf"]);
    let internal = || ServerLayer::new().trust(Trust::internal());
    let leaf =
        system.start("leaf", move || serve(Router::new().route("/work", get(|| async { "{}" })).layer(internal())));
    let gateway = system.start("gateway", move || {
        let client = instrumented(&Names::default(), &["127.0.0.0/8"]);
        let call = move |Query(query): Query<HashMap<String, String>>| async move {
            client.get(&query["url"]).send().await.expect("it answers").text().await.expect("it is text")
        };
        serve(Router::new().route("/call", get(call)).layer(ServerLayer::new()))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
    let peer = Peer::start(language, system.endpoint(), removed)?;
    runtime.block_on(async {
        for _ in 0..3 {
            for url in [format!("http://{}/call?url=http://{leaf}/work", peer.address), format!("http://{leaf}/work")] {
                let answer = reqwest::get(format!("http://{gateway}/call?url={url}")).await.expect("it answers");
                assert_eq!(answer.status(), http::StatusCode::OK);
            }
        }
        // Its spans end, and are exported, after the answer.
        tokio::time::sleep(Duration::from_millis(500)).await;
    });
    let address = peer.address.clone();
    drop(peer);
    let services = format!("{{ \"{address}\" = \"{language}\", \"{leaf}\" = \"leaf\" }}");
    let settings = format!("[services]\nentry = [\"gateway\"]\n[addresses]\nservices = {services}");
    Some(system.judge(&settings))
}

fn is_judged_by_its_propagator(language: &str) {
    let Some(report) = run(language, Removed::Nothing) else { return };
    assert_eq!(found(&report), [""; 0], "{language}");
    let expected = ["gateway -> leaf", &format!("gateway -> {language}"), &format!("{language} -> leaf")];
    let mut expected = expected.map(|edge| format!("{edge}: connected"));
    expected.sort();
    assert_eq!(edges(&report), expected, "{language}");
    let faults = [
        (Removed::Injection, format!("{language} -> leaf | no_propagator_in_caller")),
        (Removed::Extraction, format!("gateway -> {language} | no_propagator_in_callee")),
    ];
    for (removed, expected) in faults {
        let report = run(language, removed).expect("it was there before");
        assert_eq!(found(&report), [format!("ctx/broken-edge | {expected}")]);
    }
    println!("{language}: healthy, and both faults are found");
}

#[test]
fn fastapi_between_our_services_is_judged_by_its_propagator() {
    is_judged_by_its_propagator("python");
}

#[test]
fn express_between_our_services_is_judged_by_its_propagator() {
    is_judged_by_its_propagator("node");
}
