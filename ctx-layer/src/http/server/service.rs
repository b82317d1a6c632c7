//! Serving a request within its context.

use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use smallvec::SmallVec;
use tower_service::Service;
use tracing::Level;

use super::{header_rule::Echo, settings::ServerSettings, span};
use crate::{
    declare_request,
    error_type::error_type_of,
    http::{
        ContextBody, RequestHead,
        access_line::{AccessLine, LineSide, Started, Text},
        body::{InitialBody, is_head},
        exchange::{Exchange, ExchangeSide},
        grpc,
    },
    layer::opentelemetry_layer::add_link,
    task::Snapshot,
};

/// A service whose requests have their context and a span each. Created by [`ServerLayer`](super::ServerLayer).
#[derive(Clone)]
pub struct ServerService<S> {
    inner: S,
    settings: Arc<ServerSettings>,
}

impl<S> ServerService<S> {
    pub(super) fn new(inner: S, settings: Arc<ServerSettings>) -> Self {
        ServerService { inner, settings }
    }
}

/// The headers to send back: nearly always none, or the request's id.
type Echoes = SmallVec<[Echo; 1]>;

/// Creates the context and the span of a request, and the headers to send back.
fn begin(request: &RequestHead<'_>, settings: &ServerSettings) -> (Exchange, Echoes) {
    let is_grpc = grpc::is_call(request.method(), request.headers());
    let line = settings.log.and_then(|level| start_line(request, is_grpc, level, settings));
    let mut incoming = settings.boundary.read(request.headers(), settings.trust);
    let linked = incoming.take_linked();
    let mut echoes = Echoes::new();
    let mut fields = incoming.take_fields();
    for rule in &settings.headers {
        let (with, echo) = rule.apply(request, fields, settings.boundary);
        fields = with;
        echoes.extend(echo);
    }
    if let Some(set) = &settings.fields {
        fields = set(request, fields);
    }
    let cx = incoming.into_context(fields);

    let span = if is_grpc { span::of_grpc(request, settings, &cx) } else { span::of_http(request, settings, &cx) };
    if let Some(linked) = linked {
        add_link(&span, linked);
    }
    // Returns `false` if the span is disabled, or no layer of this crate is installed.
    let _ = declare_request(&span);
    (Exchange::new(is_grpc, ExchangeSide::Server(Snapshot::of_span(span, cx)), line), echoes)
}

/// Creates the line about a request, which is emitted when it has ended.
fn start_line(
    request: &RequestHead<'_>,
    is_grpc: bool,
    level: Level,
    settings: &ServerSettings,
) -> Option<Box<AccessLine>> {
    let started = Started {
        side: LineSide::Server,
        method: request.method(),
        headers: request.headers(),
        path: span::uri(request).path(),
        is_grpc,
    };
    let route = || span::route(request, settings).map(|route| Text::of(&route));
    AccessLine::start(level, || settings.leaves_out(request), &started, route, None)
}

impl<S, B, R> Service<Request<B>> for ServerService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: fmt::Display,
    R: Body + 'static,
    R::Error: fmt::Display,
{
    type Response = Response<ContextBody<R>>;
    type Error = S::Error;
    type Future = ServerFuture<S, Request<B>, S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_head = is_head(request.method());
        let (exchange, echoes) = begin(&RequestHead::of(&request), &self.settings);
        // The ready service serves the request, and a clone replaces it.
        let inner = self.inner.clone();
        let ready = mem::replace(&mut self.inner, inner);
        let stage = Stage::Waiting { call: Some((ready, request)) };
        ServerFuture { stage, exchange: Some(exchange), echoes, is_head }
    }
}

impl<S: fmt::Debug> fmt::Debug for ServerService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerService").field("inner", &self.inner).field("settings", &self.settings).finish()
    }
}

pin_project! {
    /// The future of a request that is being served. The service is called at the first poll, so that a handler that is
    /// ready immediately needs the span entered only once.
    #[must_use = "futures do nothing unless polled"]
    pub struct ServerFuture<S, Q, F> {
        #[pin]
        stage: Stage<S, Q, F>,
        exchange: Option<Exchange>,
        echoes: Echoes,
        is_head: bool,
    }

    impl<S, Q, F> PinnedDrop for ServerFuture<S, Q, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Present until there is a response.
            let Some(exchange) = this.exchange.as_mut() else { return };
            exchange.cancelled();
            let _entered = exchange.enter();
            this.stage.set(Stage::Done);
        }
    }
}

impl<S, Q, F> fmt::Debug for ServerFuture<S, Q, F> {
    /// Hides the request, whose headers may be sensitive.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerFuture").field("exchange", &self.exchange).finish_non_exhaustive()
    }
}

pin_project! {
    /// The stage of a request.
    #[project = StageProjection]
    enum Stage<S, Q, F> {
        /// Not yet polled. `None` only while it is being polled.
        Waiting { call: Option<(S, Q)> },
        Running {
            #[pin]
            future: F,
        },
        /// Finished, or being dropped.
        Done,
    }
}

impl<S: Service<Q>, Q> Stage<S, Q, S::Future> {
    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Result<S::Response, S::Error>> {
        if let StageProjection::Waiting { call } = self.as_mut().project()
            && let Some((mut service, request)) = call.take()
        {
            let future = service.call(request);
            self.set(Stage::Running { future });
        }
        let StageProjection::Running { future } = self.as_mut().project() else { return Poll::Pending };
        let result = ready!(future.poll(task));
        self.set(Stage::Done);
        Poll::Ready(result)
    }
}

impl<S, B, R> Future for ServerFuture<S, Request<B>, S::Future>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display,
    R: Body + 'static,
    R::Error: fmt::Display,
{
    type Output = Result<Response<ContextBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(exchange) = this.exchange.as_mut() else { return Poll::Pending };
        let is_head = *this.is_head;
        // Stored here rather than returned through `within`: moving large values is slow.
        let mut result = None;
        exchange.within(|| {
            if let Poll::Ready(ready) = this.stage.as_mut().poll(task) {
                result = Some(ready.map(|response| {
                    let (parts, body) = response.into_parts();
                    let initial = InitialBody::polled(&parts, is_head, body, task);
                    (parts, initial)
                }));
            }
        });
        let Some(result) = result else { return Poll::Pending };
        let Some(mut exchange) = this.exchange.take() else { return Poll::Pending };
        match result {
            Ok((mut parts, initial)) => {
                for Echo { name, value } in this.echoes.drain(..) {
                    // Fails only if the map is at capacity.
                    if let Ok(entry) = parts.headers.try_entry(name) {
                        entry.or_insert(value);
                    }
                }
                let body = ContextBody::new(exchange, &parts, is_head, initial);
                Poll::Ready(Ok(Response::from_parts(parts, body)))
            }
            Err(error) => {
                exchange.failed(error_type_of::<S::Error>(), &error.to_string());
                Poll::Ready(Err(error))
            }
        }
    }
}
