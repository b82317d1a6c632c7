//! The filter is changed at run time.
//!
//! One test at a time, in a process without other subscribers: the maximum level of `tracing` is that of the process, and is wrong for
//! a moment if two subscribers set it at once.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode},
};
use ctx_layer::{
    field::well_known::TENANT_ID,
    setup::{self, FilterError, Telemetry},
};
use http_body_util::BodyExt;
use tower::ServiceExt;

type Lines = Arc<Mutex<Vec<String>>>;

#[derive(Clone, Default)]
struct Writer(Lines);

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("it is whole").push(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn start() -> (MutexGuard<'static, ()>, Telemetry, Writer) {
    let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = Writer::default();
    let made = Arc::clone(&lines.0);
    let telemetry = setup::builder("orders")
        .variables([("OTEL_SDK_DISABLED", "true"), ("RUST_LOG", "info")])
        .writer(move || Writer(Arc::clone(&made)))
        .local()
        .init()
        .expect("it starts");
    (alone, telemetry, lines)
}

/// Logs at DEBUG in a span of each tenant, and returns the tenants whose lines were written.
fn debugged(telemetry: &Telemetry, lines: &Writer) -> Vec<&'static str> {
    lines.0.lock().expect("it is whole").clear();
    telemetry.in_scope(|| {
        for tenant in ["acme", "globex"] {
            TENANT_ID.in_scope(tenant, || tracing::info_span!("request").in_scope(|| tracing::debug!("details")));
        }
    });
    let lines = lines.0.lock().expect("it is whole");
    let is_written = |tenant: &&str| lines.iter().any(|line| line.contains(&format!("\"tenant_id\":\"{tenant}\"")));
    ["acme", "globex"].into_iter().filter(is_written).collect()
}

#[test]
fn the_filter_is_set_for_all_and_for_one_tenant() {
    let (_alone, telemetry, lines) = start();
    let filter = telemetry.filter();
    assert!(debugged(&telemetry, &lines).is_empty());
    filter.set("debug").expect("it is a filter");
    assert_eq!(debugged(&telemetry, &lines), ["acme", "globex"]);
    filter.set("info,[{tenant_id=acme}]=debug").expect("it is a filter");
    assert_eq!(debugged(&telemetry, &lines), ["acme"]);
}

#[test]
fn a_wrong_filter_changes_nothing() {
    let (_alone, telemetry, _) = start();
    let filter = telemetry.filter();
    let error = filter.set("info,a=b=c").expect_err("it is no filter");
    assert!(matches!(error, FilterError::Invalid(_)), "{error:?}");
    assert!(error.to_string().starts_with("the filter cannot be used: found \"info,a=b=c\" ("), "{error}");
    assert_eq!(filter.current(), "info");
}

#[test]
fn a_filter_for_a_time_ends_and_a_later_one_stays() {
    let (_alone, telemetry, lines) = start();
    let filter = telemetry.filter();
    filter.set_for("debug", Duration::from_millis(1)).expect("it is a filter");
    while filter.current() == "debug" {
        std::thread::yield_now();
    }
    assert_eq!(filter.current(), "info");
    assert!(debugged(&telemetry, &lines).is_empty());

    filter.set_for("trace", Duration::from_millis(1)).expect("it is a filter");
    filter.set("debug").expect("it is a filter");
    filter.set_for("warn", Duration::from_millis(1)).expect("it is a filter");
    while filter.current() == "warn" {
        std::thread::yield_now();
    }
    assert_eq!(filter.current(), "debug", "the one without an expiry");
}

async fn ask(filter: &Router, method: Method, uri: &str, body: &'static str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(uri).body(Body::from(body)).expect("it is a request");
    let response = filter.clone().oneshot(request).await.expect("it answers");
    let status = response.status();
    let body = response.into_body().collect().await.expect("it has a body").to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[test]
fn the_route_reads_and_sets_the_filter() {
    let (_alone, telemetry, _) = start();
    let app = Router::new().route("/filter", telemetry.filter().route());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it starts");
    runtime.block_on(asked(&app));
    assert_eq!(telemetry.filter().current(), "warn");
}

async fn asked(app: &Router) {
    assert_eq!(ask(app, Method::GET, "/filter", "").await, (StatusCode::OK, "info".to_owned()));
    assert_eq!(ask(app, Method::PUT, "/filter", "debug\n").await, (StatusCode::OK, "debug".to_owned()));
    assert_eq!(ask(app, Method::PUT, "/filter?seconds=60", "warn").await, (StatusCode::OK, "warn".to_owned()));
    assert_eq!(ask(app, Method::PUT, "/filter?seconds=x", "warn").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(ask(app, Method::PUT, "/filter", "a=b=c").await.0, StatusCode::BAD_REQUEST);
}
