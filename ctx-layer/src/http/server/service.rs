//! Serving a request within its context.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use smallvec::SmallVec;
use tower_service::Service;

use super::{header_rule::Echo, layer::Settings, span};
use crate::{
    context::{Attached, ContextFieldsExt, attach},
    http::{
        ContextBody, RequestHead,
        body::{is_head, kind_of},
        exchange::{Exchange, Side},
        grpc,
    },
};

/// A service whose requests have their context, and a span. Made by [`ServerLayer`](super::ServerLayer).
#[derive(Clone)]
pub struct ServerService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> ServerService<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        ServerService { inner, settings }
    }
}

/// What is sent back: nearly always nothing, or the request's id.
type Echoes = SmallVec<[Echo; 1]>;

/// The context and span of a request, the context attached, and what is sent back.
fn begin(request: &RequestHead<'_>, settings: &Settings) -> (Exchange, Attached, Echoes) {
    let extracted = settings.boundary.extract(request.headers(), settings.trust);
    let linked = if extracted.is_continued() { None } else { extracted.remote().cloned() };
    let mut echoes = Echoes::new();
    let mut fields = extracted.fields().clone();
    for rule in &settings.headers {
        let (with, echo) = rule.apply(request, fields);
        fields = with;
        echoes.extend(echo);
    }
    if let Some(set) = &settings.fields {
        fields = set(request, fields);
    }
    let is_same = fields.is_same(extracted.fields());
    let cx = extracted.into_context();
    let cx = if is_same { cx } else { cx.with_fields(fields) };

    let is_grpc = grpc::is_call(request.method(), request.headers());
    let attached = attach(cx.clone());
    let span = if is_grpc { span::of_grpc(request, settings) } else { span::of_http(request, settings) };
    if let Some(linked) = linked {
        link(&span, linked);
    }
    (Exchange::new(Side::Server, is_grpc, span, Some(cx)), attached, echoes)
}

#[cfg(feature = "tracing-opentelemetry")]
fn link(span: &tracing::Span, to: opentelemetry::trace::SpanContext) {
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    span.add_link(to);
}

#[cfg(not(feature = "tracing-opentelemetry"))]
fn link(_: &tracing::Span, _: opentelemetry::trace::SpanContext) {}

impl<S, B, R> Service<Request<B>> for ServerService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display,
    R: Body,
    R::Error: fmt::Display,
{
    type Response = Response<ContextBody<R>>;
    type Error = S::Error;
    type Future = ServerFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_head = is_head(request.method());
        let (mut exchange, attached, echoes) = begin(&RequestHead::of(&request), &self.settings);
        let inner = exchange.begun(attached, || self.inner.call(request));
        ServerFuture { inner: Some(inner), exchange: Some(exchange), echoes, is_head }
    }
}

impl<S: fmt::Debug> fmt::Debug for ServerService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerService").field("inner", &self.inner).field("settings", &self.settings).finish()
    }
}

pin_project! {
    /// A request that is being served.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ServerFuture<F> {
        // `None` only once it is being dropped.
        #[pin]
        inner: Option<F>,
        exchange: Option<Exchange>,
        echoes: Echoes,
        is_head: bool,
    }

    impl<F> PinnedDrop for ServerFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // It is there as long as there is no response.
            let Some(exchange) = this.exchange.as_mut() else { return };
            exchange.cancelled();
            let _entered = exchange.enter();
            this.inner.set(None);
        }
    }
}

impl<F, R, E> Future for ServerFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: fmt::Display,
{
    type Output = Result<Response<ContextBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(exchange) = this.exchange.as_mut() else { return Poll::Pending };
        let result = ready!(exchange.within(|| {
            let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Pending };
            let polled = inner.poll(task);
            if polled.is_ready() {
                this.inner.set(None);
            }
            polled
        }));
        let Some(mut exchange) = this.exchange.take() else { return Poll::Pending };
        match result {
            Ok(response) => {
                let (mut parts, body) = response.into_parts();
                for Echo { name, value } in this.echoes.drain(..) {
                    // Fails where there are as many as a map can hold.
                    if let Ok(entry) = parts.headers.try_entry(name) {
                        entry.or_insert(value);
                    }
                }
                let body = ContextBody::new(exchange, &parts, *this.is_head, body);
                Poll::Ready(Ok(Response::from_parts(parts, body)))
            }
            Err(error) => {
                exchange.failed(kind_of::<E>(), &error.to_string());
                Poll::Ready(Err(error))
            }
        }
    }
}
