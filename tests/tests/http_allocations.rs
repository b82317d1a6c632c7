//! The allocations of a request, besides the span's own attributes. The allocator counts.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use ctx_counting_allocator::{self as counting, Counting};
use ctx_layer::{
    FutureFieldsExt, Schema, SubscriberFieldsExt,
    field::well_known::TENANT_ID,
    http::{ClientLayer, ServerLayer},
};
use ctx_tests::Visiting;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use tower::{Layer as _, Service};
use tower_http::trace::{DefaultMakeSpan, TraceLayer};
use tracing::Level;
use tracing_subscriber::prelude::*;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type Body = Full<&'static [u8]>;
type NoBody = http_body_util::Empty<bytes::Bytes>;

fn handler(_: Request<NoBody>) -> Ready<Result<Response<Body>, Infallible>> {
    ready(Ok(Response::new(Full::new(b"Hello, world!"))))
}

/// Polls a future that is never pending.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(ready) => ready,
        Poll::Pending => panic!("it waits for nothing"),
    }
}

/// Returns the number of allocations of one request, without those of creating the request.
fn allocations<S, B>(mut service: S, request: fn() -> Request<NoBody>) -> u64
where
    S: Service<Request<NoBody>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body + Unpin,
{
    let mut made = 0;
    for n in 0..1100 {
        let request = request();
        let before = counting::allocations();
        let Ok(response) = now(service.call(request));
        let (parts, mut body) = response.into_parts();
        while now(body.frame()).is_some_and(|frame| frame.is_ok()) {}
        drop((parts, body));
        // After a warm-up of every shard of the span table.
        if n >= 1000 {
            made += counting::allocations() - before;
        }
    }
    assert_eq!(made % 100, 0, "{made} allocations in 100 requests: not the same in each");
    made / 100
}

fn plain() -> Request<NoBody> {
    let request = Request::get("/orders/7?page=3").header(header::HOST, "shop.example:8080");
    request.header(header::USER_AGENT, "tests/1").body(NoBody::new()).expect("it is a request")
}

fn continued() -> Request<NoBody> {
    let mut request = plain();
    let parent = header::HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    request.headers_mut().insert("traceparent", parent);
    request
}

fn ours() -> impl Service<Request<NoBody>, Response = Response<ctx_layer::http::ContextBody<Body>>, Error = Infallible>
{
    ServerLayer::new().layer(tower::service_fn(|request| ready(now(handler(request)))))
}

/// Runs one test at a time: a subscriber that another thread installs changes the path that spans take on this one.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn a_request_without_a_subscriber_allocates_nothing() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(allocations(ours(), plain), 0);
    let stack = tracing_subscriber::registry()
        .with(tracing_subscriber::filter::LevelFilter::WARN)
        .with(Visiting)
        .with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(stack, || assert_eq!(allocations(ours(), plain), 0));
}

#[test]
fn a_continued_trace_allocates_only_its_context() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    ctx_layer::propagation::register(&Schema::well_known());
    let headers = continued().into_parts().0.headers;
    let mut of_context = 0;
    for _ in 0..10 {
        let before = counting::allocations();
        drop(ctx_layer::propagation::extract(&headers, Default::default()));
        of_context = counting::allocations() - before;
    }
    // A request has its span, and so needs no set that identifies a message without fields.
    assert_eq!(allocations(ours(), continued), of_context - 1);
}

#[test]
fn fields_allocate_only_their_set() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let with_fields = || {
        let layer = ServerLayer::new().fields(|_, fields| fields.with(&TENANT_ID, "acme"));
        layer.layer(tower::service_fn(|request| ready(now(handler(request)))))
    };
    // The set. A short string needs none.
    assert_eq!(allocations(with_fields(), continued), allocations(ours(), continued) + 1);
}

#[test]
fn a_request_with_a_span_allocates_like_any_span() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // `Registry` allocates nothing for a span, once warm; nor does this layer.
    let stack = tracing_subscriber::registry().with(Visiting).with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(stack, || assert_eq!(allocations(ours(), plain), 0));
    // A peer, for comparison.
    let theirs = tracing_subscriber::registry().with(Visiting);
    tracing::subscriber::with_default(theirs, || {
        let layer = TraceLayer::new_for_http().make_span_with(DefaultMakeSpan::new().level(Level::INFO));
        let service = layer.layer(tower::service_fn(|request| ready(now(handler(request)))));
        assert_eq!(allocations(service, plain), 0);
    });
}

#[test]
fn a_client_request_allocates_only_what_it_sends() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let stack = tracing_subscriber::registry().with(Visiting).with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(stack, || {
        let layer = ClientLayer::new()
            .destinations(ctx_layer::propagation::DestinationPolicy::internal(["shop.example"]).expect("it is a name"));
        let service = || layer.layer(tower::service_fn(|request| ready(now(handler(request)))));
        // No current field: nothing to send.
        let nothing = allocations(service(), plain);
        let one = now(async { allocations(service(), plain) }.with_field(&TENANT_ID, "acme"));
        // Comparing the host allocates its name in lower case; the header's value is one more.
        assert!(nothing <= 1, "{nothing}");
        assert!(one <= nothing + 1, "{one}");
    });
}

#[test]
fn a_log_of_requests_that_is_off_allocates_nothing() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let logging = || {
        let layer = ServerLayer::new().log_requests(Level::INFO);
        layer.layer(tower::service_fn(|request| ready(now(handler(request)))))
    };
    assert_eq!(allocations(logging(), plain), 0, "without a subscriber");
    let off = tracing_subscriber::filter::Targets::new().with_target("other", Level::INFO);
    let stack = tracing_subscriber::registry().with(off).with(Visiting).with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(stack, || assert_eq!(allocations(logging(), plain), 0, "filtered out"));
    // What the line will say is kept.
    let stack = tracing_subscriber::registry().with(Visiting).with_context_fields(Schema::well_known());
    tracing::subscriber::with_default(stack, || assert!(allocations(logging(), plain) <= 1));
}
