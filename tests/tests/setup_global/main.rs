//! `setup::init` sets what is global in a process, once. Each test runs a scenario in a process of its own.

#[allow(dead_code, reason = "the other test uses all of it")]
#[path = "../setup/collector.rs"]
mod collector;
mod filter;

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Instant,
};

use collector::{Answer, Collector, attribute};
use ctx_layer::{
    field::well_known::TENANT_ID,
    setup::{self, SetupError},
};
use opentelemetry::{
    global,
    propagation::{Extractor, Injector},
    trace::{Span, TraceContextExt, Tracer},
};
use opentelemetry_sdk::trace::SdkTracerProvider;

const SCENARIO: &str = "CTX_SETUP_SCENARIO";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn spawn(scenario: &str, variables: &[(&str, &str)]) -> Child {
    let program = env::current_exe().expect("it is a file");
    let mut child = Command::new(program);
    child.args(["--exact", "scenario", "--nocapture", "--test-threads=1"]);
    child.env(SCENARIO, scenario).envs(variables.iter().copied());
    child.env("CTX_OBSERVABILITY_LOG_FORMAT", "json").stdout(Stdio::piped()).stderr(Stdio::piped());
    child.spawn().expect("it starts")
}

/// Runs a scenario, and returns its status and what it wrote to standard output.
fn run(scenario: &str, variables: &[(&str, &str)]) -> (ExitStatus, String) {
    let output = spawn(scenario, variables).wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    eprintln!("{text}{}", String::from_utf8_lossy(&output.stderr));
    (output.status, text)
}

/// Runs a scenario that has to succeed, without any export.
fn succeeds(scenario: &str) {
    let (status, _) = run(scenario, &[("OTEL_SDK_DISABLED", "true")]);
    assert!(status.success(), "{status}");
}

fn line<'a>(output: &'a str, part: &str) -> &'a str {
    output.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no line has {part}: {output}"))
}

/// Does what a process of a test does. Without a scenario it does nothing: it is run with the others, too.
#[test]
fn scenario() {
    match env::var(SCENARIO).unwrap_or_default().as_str() {
        "twice" => twice(),
        "subscriber first" => {
            tracing_subscriber::fmt().with_writer(std::io::sink).init();
            let error = setup::init("orders").expect_err("there is a subscriber");
            assert!(matches!(error, SetupError::SubscriberIsSet { kind: Some(_) }), "{error}");
            assert!(error.to_string().contains("setup::builder(..).layer(..)"), "{error}");
        }
        "provider first" => {
            global::set_tracer_provider(SdkTracerProvider::builder().build());
            let error = setup::init("orders").expect_err("there is a provider");
            assert!(matches!(error, SetupError::ProviderIsSet), "{error}");
            assert!(!tracing::dispatcher::has_been_set(), "nothing is set");
        }
        "errors first" => {
            let wrong = setup::builder("orders").variables([("OTEL_TRACES_SAMPLER", "sometimes")]).init();
            assert!(matches!(wrong, Err(SetupError::Settings(_))), "{wrong:?}");
            let _telemetry = setup::init("orders").expect("an error sets nothing");
        }
        "a layer starts" => {
            let _telemetry = setup::builder("orders")
                .layer(|_| {
                    let error = setup::init("orders").expect_err("it is starting");
                    assert!(matches!(error, SetupError::IsStarting), "{error}");
                    tracing_subscriber::layer::Identity::new()
                })
                .init()
                .expect("it starts");
        }
        "panic" => {
            let _telemetry = setup::init("orders").expect("it starts");
            TENANT_ID.in_scope("acme", || {
                let _request = tracing::info_span!("request").entered();
                panic!("it is broken");
            });
        }
        "environment" => {
            let _telemetry = setup::init("orders").expect("it starts");
            tracing::info_span!("job").in_scope(|| tracing::info!("hello"));
        }
        "signal" => {
            let _telemetry = setup::builder("orders").exit_on_signals().init().expect("it starts");
            drop(tracing::info_span!("request").entered());
            tracing::info!("ready");
            loop {
                thread::park();
            }
        }
        "propagator" => {
            let _telemetry = setup::init("orders").expect("it starts");
            let headers = tracing::info_span!("request").in_scope(|| {
                let mut headers = Headers(Vec::new());
                global::get_text_map_propagator(|propagator| propagator.inject(&mut headers));
                headers.0
            });
            assert!(headers.iter().any(|(name, _)| name == "b3"), "{headers:?}");
            assert!(!headers.iter().any(|(name, _)| name == "traceparent"), "{headers:?}");
        }
        "xray" => {
            let telemetry = setup::init("orders").expect("it starts");
            let remote = Headers(vec![(
                "x-amzn-trace-id".to_owned(),
                "Root=1-58406520-a006649127e371903a2de979;Parent=4c721bf33e3caf8f;Sampled=1".to_owned(),
            )]);
            let parent = global::get_text_map_propagator(|propagator| propagator.extract(&remote));
            let span = telemetry.tracer("test").start_with_context("request", &parent);
            let id = span.span_context().span_id();
            let mut headers = Headers(Vec::new());
            let cx = parent.with_span(span);
            global::get_text_map_propagator(|propagator| propagator.inject_context(&cx, &mut headers));
            let header = format!("Root=1-58406520-a006649127e371903a2de979;Parent={id};Sampled=1");
            assert_eq!(headers.0, [("x-amzn-trace-id".to_owned(), header)]);
        }
        "another version" => {
            let _telemetry = setup::init("orders").expect("it starts");
            tracing_core::callsite::register(&OTHER_VERSION);
        }
        "time" => {
            let start = Instant::now();
            let telemetry = setup::init("orders").expect("it starts");
            println!("started in {:?}", start.elapsed());
            let start = Instant::now();
            let _ = telemetry.shutdown_blocking();
            println!("ended in {:?}", start.elapsed());
        }
        other => assert_eq!(other, "", "it is no scenario"),
    }
}

/// A call site as one of OpenTelemetry 0.1 would be.
struct OtherVersion;

static OTHER_VERSION: OtherVersion = OtherVersion;
static METADATA: tracing_core::Metadata<'static> = tracing_core::Metadata::new(
    "TracerProvider.GlobalSet",
    "opentelemetry",
    tracing_core::Level::INFO,
    Some("/registry/src/index-1/opentelemetry-0.1.5/src/global/trace.rs"),
    Some(1),
    Some("opentelemetry::global::trace"),
    tracing_core::field::FieldSet::new(&[], tracing_core::identify_callsite!(&OTHER_VERSION)),
    tracing_core::Kind::EVENT,
);

impl tracing_core::Callsite for OtherVersion {
    fn set_interest(&self, _: tracing_core::Interest) {}

    fn metadata(&self) -> &tracing_core::Metadata<'_> {
        &METADATA
    }
}

struct Headers(Vec<(String, String)>);

impl Injector for Headers {
    fn set(&mut self, key: &str, value: String) {
        self.0.push((key.to_owned(), value));
    }
}

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}

fn twice() {
    let first = setup::init("orders").expect("it starts");
    let others: Vec<_> = (0..8).map(|_| thread::spawn(|| setup::init("orders").expect("it is the same"))).collect();
    for other in others {
        assert!(std::ptr::eq(other.join().expect("it is whole").settings(), first.settings()));
    }
    let error = setup::init("payments").expect_err("it is another service");
    assert!(error.to_string().contains("something else: the name of the service"), "{error}");
    let error = setup::builder("orders")
        .configure(|settings| settings.observability.sampling_rate = 0.5)
        .init()
        .expect_err("it is another rate");
    assert!(error.to_string().contains("something else: the settings"), "{error}");
    let error = setup::builder("orders").writer(std::io::sink).init().expect_err("it has a writer");
    assert!(error.to_string().contains("layers, fields or a writer"), "{error}");
    let _local = setup::builder("payments").local().init().expect("nothing global is set");

    drop(first);
    let error = setup::init("orders").expect_err("it is over");
    assert!(matches!(error, SetupError::IsShutDown), "{error}");
}

#[test]
fn a_second_start_returns_the_same_handle_or_an_error() {
    succeeds("twice");
}

#[test]
fn a_global_subscriber_of_the_program_is_an_error() {
    succeeds("subscriber first");
}

#[test]
fn a_global_provider_of_a_library_is_an_error() {
    succeeds("provider first");
}

#[test]
fn a_start_that_failed_can_be_repeated() {
    succeeds("errors first");
}

#[test]
fn a_start_within_a_start_is_an_error() {
    succeeds("a layer starts");
}

#[test]
fn the_propagators_of_the_settings_are_global() {
    let collector = Collector::start(Answer::Accept);
    let (status, _) =
        run("propagator", &[("OTEL_PROPAGATORS", "b3,baggage"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())]);
    assert!(status.success());
}

#[test]
fn another_version_of_opentelemetry_is_reported_once() {
    let collector = Collector::start(Answer::Accept);
    let (status, output) = run("another version", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())]);
    assert!(status.success(), "{output}");
    let reports: Vec<&str> = output.lines().filter(|line| line.contains("several versions of OpenTelemetry")).collect();
    assert_eq!(reports.len(), 1, "{output}");
    // Ours is the other of two.
    assert!(reports[0].contains("\"versions\":\"0.1, 0."), "{output}");
}

#[test]
fn the_header_of_xray_is_read_and_written() {
    let collector = Collector::start(Answer::Accept);
    let variables = [("OTEL_PROPAGATORS", "xray"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())];
    let (status, output) = run("xray", &variables);
    assert!(status.success(), "{output}");
    let span = collector.span("request");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(&span.trace_id), "58406520a006649127e371903a2de979");
    assert_eq!(hex(&span.parent_span_id), "4c721bf33e3caf8f");
}

#[test]
fn a_panic_leaves_its_line_and_its_span() {
    let collector = Collector::start(Answer::Accept);
    let (status, output) = run("panic", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())]);
    assert!(!status.success());
    let line = line(&output, "\"target\":\"panic\"");
    assert!(line.contains("\"message\":\"panic: it is broken\"") && line.contains("\"tenant_id\":\"acme\""), "{line}");
    assert!(line.contains("main.rs:"), "{line}");
    assert_eq!(attribute(&collector.span("request").attributes, "tenant_id").as_deref(), Some("acme"));
    assert!(collector.log_records().iter().any(|record| record.severity_text == "ERROR"));
}

#[test]
fn the_context_of_the_environment_is_current_in_a_job() {
    let collector = Collector::start(Answer::Accept);
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let (status, output) = run(
        "environment",
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url()), ("TRACEPARENT", &parent), ("BAGGAGE", "tenant_id=acme")],
    );
    assert!(status.success());
    let line = line(&output, "\"message\":\"hello\"");
    assert!(line.contains("\"tenant_id\":\"acme\"") && line.contains(TRACE), "{line}");
    let job = collector.span("job");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!((hex(&job.trace_id), hex(&job.parent_span_id)), (TRACE.to_owned(), "b7ad6b7169203331".to_owned()));
    assert_eq!(attribute(&job.attributes, "tenant_id").as_deref(), Some("acme"));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_process_after_the_export() {
    let collector = Collector::start(Answer::Accept);
    let mut child = spawn("signal", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())]);
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut lines = output.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("\"message\":\"ready\"")));
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill is there");
    assert!(killed.success());
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(143));
    let _ = collector.span("request");
}

/// Prints the time, for a person: it is no assertion.
#[test]
fn the_start_with_everything_on_is_measured() {
    for protocol in ["grpc", "http/protobuf"] {
        let (status, output) =
            run("time", &[("OTEL_EXPORTER_OTLP_PROTOCOL", protocol), ("OTEL_METRICS_EXPORTER", "otlp")]);
        assert!(status.success());
        println!("{protocol}: {}, {}", line(&output, "started in"), line(&output, "ended in"));
    }
}
