//! Calling the service and polling a short body share one entry of the span, if the response is ready at once.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::TENANT_ID, http::ServerLayer};
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use opentelemetry::trace::{Status, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tower::{Layer as _, ServiceExt};
use tracing::{Subscriber, info};
use tracing_subscriber::{Layer, prelude::*, registry::LookupSpan};

use crate::shared::*;

/// A body of a known length that logs what it does.
struct Known {
    parts: usize,
    fails: bool,
}

impl http_body::Body for Known {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        info!(tenant = TENANT_ID.get().as_deref(), "polled");
        if self.fails {
            return Poll::Ready(Some(Err(std::io::Error::other("the disk is on fire"))));
        }
        if self.parts == 0 {
            return Poll::Ready(None);
        }
        self.parts -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"part")))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(4 * self.parts as u64)
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        info!(tenant = TENANT_ID.get().as_deref(), "dropped");
    }
}

type Answer = Response<ctx_layer::http::ContextBody<Body>>;

async fn answer(request: Request<Body>, body: fn() -> Known) -> Answer {
    let handler = tower::service_fn(move |_: Request<Body>| async move {
        info!(tenant = TENANT_ID.get().as_deref(), "handled");
        Ok::<_, Infallible>(Response::new(Body::new(body())))
    });
    let layer = ServerLayer::new().fields(|_, fields| fields.with(&TENANT_ID, "acme"));
    layer.layer(handler).oneshot(request).await.expect("it is infallible")
}

fn messages(stack: &Stack) -> Vec<String> {
    let lines = stack.lines();
    for line in &lines {
        assert_eq!(line["fields"]["tenant"], "acme", "{line}");
        assert_eq!(line["span"]["name"], "request", "{line}");
    }
    lines.iter().map(|line| line["fields"]["message"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_body_of_known_length_is_polled_with_the_response_and_stays_whole() {
    for (parts, polled) in [(1, ["handled", "polled", "dropped"]), (2, ["handled", "polled", "polled"])] {
        let stack = Stack::new();
        stack.run(async {
            let make =
                if parts == 1 { || Known { parts: 1, fails: false } } else { || Known { parts: 2, fails: false } };
            let body = answer(Request::new(Body::empty()), make).await.into_body();
            assert_eq!(messages(&stack), polled[..if parts == 1 { 3 } else { 2 }]);
            assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(4 * parts), false));
            assert_eq!(stack.server_spans().len(), 0, "no reader has got it yet");
            assert_eq!(body.collect().await.expect("it is whole").to_bytes().len() as u64, 4 * parts);
        });
        assert_eq!(messages(&stack)[..3], polled);
        assert_eq!(text(&stack.server_span(), "cancelled"), None);
    }
}

#[test]
fn a_polled_body_that_is_not_read_is_cancelled() {
    let stack = Stack::new();
    stack.run(async {
        drop(answer(Request::new(Body::empty()), || Known { parts: 1, fails: false }).await);
    });
    assert_eq!(messages(&stack), ["handled", "polled", "dropped"]);
    assert_eq!(text(&stack.server_span(), "cancelled").as_deref(), Some("true"));
}

#[test]
fn a_body_that_fails_at_once_fails_its_reader() {
    let stack = Stack::new();
    stack.run(async {
        let body = answer(Request::new(Body::empty()), || Known { parts: 1, fails: true }).await.into_body();
        assert!(body.collect().await.is_err());
    });
    assert_eq!(messages(&stack), ["handled", "polled", "dropped"]);
    let span = stack.server_span();
    assert_eq!(span.status, Status::error("the disk is on fire"));
    assert_eq!(text(&span, "cancelled"), None);
}

#[test]
fn a_body_that_is_not_sent_is_not_polled() {
    let stack = Stack::new();
    stack.run(async {
        let request = Request::head("/").body(Body::empty()).expect("it is a request");
        drop(answer(request, || Known { parts: 1, fails: false }).await);
    });
    assert_eq!(messages(&stack), ["handled", "dropped"]);
    assert_eq!(text(&stack.server_span(), "cancelled"), None);
}

/// Counts how often a span is entered.
struct Entered(Arc<AtomicUsize>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Entered {
    fn on_enter(&self, _: &tracing::Id, _: tracing_subscriber::layer::Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_request_that_is_answered_at_once_enters_its_span_once() {
    let entered = Arc::new(AtomicUsize::new(0));
    let tracer = SdkTracerProvider::builder().build().tracer("tests");
    let stack = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(tracer))
        .with(Entered(entered.clone()))
        .with_context_fields(Schema::well_known());
    let _default = tracing::subscriber::set_default(stack);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it can be built");
    let app = Router::new()
        .route("/hello", get(|| async { "Hello, world!" }))
        .route("/nothing", get(|| async {}))
        .route("/later", get(|| async { tokio::task::yield_now().await }))
        .layer(ServerLayer::new().fields(|_, fields| fields.with(&TENANT_ID, "acme")));
    for (path, times) in [("/hello", 1), ("/nothing", 1), ("/later", 2)] {
        entered.store(0, Ordering::Relaxed);
        let request = Request::get(path).body(Body::empty()).expect("it is a request");
        runtime.block_on(async {
            let response = app.clone().oneshot(request).await.expect("it is infallible");
            response.into_body().collect().await.expect("it is whole");
        });
        assert_eq!(entered.load(Ordering::Relaxed), times, "{path}");
    }
}
