//! Headers of attackers.

use std::time::Duration;

use axum::body::Body;
use ctx_layer::{
    http::{HeaderRule, ServerLayer},
    propagation::Trust,
};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use opentelemetry::trace::SpanId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::ServiceExt;

use crate::{servers::app, shared::*};

fn send(stack: &Stack, trust: Trust, headers: &[(&'static str, &[u8])]) -> (StatusCode, String) {
    stack.run(async {
        let mut request = Request::new(Body::empty());
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value).expect("it is a header value");
            request.headers_mut().append(HeaderName::from_static(name), value);
        }
        let layer = ServerLayer::new().trust(trust).header(HeaderRule::request_id());
        let response = app(layer).oneshot(request).await.expect("it is infallible");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("it is whole");
        (status, String::from_utf8(body.to_vec()).expect("it is text"))
    })
}

#[test]
fn an_invalid_or_repeated_traceparent_starts_a_trace() {
    let zeros = format!("00-{}-{CALLER}-01", "0".repeat(32));
    let upper = PARENT.to_uppercase();
    let longer = format!("{PARENT}-00");
    let lists: [&[&[u8]]; 9] = [
        &[PARENT.as_bytes(), PARENT.as_bytes()],
        &[b""],
        &[b"00"],
        &[b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
        &[zeros.as_bytes()],
        &[upper.as_bytes()],
        &[longer.as_bytes()],
        &[b"\xff\xfe\x80"],
        &[&[b'0'; 100_000]],
    ];
    for list in lists {
        let stack = Stack::new();
        let headers: Vec<_> = list.iter().map(|value| ("traceparent", *value)).collect();
        assert_eq!(send(&stack, Trust::internal(), &headers).0, StatusCode::OK);
        let span = stack.server_span();
        assert_eq!(span.parent_span_id, SpanId::INVALID);
        assert_ne!(trace_of(&span), TRACE);
    }
}

#[test]
fn an_invalid_tracestate_is_the_only_thing_dropped() {
    let full = (0..33).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
    for state in [&b"no list"[..], b"a=1,a=2,=", b"\xff\xff", full.as_bytes(), &[b'a'; 50_000]] {
        let stack = Stack::new();
        send(&stack, Trust::internal(), &[("traceparent", PARENT.as_bytes()), ("tracestate", state)]);
        let span = stack.server_span();
        assert_eq!((trace_of(&span).as_str(), span.parent_span_id.to_string().as_str()), (TRACE, CALLER));
    }
}

#[test]
fn malicious_baggage_sets_nothing() {
    let long = format!("tenant_id={}", "a".repeat(1000));
    let many = (0..1000).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
    for baggage in [
        &b"tenant_id=a%0Ab"[..],
        b"tenant_id=%1b[31mred",
        b"tenant_id",
        b"=,;=",
        b"\xff=\xff",
        long.as_bytes(),
        many.as_bytes(),
    ] {
        let stack = Stack::new();
        let (status, answer) = send(&stack, Trust::internal(), &[("baggage", baggage)]);
        assert_eq!(status, StatusCode::OK);
        assert!(answer.starts_with("None "), "{answer}");
        assert_eq!(text(&stack.server_span(), "tenant_id"), None);
    }
}

#[test]
fn grpcs_content_type_on_another_request_is_ignored() {
    for (method, path, name, code) in [
        ("POST", "/users/4711", "POST", "404"),
        ("POST", "/", "POST", "405"),
        // A call of gRPC is a POST: this is another method.
        ("GET", "/", "GET /", "200"),
        ("GET", "/users/4711", "GET", "404"),
    ] {
        let stack = Stack::new();
        stack.run(async {
            let request = Request::builder().method(method).uri(path).header("content-type", "application/grpc");
            let request = request.body(Body::empty()).expect("it is a request");
            let response = app(ServerLayer::new()).oneshot(request).await.expect("it is infallible");
            axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("it is whole");
        });
        let span = stack.server_span();
        assert_eq!((&*span.name, is_error(&span)), (name, false), "{method} {path}");
        assert_eq!(text(&span, "http.response.status_code").as_deref(), Some(code), "{method} {path}");
        assert_eq!(text(&span, "rpc.response.status_code"), None, "{method} {path}");
    }
}

#[test]
fn a_header_of_a_mebibyte_does_no_harm() {
    let huge = vec![b'a'; 1 << 20];
    for name in ["baggage", "traceparent", "tracestate", "x-request-id", "user-agent", "host", "x-forwarded-for"] {
        let stack = Stack::new();
        assert_eq!(send(&stack, Trust::internal(), &[(name, &huge)]).0, StatusCode::OK, "{name}");
        let span = stack.server_span();
        let longest = span.attributes.iter().map(|attribute| attribute.value.to_string().len()).max();
        assert!(longest <= Some(1024), "{name}: {longest:?}");
    }
}

#[test]
fn a_server_that_got_a_header_of_a_mebibyte_continues_serving() {
    let stack = Stack::new();
    stack.run(async {
        let address = serve(app(ServerLayer::new())).await;
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
        let request = format!("GET / HTTP/1.1\r\nhost: shop.example\r\nbaggage: {}\r\n\r\n", "a".repeat(1 << 20));
        // The server may hang up before it has read everything.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut response = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut response)).await;
        let response = String::from_utf8_lossy(&response);
        assert!(response.is_empty() || response.starts_with("HTTP/1.1 431"), "{response}");

        let response = reqwest::get(format!("http://{address}/")).await.expect("it is there");
        assert_eq!(response.status(), StatusCode::OK);
    });
    assert_eq!(stack.server_spans().len(), 1, "what never became a request has no span");
}
