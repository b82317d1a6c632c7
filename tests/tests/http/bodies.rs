//! The context is current for the body, too, and the span ends with it.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use ctx_layer::{field::well_known::TENANT_ID, http::ServerLayer};
use http::{Request, Response, header::CONTENT_LENGTH};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use opentelemetry::trace::Status;
use tower::ServiceExt;
use tracing::info;

use crate::shared::*;

/// A body of a number of parts that logs what it does.
struct LoggedBody {
    parts: u32,
    fails: bool,
    panics: bool,
}

impl LoggedBody {
    fn of(parts: u32) -> Self {
        LoggedBody { parts, fails: false, panics: false }
    }
}

impl http_body::Body for LoggedBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        info!(tenant = TENANT_ID.get().as_deref(), "polled");
        if self.parts > 0 {
            self.parts -= 1;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"part")))));
        }
        assert!(!self.panics, "the body is broken");
        Poll::Ready(self.fails.then(|| Err(std::io::Error::other("the disk is on fire"))))
    }
}

impl Drop for LoggedBody {
    fn drop(&mut self) {
        info!(tenant = TENANT_ID.get().as_deref(), "dropped");
    }
}

fn layer() -> ServerLayer {
    ServerLayer::new().fields(|_, fields| fields.with(&TENANT_ID, "acme"))
}

type Service =
    tower::util::BoxCloneService<Request<Body>, Response<ctx_layer::http::ContextBody<LoggedBody>>, Infallible>;

fn service(make: fn() -> Response<LoggedBody>) -> Service {
    let handler = tower::service_fn(move |_: Request<Body>| async move {
        info!("handled");
        Ok::<_, Infallible>(make())
    });
    tower::util::BoxCloneService::new(tower::Layer::layer(&layer(), handler))
}

fn request() -> Request<Body> {
    Request::new(Body::empty())
}

fn messages(stack: &Stack) -> Vec<String> {
    let lines = stack.lines();
    for line in &lines {
        assert_eq!(line["fields"]["tenant_id"], "acme", "{line}");
        assert_eq!(line["span"]["name"], "request", "{line}");
    }
    lines.iter().map(|line| line["fields"]["message"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_handler_the_body_and_its_end_are_in_the_context() {
    let stack = Stack::new();
    stack.run(async {
        let response = service(|| Response::new(LoggedBody::of(2))).oneshot(request()).await.expect("it is infallible");
        assert_eq!(stack.server_spans().len(), 0, "the span lasts as long as the body");
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            frame.expect("it is whole");
        }
        assert_eq!(stack.server_spans().len(), 1, "though the body is kept");
        assert!(body.is_end_stream());
        assert!(body.frame().await.is_none());
    });
    assert_eq!(messages(&stack), ["handled", "polled", "polled", "polled", "dropped"]);
    let span = stack.server_span();
    assert_eq!((text(&span, "cancelled"), span.status.clone()), (None, Status::Unset));
}

#[test]
fn a_body_dropped_before_its_end_is_cancelled_in_its_context() {
    let stack = Stack::new();
    stack.run(async {
        let response = service(|| Response::new(LoggedBody::of(2))).oneshot(request()).await.expect("it is infallible");
        let mut body = response.into_body();
        drop(body.frame().await);
    });
    assert_eq!(messages(&stack), ["handled", "polled", "dropped"]);
    let span = stack.server_span();
    assert_eq!((text(&span, "cancelled").as_deref(), span.status.clone()), (Some("true"), Status::Unset));
}

#[test]
fn a_body_sent_to_its_declared_length_is_not_cancelled() {
    let stack = Stack::new();
    stack.run(async {
        let make = || {
            let mut response = Response::new(LoggedBody::of(2));
            response.headers_mut().insert(CONTENT_LENGTH, 8.into());
            response
        };
        let mut body = service(make).oneshot(request()).await.expect("it is infallible").into_body();
        drop((body.frame().await, body.frame().await));
    });
    assert_eq!(text(&stack.server_span(), "cancelled"), None);
}

#[test]
fn bodies_that_are_not_sent_are_not_cancelled() {
    let not_modified = || {
        let mut response = Response::new(LoggedBody::of(1));
        *response.status_mut() = http::StatusCode::NOT_MODIFIED;
        response
    };
    for (method, make) in [("HEAD", (|| Response::new(LoggedBody::of(1))) as fn() -> _), ("GET", not_modified)] {
        let stack = Stack::new();
        stack.run(async {
            let mut request = request();
            *request.method_mut() = method.parse().expect("it is a method");
            drop(service(make).oneshot(request).await);
        });
        assert_eq!(text(&stack.server_span(), "cancelled"), None, "{method}");
    }
}

#[test]
fn a_body_that_fails_is_an_error() {
    let stack = Stack::new();
    stack.run(async {
        let make = || Response::new(LoggedBody { fails: true, ..LoggedBody::of(1) });
        let body = service(make).oneshot(request()).await.expect("it is infallible").into_body();
        assert!(body.collect().await.is_err());
    });
    let span = stack.server_span();
    assert_eq!(text(&span, "error.type").as_deref(), Some("std::io::error::Error"));
    assert_eq!(span.status, Status::error("the disk is on fire"));
    assert_eq!(text(&span, "cancelled"), None);
}

#[test]
fn an_error_response_whose_body_fails_has_its_status_as_error_type() {
    let stack = Stack::new();
    stack.run(async {
        let make = || {
            let mut response = Response::new(LoggedBody { fails: true, ..LoggedBody::of(1) });
            *response.status_mut() = http::StatusCode::BAD_GATEWAY;
            response
        };
        let body = service(make).oneshot(request()).await.expect("it is infallible").into_body();
        assert!(body.collect().await.is_err());
    });
    let span = stack.server_span();
    assert_eq!(text(&span, "error.type").as_deref(), Some("502"));
    assert_eq!(span.status, Status::error("the disk is on fire"));
}

#[test]
fn a_panic_in_a_handler_or_a_body_is_recorded_and_continues() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<&str>().is_none_or(|message| !message.ends_with("is broken")) {
            default(info);
        }
    }));
    for in_handler in [true, false] {
        let stack = Stack::new();
        stack.run(async {
            let served = tokio::spawn(async move {
                let make: fn() -> Response<LoggedBody> = if in_handler {
                    || panic!("the handler is broken")
                } else {
                    || Response::new(LoggedBody { panics: true, ..LoggedBody::of(0) })
                };
                let body = service(make).oneshot(request()).await.expect("it is infallible").into_body();
                body.collect().await.map(drop)
            });
            let error = served.await.expect_err("the panic goes on");
            assert!(error.is_panic());
        });
        let what = if in_handler { "panic: the handler is broken" } else { "panic: the body is broken" };
        let span = stack.server_span();
        assert_eq!(text(&span, "error.type").as_deref(), Some("panic"));
        assert_eq!(span.status, Status::error(what.to_owned()));
        let events: Vec<_> = span.events.iter().filter(|event| event.name == "panicked").collect();
        assert_eq!(events.len(), 1, "{:?}", span.events);
        let line =
            stack.lines().into_iter().find(|line| line["fields"]["message"] == "panicked").expect("it was logged");
        assert_eq!((&line["fields"]["error"], &line["fields"]["tenant_id"]), (&what.into(), &"acme".into()));
        assert_eq!(text(&span, "cancelled"), None);
    }
}

#[test]
fn a_client_that_hangs_up_ends_the_span() {
    let slow = || async {
        let parts = endless();
        Body::from_stream(parts)
    };
    // In the middle of the body, and before there is a response.
    for path in ["/slow", "/never"] {
        let stack = Stack::new();
        stack.run(async {
            let app = Router::new()
                .route("/slow", get(slow))
                .route("/never", get(|| async { std::future::pending::<&str>().await }))
                .layer(layer());
            let address = serve(app).await;
            let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
            let request = format!("GET {path} HTTP/1.1\r\nhost: shop.example\r\n\r\n");
            tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.expect("it is sent");
            if path == "/slow" {
                let mut read = [0; 16];
                tokio::io::AsyncReadExt::read_exact(&mut stream, &mut read).await.expect("it has begun");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(stack.server_spans().len(), 0, "{path}");
            drop(stream);
            while stack.server_spans().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let span = stack.server_span();
        assert_eq!(text(&span, "cancelled").as_deref(), Some("true"), "{path}");
        assert_eq!(text(&span, "tenant_id").as_deref(), Some("acme"));
    }
}

#[test]
fn resetting_an_http_2_stream_ends_the_span_before_the_connection() {
    let stack = Stack::new();
    stack.run(async {
        let app = Router::new().route("/slow", get(|| async { Body::from_stream(endless()) })).layer(layer());
        let address = serve(app).await;
        let client = reqwest::Client::builder().http2_prior_knowledge().build().expect("it can be built");
        let mut response = client.get(format!("http://{address}/slow")).send().await.expect("it is there");
        assert!(response.chunk().await.is_ok_and(|part| part.is_some()));
        assert_eq!(stack.server_spans().len(), 0);
        drop(response);
        while stack.server_spans().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(client);
    });
    assert_eq!(text(&stack.server_span(), "cancelled").as_deref(), Some("true"));
}

#[test]
fn a_response_sent_whole_over_a_connection_is_not_cancelled() {
    let parts = || tokio_stream::iter((0..3).map(|_| Ok::<_, Infallible>(Bytes::from_static(b"part"))));
    let app = move || {
        Router::new()
            .route("/text", get(|| async { "text" }))
            .route("/empty", get(|| async {}))
            .route("/stream", get(move || async move { Body::from_stream(parts()) }))
            .route("/204", get(|| async { http::StatusCode::NO_CONTENT }))
            .route(
                "/204-with-a-body",
                get(move || async move { (http::StatusCode::NO_CONTENT, Body::from_stream(parts())) }),
            )
            .route("/304", get(|| async { http::StatusCode::NOT_MODIFIED }))
            .route("/echo", axum::routing::post(|body: Body| async { body }))
            .layer(layer())
    };
    let calls = ["/text", "/empty", "/stream", "/204", "/204-with-a-body", "/304", "/not-there"];
    let calls = calls.into_iter().flat_map(|path| [("GET", path), ("HEAD", path)]).chain([("POST", "/echo")]);
    for (http2, (method, path)) in
        [false, true].into_iter().flat_map(|http2| calls.clone().map(move |call| (http2, call)))
    {
        let stack = Stack::new();
        stack.run(async {
            let builder = reqwest::Client::builder();
            let builder = if http2 { builder.http2_prior_knowledge() } else { builder };
            let url = format!("http://{}{path}", serve(app()).await);
            let method = method.parse().expect("it is a method");
            let request = builder.build().expect("it can be built").request(method, url);
            let request = if path == "/echo" { request.body(vec![b'x'; 100_000]) } else { request };
            let body = request.send().await.expect("it is there").bytes().await.expect("it is whole");
            assert!(path != "/echo" || body.len() == 100_000);
        });
        let span = stack.server_span();
        assert_eq!(text(&span, "cancelled"), None, "{http2} {method} {path}");
        assert_eq!(span.status, Status::Unset, "{http2} {method} {path}");
    }
}

#[test]
fn after_trailers_nothing_is_cancelled() {
    for http2 in [false, true] {
        let stack = Stack::new();
        stack.run(async {
            let trailed = || async {
                let trailers = http::HeaderMap::from_iter([(
                    "x-sum".parse().expect("it is a name"),
                    "7".parse().expect("and a value"),
                )]);
                let frames = [Frame::data(Bytes::from_static(b"part")), Frame::trailers(trailers)];
                let body = http_body_util::StreamBody::new(tokio_stream::iter(frames.map(Ok::<_, Infallible>)));
                Response::builder().header("trailer", "x-sum").body(Body::new(body)).expect("it is a response")
            };
            let address = serve(Router::new().route("/", get(trailed)).layer(layer())).await;
            let builder = reqwest::Client::builder();
            let builder = if http2 { builder.http2_prior_knowledge() } else { builder };
            let request = builder.build().expect("it can be built").get(format!("http://{address}/"));
            let response = request.header("te", "trailers").send().await.expect("it is there");
            assert_eq!(response.bytes().await.expect("it is whole"), "part");
        });
        let span = stack.server_span();
        assert_eq!((text(&span, "cancelled"), span.status.clone()), (None, Status::Unset), "{http2}");
    }
}

#[test]
fn a_connection_upgrade_ends_the_span() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let stack = Stack::new();
    stack.run(async {
        let upgrade = |mut request: Request<Body>| async move {
            let upgraded = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let mut stream = hyper_util::rt::TokioIo::new(upgraded.await.expect("it is upgraded"));
                stream.write_all(b"hello").await.expect("it is open");
            });
            let response = Response::builder().status(101).header("connection", "upgrade").header("upgrade", "hello");
            response.body(Body::empty()).expect("it is a response")
        };
        let address = serve(Router::new().route("/", get(upgrade)).layer(layer())).await;
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
        let request = "GET / HTTP/1.1\r\nhost: shop.example\r\nconnection: upgrade\r\nupgrade: hello\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("it is sent");
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.expect("it is closed");
        assert!(received.ends_with(b"hello"), "{}", String::from_utf8_lossy(&received));
    });
    let span = stack.server_span();
    assert_eq!(text(&span, "http.response.status_code").as_deref(), Some("101"));
    assert_eq!((text(&span, "cancelled"), span.status.clone()), (None, Status::Unset));
}

/// A stream of parts without end.
fn endless() -> impl tokio_stream::Stream<Item = Result<Bytes, Infallible>> + Send {
    struct Endless(Pin<Box<tokio::time::Sleep>>);
    impl tokio_stream::Stream for Endless {
        type Item = Result<Bytes, Infallible>;
        fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            std::task::ready!(self.0.as_mut().poll(task));
            self.0 = Box::pin(tokio::time::sleep(Duration::from_millis(2)));
            Poll::Ready(Some(Ok(Bytes::from_static(b"part"))))
        }
    }
    Endless(Box::pin(tokio::time::sleep(Duration::from_millis(2))))
}
