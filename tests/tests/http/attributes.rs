//! The span of a request, by the semantic conventions.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    routing::{any, get},
};
use ctx_layer::http::{QueryPolicy, ServerLayer};
use http::{Request, StatusCode, Version};
use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use tower::ServiceExt;

use crate::shared::*;

fn app(layer: ServerLayer) -> Router {
    Router::new()
        .route("/orders/{id}", any(|| async { "an order" }))
        .route(
            "/status/{code}",
            get(|path: axum::extract::Path<u16>| async move { StatusCode::from_u16(*path).expect("it is one") }),
        )
        .layer(layer)
}

/// Returns the span of one request.
fn span_of(layer: ServerLayer, request: http::request::Builder) -> SpanData {
    let stack = Stack::new();
    stack.run(async {
        let request = request.body(Body::empty()).expect("it is a request");
        let response = app(layer).oneshot(request).await.expect("it is infallible");
        axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("it is whole");
    });
    stack.server_span()
}

fn get_(uri: &str) -> http::request::Builder {
    Request::get(uri)
}

#[test]
fn a_request_has_a_server_span_named_by_method_and_route() {
    let peer: SocketAddr = "198.51.100.7:4711".parse().expect("it is an address");
    let request = get_("/orders/7?page=3&token=s3cret")
        .header("host", "shop.example:8443")
        .header("user-agent", "tests/1")
        .version(Version::HTTP_11)
        .extension(ConnectInfo(peer));
    let span = span_of(ServerLayer::new(), request);
    assert_eq!(span.name, "GET /orders/{id}");
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(span.status, Status::Unset);
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/orders/{id}"),
        ("http.response.status_code", "200"),
        ("url.scheme", "http"),
        ("url.path", "/orders/7"),
        ("url.query", "page=REDACTED&token=REDACTED"),
        ("server.address", "shop.example"),
        ("server.port", "8443"),
        ("client.address", "198.51.100.7"),
        ("network.peer.address", "198.51.100.7"),
        ("network.peer.port", "4711"),
        ("network.protocol.version", "1.1"),
        ("user_agent.original", "tests/1"),
    ] {
        assert_eq!(text(&span, key).as_deref(), Some(value), "{key}");
    }
    for key in ["http.request.method_original", "error.type", "cancelled"] {
        assert_eq!(text(&span, key), None, "{key}");
    }
}

#[test]
fn an_unknown_method_is_other_and_not_in_the_name() {
    let span = span_of(ServerLayer::new(), get_("/orders/7").method("PURGE"));
    assert_eq!(span.name, "HTTP /orders/{id}");
    assert_eq!(text(&span, "http.request.method").as_deref(), Some("_OTHER"));
    assert_eq!(text(&span, "http.request.method_original").as_deref(), Some("PURGE"));
}

#[test]
fn a_variable_can_set_the_known_methods() {
    // The variable is read once: in a process of its own.
    let program = std::env::current_exe().expect("this is a program");
    let output = std::process::Command::new(program)
        .args(["--exact", "--ignored", "attributes::only_get_and_purge_are_known"])
        .env("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", " GET, PURGE,,no method")
        .output()
        .expect("it can be started");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

#[test]
#[ignore = "it is run as a child process"]
fn only_get_and_purge_are_known() {
    for (method, name, original) in [
        ("GET", "GET", None),
        ("PURGE", "PURGE", None),
        ("POST", "HTTP", Some("POST")),
        ("purge", "HTTP", Some("purge")),
    ] {
        let span = span_of(ServerLayer::new(), get_("/orders/7").method(method));
        assert_eq!(span.name, format!("{name} /orders/{{id}}"));
        let attribute = if original.is_some() { "_OTHER" } else { name };
        assert_eq!(text(&span, "http.request.method").as_deref(), Some(attribute));
        assert_eq!(text(&span, "http.request.method_original").as_deref(), original);
    }
}

#[test]
fn a_request_without_a_route_is_named_by_its_method_and_never_by_its_path() {
    let stack = Stack::new();
    stack.run(async {
        // Outside the router nothing is matched yet.
        let service = tower::Layer::layer(&ServerLayer::new(), app(ServerLayer::new()));
        let request = get_("/orders/7").body(Body::empty()).expect("it is a request");
        drop(service.oneshot(request).await);
    });
    let names: Vec<_> = stack.server_spans().into_iter().map(|span| span.name).collect();
    assert!(names.contains(&"GET".into()) && names.contains(&"GET /orders/{id}".into()), "{names:?}");
}

#[test]
fn a_closure_can_find_the_route() {
    let layer =
        ServerLayer::new().route(|request| request.uri().path().starts_with("/orders/").then(|| "/orders/*".into()));
    assert_eq!(span_of(layer, get_("/orders/7")).name, "GET /orders/*");
}

#[test]
fn server_errors_are_errors_and_client_errors_are_not() {
    for (code, is) in [(200, false), (301, false), (404, false), (499, false), (500, true), (503, true), (600, true)] {
        let span = span_of(ServerLayer::new(), get_(&format!("/status/{code}")));
        assert_eq!(is_error(&span), is, "{code}");
        assert_eq!(text(&span, "http.response.status_code"), Some(code.to_string()));
        assert_eq!(text(&span, "error.type"), is.then(|| code.to_string()));
        // The conventions: no description where the status code says it.
        assert!(!is || span.status == Status::error(""), "{:?}", span.status);
    }
}

#[test]
fn the_client_is_the_peer_unless_proxies_were_configured() {
    let peer: SocketAddr = "10.0.0.1:4711".parse().expect("it is an address");
    let request = || {
        get_("/orders/7")
            .extension(ConnectInfo(peer))
            .header("x-forwarded-for", "6.6.6.6, 198.51.100.7, 10.0.0.9")
            .header("x-forwarded-proto", "https")
    };
    for (proxies, address, scheme) in
        [(0, "10.0.0.1", "http"), (1, "10.0.0.9", "https"), (2, "198.51.100.7", "https"), (3, "6.6.6.6", "https")]
    {
        let span = span_of(ServerLayer::new().trusted_proxies(proxies), request());
        assert_eq!(text(&span, "client.address").as_deref(), Some(address), "{proxies}");
        assert_eq!(text(&span, "network.peer.address").as_deref(), Some("10.0.0.1"), "{proxies}");
        assert_eq!(text(&span, "url.scheme").as_deref(), Some(scheme), "{proxies}");
    }
}

#[test]
fn of_several_schemes_the_outermost_trusted_proxys_counts() {
    for (proxies, lines, scheme) in [
        (1, &["HTTPS"][..], "https"),
        (2, &["https, http"], "https"),
        (2, &["https", "http"], "https"),
        // An inner proxy set it again.
        (2, &["https"], "https"),
        // Values from external callers are on the left.
        (1, &["https, http"], "http"),
        (1, &["https", "http"], "http"),
        (1, &["javascript", "https"], "https"),
        (1, &["https", "javascript"], "http"),
        (0, &["https"], "http"),
    ] {
        let mut request = get_("/orders/7");
        for line in lines {
            request = request.header("x-forwarded-proto", *line);
        }
        let span = span_of(ServerLayer::new().trusted_proxies(proxies), request);
        assert_eq!(text(&span, "url.scheme").as_deref(), Some(scheme), "{proxies} {lines:?}");
    }
}

#[test]
fn trusted_proxies_determine_the_server_address() {
    for (proxies, name, lines, address, port, scheme) in [
        (0, "x-forwarded-host", &["shop.example:8443"][..], "inner.example", Some("81"), "http"),
        (1, "x-forwarded-host", &["shop.example:8443"], "shop.example", Some("8443"), "http"),
        (1, "x-forwarded-host", &["evil.example", "shop.example"], "shop.example", None, "http"),
        (2, "x-forwarded-host", &["shop.example, inner.example"], "shop.example", None, "http"),
        (1, "x-forwarded-host", &[""], "inner.example", Some("81"), "http"),
        (0, "forwarded", &["host=shop.example;proto=https"], "inner.example", Some("81"), "http"),
        (
            1,
            "forwarded",
            &["host=evil.example, host=\"shop.example:8443\";Proto=https"],
            "shop.example",
            Some("8443"),
            "https",
        ),
        (1, "forwarded", &["proto=https"], "inner.example", Some("81"), "https"),
        (1, "forwarded", &["\"\";=host"], "inner.example", Some("81"), "http"),
    ] {
        let mut request = get_("/orders/7").header("host", "inner.example:81");
        for line in lines {
            request = request.header(name, *line);
        }
        let span = span_of(ServerLayer::new().trusted_proxies(proxies), request);
        let found = ["server.address", "server.port", "url.scheme"].map(|key| text(&span, key));
        assert_eq!(
            found.each_ref().map(Option::as_deref),
            [Some(address), port, Some(scheme)],
            "{proxies} {name} {lines:?}"
        );
    }
}

#[test]
fn in_a_nested_router_the_path_is_the_whole_path() {
    for outer in [
        (|inner| Router::new().nest("/api", inner)) as fn(Router) -> Router,
        |inner| Router::new().nest_service("/api", inner),
        |inner| Router::new().nest("/api", Router::new().merge(inner)),
    ] {
        let stack = Stack::new();
        stack.run(async {
            let app = outer(app(ServerLayer::new()));
            let request = get_("/api/orders/7?page=3").body(Body::empty()).expect("it is a request");
            drop(app.oneshot(request).await.expect("it is infallible").into_body());
        });
        let span = stack.server_span();
        assert_eq!(span.name, "GET /api/orders/{id}");
        assert_eq!(text(&span, "http.route").as_deref(), Some("/api/orders/{id}"));
        assert_eq!(text(&span, "url.path").as_deref(), Some("/api/orders/7"));
        assert_eq!(text(&span, "url.query").as_deref(), Some("page=REDACTED"));
    }
}

#[test]
fn an_invalid_scheme_is_not_trusted() {
    let request = get_("/orders/7").header("x-forwarded-proto", "javascript");
    assert_eq!(text(&span_of(ServerLayer::new().trusted_proxies(1), request), "url.scheme").as_deref(), Some("http"));
    let span = span_of(ServerLayer::new().scheme("https"), get_("/orders/7"));
    assert_eq!(text(&span, "url.scheme").as_deref(), Some("https"));
}

#[test]
fn a_query_is_shown_as_configured() {
    for (policy, shown) in [
        (QueryPolicy::names().show(["page"]), Some("page=3&token=REDACTED")),
        (QueryPolicy::whole(), Some("page=3&token=s3cret")),
        (QueryPolicy::nothing(), None),
    ] {
        let span = span_of(ServerLayer::new().query(policy), get_("/orders/7?page=3&token=s3cret"));
        assert_eq!(text(&span, "url.query").as_deref(), shown);
    }
}

#[test]
fn a_span_entered_where_requests_are_accepted_is_not_a_parent() {
    for traceparent in [None, Some(PARENT)] {
        let stack = Stack::new();
        stack.run(async {
            let accepting = tracing::info_span!("accepting", tenant_id = "another");
            let mut request = get_("/orders/7");
            if let Some(traceparent) = traceparent {
                request = request.header("traceparent", traceparent);
            }
            let request = request.body(Body::empty()).expect("it is a request");
            let mut app = app(ServerLayer::new());
            let responding = accepting.in_scope(|| tower::Service::call(&mut app, request));
            drop(responding.await);
        });
        let span = stack.server_span();
        let accepting = stack.spans().into_iter().find(|span| span.name == "accepting").expect("it was there");
        assert_ne!(trace_of(&span), trace_of(&accepting));
        match traceparent {
            None => assert_eq!(span.parent_span_id, SpanId::INVALID),
            Some(_) => {
                assert_eq!(trace_of(&span), TRACE);
                assert_eq!(span.parent_span_id.to_string(), CALLER);
            }
        }
        assert_eq!(text(&span, "tenant_id"), None);
    }
}
