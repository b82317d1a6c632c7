//! The body of a response, within the context of its request.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Buf;
use http::{Method, StatusCode, response::Parts};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::exchange::Exchange;

pin_project! {
    /// The body of a response. Its request's context is in force and its span is entered whenever it is polled, and when
    /// it is dropped; the span ends with it.
    #[derive(Debug)]
    pub struct ContextBody<B> {
        // `None` once it has come to its end, or is being dropped.
        #[pin]
        body: Option<B>,
        exchange: Option<Exchange>,
        // Of a length that is known: what is still to come.
        remaining: Option<u64>,
        // Nobody wants more of it: to drop it is not to cancel it.
        is_complete: bool,
    }

    impl<B> PinnedDrop for ContextBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(exchange) = this.exchange.as_mut() else { return };
            if !*this.is_complete {
                exchange.cancelled();
            }
            let _entered = exchange.enter();
            this.body.set(None);
        }
    }
}

impl<B: Body> ContextBody<B> {
    /// `method` is that of the request.
    pub(super) fn new(mut exchange: Exchange, response: &Parts, is_head: bool, body: B) -> Self {
        exchange.responded(response.status, response.version, &response.headers);
        if body.is_end_stream() {
            exchange.ended();
            let entered = exchange.enter();
            drop(body);
            drop(entered);
            return ContextBody { body: None, exchange: None, remaining: None, is_complete: true };
        }
        // Bodies that are not sent, whatever they are (RFC 9110, sections 6.4.1 and 9.3.2).
        let status = response.status;
        let is_bodyless =
            is_head || status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let remaining = if exchange.awaits_trailers() { None } else { length(response, &body) };
        let is_complete = is_bodyless || remaining == Some(0);
        ContextBody { body: Some(body), exchange: Some(exchange), remaining, is_complete }
    }
}

pub(super) fn is_head(method: &Method) -> bool {
    *method == Method::HEAD
}

/// How long the body will be: servers do not ask for more once that much was sent.
fn length(response: &Parts, body: &impl Body) -> Option<u64> {
    let told = || response.headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    body.size_hint().exact().or_else(told)
}

impl<B> Body for ContextBody<B>
where
    B: Body,
    B::Error: fmt::Display,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(exchange) = this.exchange.as_mut() else { return Poll::Ready(None) };
        let (polled, is_ended) = exchange.within(|| {
            let Some(mut body) = this.body.as_mut().as_pin_mut() else { return (Poll::Ready(None), true) };
            let polled = body.as_mut().poll_frame(task);
            let is_ended = match &polled {
                Poll::Pending => false,
                Poll::Ready(None | Some(Err(_))) => true,
                Poll::Ready(Some(Ok(_))) => body.is_end_stream(),
            };
            if is_ended {
                this.body.set(None);
            }
            (polled, is_ended)
        });
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    exchange.trailers(trailers);
                    // Nothing follows them, and not all servers ask.
                    *this.is_complete = true;
                }
                if let (Some(remaining), Some(data)) = (this.remaining.as_mut(), frame.data_ref()) {
                    *remaining = remaining.saturating_sub(data.remaining() as u64);
                    *this.is_complete |= *remaining == 0;
                }
            }
            Poll::Ready(Some(Err(error))) => exchange.failed(kind_of::<B::Error>(), &error.to_string()),
            Poll::Ready(None) | Poll::Pending => {}
        }
        if is_ended {
            *this.is_complete = true;
            exchange.ended();
            // Its span ends here, though the body may be kept.
            *this.exchange = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Body + Default> Default for ContextBody<B> {
    fn default() -> Self {
        ContextBody { body: Some(B::default()), exchange: None, remaining: None, is_complete: true }
    }
}

/// `error.type`: the name of the type, where that says something.
pub(super) fn kind_of<E>() -> &'static str {
    let name = std::any::type_name::<E>();
    if name.contains("dyn ") || name.contains('<') { "_OTHER" } else { name }
}
