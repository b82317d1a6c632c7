//! Sending a request, with the context in its headers.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::{settings::ClientSettings, span::Outgoing};
use crate::{
    error_type::error_type_of,
    http::{
        ContextBody,
        body::{InitialBody, is_head},
        exchange::{Exchange, ExchangeSide},
        grpc,
    },
};

/// A service whose requests carry the context and have a span each. Created by [`ClientLayer`](super::ClientLayer).
#[derive(Clone)]
pub struct ClientService<S> {
    inner: S,
    settings: Arc<ClientSettings>,
}

impl<S> ClientService<S> {
    pub(super) fn new(inner: S, settings: Arc<ClientSettings>) -> Self {
        ClientService { inner, settings }
    }
}

/// Creates the span of a request and writes the context to its headers.
fn begin<B>(request: &mut Request<B>, settings: &ClientSettings) -> Exchange {
    let is_grpc = grpc::is_call(request.method(), request.headers());
    let (line, span, outbound) = {
        let outgoing = Outgoing::of(request, settings);
        let line = outgoing.start_line(request.headers(), is_grpc);
        let span = if is_grpc { outgoing.grpc_span() } else { outgoing.http_span() };
        (line, span, settings.outbound(outgoing.authority))
    };
    // If the span is disabled, the caller's span is sent.
    span.in_scope(|| settings.boundary.inject(request.headers_mut(), outbound));
    Exchange::new(is_grpc, ExchangeSide::Client(span), line)
}

impl<S, B, R> Service<Request<B>> for ClientService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display,
    R: Body,
    R::Error: fmt::Display,
{
    type Response = Response<ContextBody<R>>;
    type Error = S::Error;
    type Future = ClientFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let is_head = is_head(request.method());
        let mut exchange = begin(&mut request, &self.settings);
        let inner = exchange.within(|| self.inner.call(request));
        ClientFuture { inner: Some(inner), exchange: Some(exchange), is_head }
    }
}

impl<S: fmt::Debug> fmt::Debug for ClientService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientService").field("inner", &self.inner).field("settings", &self.settings).finish()
    }
}

pin_project! {
    /// The future of a request that is being sent.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ClientFuture<F> {
        // `None` only while it is being dropped.
        #[pin]
        inner: Option<F>,
        exchange: Option<Exchange>,
        is_head: bool,
    }

    impl<F> PinnedDrop for ClientFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Present until there is a response.
            let Some(exchange) = this.exchange.as_mut() else { return };
            exchange.cancelled();
            let _entered = exchange.enter();
            this.inner.set(None);
        }
    }
}

impl<F, R, E> Future for ClientFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: fmt::Display,
{
    type Output = Result<Response<ContextBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (Some(inner), Some(exchange)) = (this.inner.as_mut().as_pin_mut(), this.exchange.as_mut()) else {
            return Poll::Pending;
        };
        let result = ready!(exchange.within(|| {
            inner.poll(task).map_ok(|response| {
                let (parts, body) = response.into_parts();
                (parts, InitialBody::of(body))
            })
        }));
        let Some(mut exchange) = this.exchange.take() else { return Poll::Pending };
        match result {
            Ok((parts, initial)) => {
                let body = ContextBody::new(exchange, &parts, *this.is_head, initial);
                Poll::Ready(Ok(Response::from_parts(parts, body)))
            }
            Err(error) => {
                exchange.failed(error_type_of::<E>(), &error.to_string());
                Poll::Ready(Err(error))
            }
        }
    }
}
