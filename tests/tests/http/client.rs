//! Client requests: their spans, the headers that are sent to each host, and retries.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{Router, extract::State, routing::get};
use ctx_layer::{
    FutureFieldsExt,
    field::well_known::TENANT_ID,
    http::{ClientLayer, ClientMiddleware, ServerLayer, UrlTemplate},
    propagation::DestinationPolicy,
};
use http::{HeaderMap, StatusCode};
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};
use tower::{Layer, ServiceExt};
use tracing::Instrument;

use crate::shared::*;

/// A handler that returns the headers it got.
async fn echo(headers: HeaderMap) -> String {
    let of = |name: &str| headers.get(name).map(|value| value.to_str().expect("it is ASCII").to_owned());
    format!("{:?} {:?}", of("traceparent"), of("baggage"))
}

fn app() -> Router {
    Router::new().route("/echo", get(echo)).route(
        "/status/{code}",
        get(|path: axum::extract::Path<u16>| async move { StatusCode::from_u16(*path).expect("it is one") }),
    )
}

#[test]
fn a_request_has_a_client_span_and_sends_its_id() {
    let stack = Stack::new();
    let (address, answer) = stack.run(async {
        let address = serve(app()).await;
        let request = client().get(format!("http://user:pw@{address}/echo?token=s3cret"));
        let request = request.with_extension(UrlTemplate::new("/echo"));
        let response = request.send().with_field(&TENANT_ID, "acme").await.expect("it is there");
        (address, response.text().await.expect("it is text"))
    });
    let span = stack.client_span();
    assert_eq!((&*span.name, span.span_kind.clone()), ("GET /echo", SpanKind::Client));
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("server.address", "127.0.0.1"),
        ("server.port", &address.port().to_string()),
        ("url.full", &format!("http://{address}/echo?token=REDACTED")),
        ("url.template", "/echo"),
        ("tenant_id", "acme"),
    ] {
        assert_eq!(text(&span, key).as_deref(), Some(value), "{key}");
    }
    let parent = format!("00-{}-{}-03", trace_of(&span), span.span_context.span_id());
    assert_eq!(answer, format!("{:?} {:?}", Some(parent), Some("tenant_id=acme")));
}

#[test]
fn the_spans_of_requests_do_not_name_files_of_this_crate() {
    let stack = Stack::new();
    stack.run(async {
        let address = serve(app().layer(ServerLayer::new())).await;
        let send = client().get(format!("http://{address}/echo")).send().instrument(tracing::info_span!("own"));
        send.await.expect("it is there").text().await.expect("it is text");
    });
    let named = |span: &SpanData| ["code.file.path", "code.module.name", "code.line.number"].map(|key| text(span, key));
    assert_eq!(named(&stack.client_span()), [None, None, None]);
    assert_eq!(named(&stack.server_span()), [None, None, None]);
    // Spans of the program have the location of their creation.
    let own = stack.spans().into_iter().find(|span| span.name == "own").expect("it is exported");
    assert!(named(&own)[0].as_ref().is_some_and(|file| file.ends_with("client.rs")), "{own:?}");
}

#[test]
fn the_tower_layer_creates_a_client_span_and_sends_its_id() {
    let stack = Stack::new();
    let answer = stack.run(async {
        let address = serve(app()).await;
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let http = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build(connector);
        let service = ClientLayer::new().destinations(loopback()).layer(http);
        let request = http::Request::get(format!("http://{address}/echo")).body(axum::body::Body::empty());
        let request = request.expect("it is a request");
        let response = service.oneshot(request).with_field(&TENANT_ID, "acme").await.expect("it is there");
        let body = http_body_util::BodyExt::collect(response.into_body()).await.expect("it is whole").to_bytes();
        String::from_utf8(body.to_vec()).expect("it is text")
    });
    let span = stack.client_span();
    assert_eq!(span.name, "GET");
    assert_eq!(text(&span, "http.response.status_code").as_deref(), Some("200"));
    assert!(answer.contains(&span.span_context.span_id().to_string()), "{answer}");
    assert!(answer.contains("tenant_id=acme"), "{answer}");
}

#[test]
fn the_span_has_the_http_version_of_the_response() {
    for (http2, version) in [(false, "1.1"), (true, "2")] {
        let stack = Stack::new();
        stack.run(async {
            let url = format!("http://{}/echo", serve(app()).await);
            let builder = reqwest::Client::builder();
            let builder = if http2 { builder.http2_prior_knowledge() } else { builder };
            client_of(builder.build().expect("it can be built")).get(&url).send().await.expect("it is there");

            let connector = hyper_util::client::legacy::connect::HttpConnector::new();
            let http = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
                .http2_only(http2)
                .build(connector);
            // A request has version 1.1 by default, whatever is spoken.
            let request = http::Request::get(url).body(axum::body::Body::empty()).expect("it is a request");
            ClientLayer::new().layer(http).oneshot(request).await.expect("it is there");
        });
        let spans = stack.client_spans();
        let spoken: Vec<_> = spans.iter().map(|span| text(span, "network.protocol.version")).collect();
        assert_eq!(spoken, [Some(version.to_owned()), Some(version.to_owned())]);
    }
}

#[test]
fn no_redirect_sends_the_fields_to_an_external_host() {
    use axum::response::Redirect;
    let stack = Stack::new();
    stack.run(async {
        let external = serve(app()).await;
        let own = Router::new()
            .route("/away", get(move || async move { Redirect::to(&format!("http://{external}/echo")) }))
            .route("/around", get(|| async { Redirect::to("/away") }))
            .route("/on", get(|| async { Redirect::to("/echo") }))
            .route("/echo", get(echo));
        let own = serve(own).await;
        // One address has two names here: one of them is internal.
        let layer = ClientLayer::new().destinations(DestinationPolicy::internal(["localhost"]).expect("it is one"));
        let client = reqwest::Client::builder().redirect(layer.redirects()).build().expect("it can be built");
        let client = reqwest_middleware::ClientBuilder::new(client).with(ClientMiddleware::new(layer)).build();
        for (url, status, gets) in [
            (format!("http://localhost:{}/away", own.port()), 303, false),
            (format!("http://localhost:{}/around", own.port()), 303, false),
            (format!("http://localhost:{}/on", own.port()), 200, true),
            // An external host gets the `traceparent`, and so does the target of its redirect.
            (format!("http://{own}/away"), 200, false),
        ] {
            let response = client.get(&url).send().with_field(&TENANT_ID, "acme").await.expect("it is there");
            assert_eq!(response.status(), status, "{url}");
            assert_eq!(response.text().await.expect("it is text").contains("acme"), gets, "{url}");
        }
    });
}

#[test]
fn a_user_and_a_password_in_a_url_are_redacted_on_the_span() {
    let stack = Stack::new();
    stack.run(async {
        let service = tower::service_fn(|_: http::Request<()>| async {
            Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Empty::<bytes::Bytes>::new()))
        });
        let request = http::Request::get("http://user:s3cret@shop.example:81/a?b=c").body(()).expect("it is a request");
        ClientLayer::new().layer(service).oneshot(request).await.expect("it is infallible");
    });
    let span = stack.client_span();
    let url = text(&span, "url.full");
    assert_eq!(url.as_deref(), Some("http://REDACTED:REDACTED@shop.example:81/a?b=REDACTED"));
    assert_eq!(text(&span, "server.address").as_deref(), Some("shop.example"));
    assert_eq!(text(&span, "server.port").as_deref(), Some("81"));
}

#[test]
fn external_hosts_get_only_traceparent() {
    let stack = Stack::new();
    stack.run(async {
        let address = serve(app()).await;
        for (own, gets) in [("orders.internal.example", false), ("127.0.0.0/8", true)] {
            let layer = ClientLayer::new().destinations(DestinationPolicy::internal([own]).expect("it is one"));
            let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
                .with(ClientMiddleware::new(layer))
                .build();
            let sending = client.get(format!("http://{address}/echo")).send();
            let answer =
                sending.with_field(&TENANT_ID, "acme").await.expect("it is there").text().await.expect("it is text");
            assert!(answer.starts_with("Some(\"00-"), "{answer}");
            assert_eq!(answer.contains("tenant_id=acme"), gets, "{own}: {answer}");
        }
    });
}

#[test]
fn headers_copied_from_another_request_are_replaced() {
    let stack = Stack::new();
    let answer = stack.run(async {
        let address = serve(app()).await;
        let request = client().get(format!("http://{address}/echo"));
        let request = request.header("traceparent", PARENT).header("baggage", "tenant_id=victim");
        request.send().await.expect("it is there").text().await.expect("it is text")
    });
    assert!(!answer.contains("victim") && !answer.contains(TRACE), "{answer}");
}

#[test]
fn client_errors_and_server_errors_are_errors_to_a_client() {
    let stack = Stack::new();
    stack.run(async {
        let address = serve(app()).await;
        for code in [200, 304, 404, 503] {
            client().get(format!("http://{address}/status/{code}")).send().await.expect("it is there");
        }
    });
    for span in stack.client_spans() {
        let code = text(&span, "http.response.status_code").expect("it is there");
        let is = code == "404" || code == "503";
        assert_eq!(is_error(&span), is, "{code}");
        assert_eq!(text(&span, "error.type"), is.then_some(code));
    }
}

#[test]
fn an_unreachable_server_is_an_error_that_does_not_show_its_url() {
    let stack = Stack::new();
    stack.run(async {
        assert!(client().get("http://127.0.0.1:1/?token=s3cret").send().await.is_err());
    });
    let span = stack.client_span();
    assert_eq!(text(&span, "error.type").as_deref(), Some("connect"));
    let Status::Error { description } = &span.status else { panic!("{:?}", span.status) };
    assert!(description.contains("refused") && !description.contains("s3cret"), "{description}");
}

#[test]
fn a_request_that_is_dropped_is_cancelled() {
    let stack = Stack::new();
    stack.run(async {
        let never = Router::new().route("/", get(|| async { std::future::pending::<&str>().await }));
        let address = serve(never).await;
        let sending = client().get(format!("http://{address}/")).send();
        assert!(tokio::time::timeout(std::time::Duration::from_millis(30), sending).await.is_err());
    });
    let span = stack.client_span();
    assert_eq!((text(&span, "cancelled").as_deref(), is_error(&span)), (Some("true"), false));
}

#[test]
fn each_attempt_has_a_span_of_its_own() {
    let stack = Stack::new();
    stack.run(async {
        let fails_twice = |State(count): State<Arc<AtomicU32>>| async move {
            if count.fetch_add(1, Ordering::Relaxed) < 2 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
        };
        let app = Router::new().route("/", get(fails_twice)).with_state(Arc::new(AtomicU32::new(0)));
        let address = serve(app).await;
        let policy = ExponentialBackoff::builder()
            .retry_bounds(std::time::Duration::from_millis(1), std::time::Duration::from_millis(2))
            .build_with_max_retries(5);
        let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
            .with(RetryTransientMiddleware::new_with_policy(policy))
            .with(ClientMiddleware::new(ClientLayer::new()))
            .build();
        let sending = client.get(format!("http://{address}/")).send();
        let response = sending.instrument(tracing::info_span!("job")).await.expect("it is there");
        assert_eq!(response.status(), StatusCode::OK);
    });
    let job = stack.spans().into_iter().find(|span| span.name == "job").expect("it was there");
    let attempts: Vec<_> = stack
        .client_spans()
        .iter()
        .map(|span| {
            assert_eq!(span.parent_span_id, job.span_context.span_id());
            (text(span, "http.response.status_code").unwrap_or_default(), text(span, "http.request.resend_count"))
        })
        .collect();
    let expected = [("503", None), ("503", Some("1")), ("200", Some("2"))];
    assert_eq!(attempts, expected.map(|(code, count)| (code.to_owned(), count.map(str::to_owned))));
}

/// A policy that tries three times.
#[derive(Clone)]
struct Thrice(u32);

impl<R: Clone, S, E> tower::retry::Policy<R, S, E> for Thrice {
    type Future = std::future::Ready<()>;

    fn retry(&mut self, _: &mut R, _: &mut Result<S, E>) -> Option<Self::Future> {
        self.0 += 1;
        (self.0 < 3).then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &R) -> Option<R> {
        Some(request.clone())
    }
}

#[test]
fn towers_retries_are_counted_by_the_layer_around_them() {
    let stack = Stack::new();
    let counted = stack.run(async {
        let handler = tower::service_fn(|_: http::Request<String>| async {
            let response = http::Response::builder().status(StatusCode::SERVICE_UNAVAILABLE);
            Ok::<_, std::convert::Infallible>(response.body(String::new()).expect("it is a response"))
        });
        let retrying = tower::retry::RetryLayer::new(Thrice(0)).layer(ClientLayer::new().layer(handler));
        for is_counted in [true, false] {
            let mut request = http::Request::get("http://shop.example/").body(String::new()).expect("it is a request");
            if is_counted {
                request.extensions_mut().insert(ctx_layer::http::Attempts::new());
            }
            retrying.clone().oneshot(request).await.expect("it is infallible");
        }
        stack.client_spans().iter().map(|span| text(span, "http.request.resend_count")).collect::<Vec<_>>()
    });
    assert_eq!(counted, [None, Some("1".to_owned()), Some("2".to_owned()), None, None, None]);
}

#[test]
fn the_context_is_sent_if_the_span_is_disabled() {
    use ctx_layer::{SubscriberFieldsExt, http::ServerLayer};
    use tracing_subscriber::prelude::*;
    // No OpenTelemetry, and no span below WARN.
    let subscriber = tracing_subscriber::registry()
        .with(tracing_subscriber::filter::LevelFilter::WARN)
        .with_context_fields(ctx_layer::Schema::well_known());
    let _default = tracing::subscriber::set_default(subscriber);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
    runtime.block_on(async {
        let last = serve(app()).await;
        let passes_on = move || async move {
            tokio::task::yield_now().await;
            client().get(format!("http://{last}/echo")).send().await.expect("it is there").text().await.expect("text")
        };
        let first = serve(Router::new().route("/", get(passes_on)).layer(ServerLayer::new().trust(internal()))).await;
        let request = reqwest::Client::new().get(format!("http://{first}/"));
        let request = request.header("traceparent", PARENT).header("baggage", "tenant_id=acme,other=1");
        let answer = request.send().await.expect("it is there").text().await.expect("it is text");
        assert_eq!(answer, format!("{:?} {:?}", Some(PARENT), Some("tenant_id=acme,other=1")));
    });
}
