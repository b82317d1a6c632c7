//! Interoperability: FastAPI and httpx, Express and fetch, each instrumented by its own OpenTelemetry, call our
//! services and are called by them.
//!
//! `bash tests/interop/install.sh target/interop` installs them, and `CTX_INTEROP=target/interop` points to them. A
//! test whose peer is not installed prints that it was skipped.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command},
    time::Duration,
};

use axum::{Router, extract::Query, routing::get};
use ctx_layer::{
    Schema, SubscriberFieldsExt,
    field::well_known::TENANT_ID,
    http::{ClientLayer, ClientMiddleware, ServerLayer},
    propagation::{DestinationPolicy, Trust},
};
use ctx_tests::Exported;
use opentelemetry::{baggage::BaggageExt, trace::SpanKind};
use opentelemetry_sdk::trace::SpanData;
use reqwest_middleware::ClientWithMiddleware;
use serde_json::{Value, json};
use tracing_subscriber::prelude::*;

/// Spaces, percent signs, equals signs, an emoji.
const ODD: &str = "50% = a=b, \u{1f980}; \"q\"";

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// An entry with a property, which must be preserved.
const BAGGAGE: &str = "tenant_id=acme%20corp,odd=50%25%20=%20a=b%2C%20%F0%9F%A6%80%3B%20%22q%22,kept=1;ttl=30;flag";

/// A service in another language. Dropping it stops it.
struct Other {
    child: Child,
    url: String,
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Other {
    /// Starts the service. Returns `None` if it is not installed.
    async fn start(language: &str) -> Option<Self> {
        let installed = PathBuf::from(std::env::var_os("CTX_INTEROP").unwrap_or_default());
        // Tests run in the folder of their package.
        let installed = if installed.is_relative() { PathBuf::from("..").join(installed) } else { installed };
        if !installed.join(format!("{language}.ready")).exists() {
            eprintln!("==================================================================");
            eprintln!("SKIPPED: {language} is not installed in CTX_INTEROP={}", installed.display());
            eprintln!("==================================================================");
            return None;
        }
        let installed = installed.canonicalize().expect("it is there");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("it is free").port();
        let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("interop");
        let mut command = match language {
            "python" => {
                let mut command = Command::new(installed.join("venv/bin/python"));
                command.arg(sources.join("services.py"));
                command
            }
            _ => {
                let mut command = Command::new("node");
                // Modules are resolved next to the program.
                let program = installed.join("node/services.js");
                std::fs::copy(sources.join("services.js"), &program).expect("it can be copied");
                command.arg(program).env("OTEL_METRICS_EXPORTER", "none").env("OTEL_LOGS_EXPORTER", "none");
                command
            }
        };
        let child = command.env("PORT", port.to_string()).spawn().expect("it starts");
        let other = Other { child, url: format!("http://127.0.0.1:{port}") };
        for _ in 0..600 {
            if reqwest::get(format!("{}/spans", other.url)).await.is_ok() {
                return Some(other);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the service in {language} does not answer");
    }

    async fn spans(&self) -> Vec<Value> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let spans = reqwest::get(format!("{}/spans", self.url)).await.expect("it answers").text().await.expect("text");
        serde_json::from_str(&spans).expect("it is JSON")
    }
}

fn client() -> ClientWithMiddleware {
    let destinations = DestinationPolicy::internal(["127.0.0.0/8"]).expect("it is a network");
    reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
        .with(ClientMiddleware::new(ClientLayer::new().destinations(destinations)))
        .build()
}

fn context_of_this_service() -> Value {
    let all = opentelemetry::Context::map_current(|cx| {
        cx.baggage().iter().map(|(key, (value, _))| (key.to_string(), value.to_string())).collect::<HashMap<_, _>>()
    });
    json!({ "tenant": TENANT_ID.get(), "baggage": all })
}

/// Our service: `/leaf` returns its context, `/call` calls a URL.
async fn ours() -> SocketAddr {
    let call = |Query(query): Query<HashMap<String, String>>| async move {
        let response = client().get(&query["url"]).send().await.expect("it answers");
        let next: Value = serde_json::from_str(&response.text().await.expect("it is text")).expect("it is JSON");
        let mut answer = context_of_this_service();
        answer["next"] = next;
        answer.to_string()
    };
    let app = Router::new()
        .route("/leaf", get(|| async { context_of_this_service().to_string() }))
        .route("/call", get(call))
        .layer(ServerLayer::new().trust(Trust::internal()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A span of either side in a common form.
#[derive(Debug)]
struct Link {
    kind: String,
    trace: String,
    span: String,
    parent: Option<String>,
}

fn link_of_ours(span: &SpanData) -> Link {
    Link {
        kind: if span.span_kind == SpanKind::Server { "server" } else { "client" }.to_owned(),
        trace: span.span_context.trace_id().to_string(),
        span: span.span_context.span_id().to_string(),
        parent: Some(span.parent_span_id.to_string()).filter(|parent| parent.contains(|digit| digit != '0')),
    }
}

fn link_of_theirs(span: &Value) -> Link {
    let text = |key: &str| span[key].as_str().map(str::to_owned);
    Link {
        kind: text("kind").expect("it has one"),
        trace: text("trace").expect("it has one"),
        span: text("span").expect("it has one"),
        parent: text("parent"),
    }
}

/// Returns the kinds of the spans from the child of `parent` downwards, without a service's internal spans.
fn chain<'a>(links: &'a [Link], parent: Option<&str>) -> Vec<&'a Link> {
    let mut found = Vec::new();
    let mut parent = parent.map(str::to_owned);
    loop {
        let children: Vec<_> = links.iter().filter(|link| link.parent == parent).collect();
        // A call also has spans for middleware and for sending the response: those have no children.
        let has_children = |link: &&&Link| links.iter().any(|child| child.parent.as_deref() == Some(&link.span));
        let Some(next) =
            children.iter().find(has_children).or_else(|| children.iter().find(|link| link.kind != "internal"))
        else {
            return found;
        };
        parent = Some(next.span.clone());
        if next.kind != "internal" {
            found.push(*next);
        }
    }
}

/// Returns a value as it arrives from a language that passes it on.
///
/// Python's SDK encodes a space as `+`, which W3C Baggage reads as a plus sign (`quote_plus` in
/// `opentelemetry/baggage/propagation/__init__.py`, 1.45.2), and takes properties for a part of the value. It decodes
/// what it receives correctly. Remove these lines once that is fixed.
fn from(language: &str, value: &str) -> String {
    match (language, value) {
        ("python", "1") => "1;ttl=30;flag".to_owned(),
        ("python", value) => value.replace(' ', "+"),
        (_, value) => value.to_owned(),
    }
}

async fn speaks_with(language: &str, exported: &Exported) {
    let Some(other) = Other::start(language).await else { return };
    let ours = ours().await;

    // Ours, theirs, ours, and back.
    let url = format!("http://{ours}/call?url={}/call?url=http://{ours}/leaf", other.url);
    let request = reqwest::Client::new().get(&url).header("traceparent", PARENT).header("baggage", BAGGAGE);
    let answer = request.send().await.expect("it answers").text().await.expect("it is text");
    let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    let theirs = &answer["next"];
    let last = &theirs["next"];
    assert_eq!(answer["tenant"], "acme corp");
    for value in ["odd", "kept"] {
        let expected = if value == "odd" { ODD } else { "1" };
        assert_eq!(answer["baggage"][value], expected, "ours: {answer}");
        let read = if language == "python" && value == "kept" { from(language, expected) } else { expected.to_owned() };
        assert_eq!(theirs["baggage"][value], read, "{language}: {theirs}");
        assert_eq!(last["baggage"][value], from(language, expected), "ours, after {language}: {last}");
    }
    assert_eq!(theirs["baggage"]["tenant_id"], "acme corp");
    assert_eq!(last["tenant"], from(language, "acme corp"), "the field after {language}: {last}");
    let raw = theirs["raw"].as_str().expect("it came");
    assert!(raw.contains("kept=1;ttl=30;flag"), "properties: {raw}");
    let mut links: Vec<Link> = other.spans().await.iter().map(link_of_theirs).collect();
    links.extend(exported.spans().iter().map(link_of_ours));
    links.retain(|link| link.trace == TRACE);
    let kinds: Vec<_> = chain(&links, Some("b7ad6b7169203331")).iter().map(|link| link.kind.clone()).collect();
    assert_eq!(kinds, ["server", "client", "server", "client", "server"], "{links:#?}");

    // They start the trace.
    let url = format!("{}/start?url=http://{ours}/call?url={}/leaf", other.url, other.url);
    let answer = reqwest::get(url).await.expect("it answers").text().await.expect("it is text");
    let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    let (ours, last) = (&answer["next"], &answer["next"]["next"]);
    let (tenant, odd) = (from(language, "acme corp"), from(language, ODD));
    assert_eq!(ours["tenant"], tenant, "{answer}");
    assert_eq!(ours["baggage"]["odd"], odd, "{answer}");
    // A plus sign is sent as `%2B`, so that Python reads the same value.
    assert_eq!(last["baggage"]["tenant_id"], tenant, "{answer}");
    assert_eq!(last["baggage"]["odd"], odd, "{answer}");
    let mut links: Vec<Link> = other.spans().await.iter().map(link_of_theirs).collect();
    links.extend(exported.spans().iter().map(link_of_ours));
    links.retain(|link| link.trace != TRACE);
    let roots: Vec<_> = chain(&links, None);
    let kinds: Vec<_> = roots.iter().map(|link| link.kind.as_str()).collect();
    assert_eq!(kinds, ["server", "client", "server", "client", "server"], "{links:#?}");
    assert!(roots.iter().all(|link| link.trace == roots[0].trace));
    println!("{language}: both ways, one trace, baggage intact");
}

fn run(language: &str) {
    let exported = Exported::new();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_subscriber::filter::LevelFilter::INFO)
        .with(tracing_opentelemetry::layer().with_tracer(exported.tracer()))
        .with_context_fields(Schema::well_known());
    let _default = tracing::subscriber::set_default(subscriber);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
    runtime.block_on(async {
        let all = tokio::time::timeout(Duration::from_secs(120), speaks_with(language, &exported));
        all.await.expect("it takes no two minutes");
    });
}

#[test]
fn a_trace_and_its_baggage_go_through_fastapi_and_httpx_and_back() {
    run("python");
}

#[test]
fn a_trace_and_its_baggage_go_through_express_and_fetch_and_back() {
    run("node");
}
