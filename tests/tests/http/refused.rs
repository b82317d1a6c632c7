//! Refused headers are counted, and logged at DEBUG: callers must not be able to fill the log.

use axum::body::Body;
use ctx_layer::{
    field::well_known::TENANT_ID,
    http::{HeaderRule, ServerLayer},
    propagation::{Boundary, Trust},
};
use ctx_tests::{Item, Recorder, SHARD, Value};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use tower::ServiceExt;
use tracing::{Dispatch, Level};
use tracing_subscriber::prelude::*;

use crate::servers::app;

ctx_layer::context_fields! {
    /// The share of the traffic.
    static SHARE: f64 = "refused.share";
}

/// Returns what a server logs under a boundary of its own. Each test has another one.
fn serve(boundary: &'static Boundary, trust: Trust, headers: &[(&'static str, &[u8])]) -> Vec<Item> {
    let recorder = Recorder::default();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(recorder.clone()));
    tracing::dispatcher::with_default(&dispatch, || {
        let mut request = Request::new(Body::empty());
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value).expect("it is a header value");
            request.headers_mut().append(HeaderName::from_static(name), value);
        }
        let layer = ServerLayer::new()
            .trust(trust)
            .boundary(boundary)
            .header(HeaderRule::new("x-tenant-id", &TENANT_ID))
            .header(HeaderRule::new("x-shard", &SHARD))
            .header(HeaderRule::new("x-share", &SHARE))
            .header(HeaderRule::new("x-any", &TENANT_ID).accept(|_| true));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
        let response = runtime.block_on(app(layer).oneshot(request)).expect("it is infallible");
        assert_eq!(response.status(), StatusCode::OK);
    });
    recorder.items().into_iter().filter(|item| item.get("boundary").is_some()).collect()
}

fn level(item: &Item) -> Level {
    *item.metadata.expect("events have metadata").level()
}

fn reason(item: &Item) -> String {
    match item.get("reason") {
        Some(Value::Debug(reason)) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

macro_rules! boundary {
    () => {{
        static BOUNDARY: Boundary = Boundary::new("refused");
        &BOUNDARY
    }};
}

#[test]
fn a_header_that_a_rule_refuses_is_counted_and_logged_at_debug() {
    let long = "a".repeat(129);
    macro_rules! refused {
        ($($header:literal: $value:expr => $why:expr;)*) => {$({
            let boundary = boundary!();
            let items = serve(boundary, Trust::external(), &[($header, &$value[..])]);
            assert_eq!(boundary.counts().dropped, 1, "{} {:?}", $header, &$value[..]);
            assert_eq!(items.len(), 1, "{items:?}");
            assert_eq!(level(&items[0]), Level::DEBUG);
            assert_eq!(reason(&items[0]), format!("`{}`: {}", $header, $why));
        })*};
    }
    refused! {
        "x-tenant-id": b"Acme Inc" => "it is malformed";
        "x-tenant-id": "müller".as_bytes() => "it is malformed";
        "x-tenant-id": b"a,b" => "it is malformed";
        "x-tenant-id": b"{acme}" => "it is malformed";
        "x-tenant-id": long.as_bytes() => "it is malformed";
        "x-tenant-id": b"" => "it is empty";
        "x-any": b"" => "it is empty";
        "x-any": long.as_bytes() => "it is longer than the field allows";
        "x-any": b"a\tb" => "it has control characters";
        "x-shard": b"seven" => "it is not of the field's type";
        "x-shard": b"-1" => "it is not of the field's type";
        "x-share": b"NaN" => "it is not a finite number";
        "x-share": b"-inf" => "it is not a finite number";
        "x-share": b"1e999" => "it is not a finite number";
    }
    let boundary = boundary!();
    let items = serve(boundary, Trust::internal(), &[("x-tenant-id", b"acme"), ("x-tenant-id", b"victim")]);
    assert_eq!(boundary.counts().dropped, 1);
    assert!(items.iter().any(|item| reason(item) == "`x-tenant-id`: it appears several times"), "{items:?}");
}

#[test]
fn an_accepted_header_is_neither_counted_as_dropped_nor_logged() {
    let boundary = boundary!();
    let items =
        serve(boundary, Trust::external(), &[("x-tenant-id", b"acme"), ("x-shard", b"7"), ("x-share", b"1e300")]);
    assert_eq!((boundary.counts().dropped, items.len()), (0, 0), "{items:?}");
}

#[test]
fn nothing_that_an_external_caller_sends_is_logged_above_debug() {
    let hostile: &[&[(&'static str, &[u8])]] = &[
        &[("traceparent", b"nonsense")],
        &[("traceparent", b""), ("traceparent", b"")],
        &[("baggage", b"tenant_id=victim")],
        &[("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("tracestate", b"=")],
        &[("x-tenant-id", b"a b"), ("x-request-id", b"{}")],
        &[],
    ];
    let boundary = boundary!();
    for headers in hostile {
        for item in serve(boundary, Trust::external(), headers) {
            assert_eq!(level(&item), Level::DEBUG, "{item:?}");
        }
    }
    assert!(boundary.counts().dropped + boundary.counts().invalid >= 5);
    // A fault of an internal caller is a warning nevertheless: external callers cannot silence it.
    let items = serve(boundary, Trust::internal(), &[("traceparent", b"nonsense")]);
    assert!(items.iter().any(|item| level(item) == Level::WARN), "{items:?}");
}

#[test]
#[should_panic(expected = "`x tenant` is not a legal header name")]
fn a_rule_for_an_illegal_header_panics_where_it_is_created() {
    let _ = HeaderRule::new("x tenant", &TENANT_ID);
}
