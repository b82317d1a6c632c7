//! The body of a response, polled within the context of its request.

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
use crate::error_type::error_type_of;

pin_project! {
    /// The body of a response. The request's context is current and its span entered while it is polled or dropped. The
    /// span ends with the body.
    #[derive(Debug)]
    pub struct ContextBody<B>
    where
        B: Body,
    {
        // `None` once the body has ended, or is being dropped.
        #[pin]
        body: Option<B>,
        // A frame that was polled early and not yet returned.
        first: Option<Result<Frame<B::Data>, B::Error>>,
        exchange: Option<Exchange>,
        // The bytes still expected, if the length is known.
        remaining: Option<u64>,
        // The body is sent as far as needed: dropping it is not a cancellation.
        is_complete: bool,
    }

    impl<B> PinnedDrop for ContextBody<B>
    where
        B: Body,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(exchange) = this.exchange.as_mut() else { return };
            if !*this.is_complete {
                exchange.cancelled();
            }
            if this.body.is_some() {
                let _entered = exchange.enter();
                this.body.set(None);
            }
        }
    }
}

impl<B: Body> ContextBody<B> {
    /// Creates a body. `is_head` is `true` if the request's method is `HEAD`.
    pub(super) fn new(mut exchange: Exchange, response: &Parts, is_head: bool, initial: InitialBody<B>) -> Self {
        exchange.responded(response.status, response.version, &response.headers);
        let InitialBody { body, first } = initial;
        if body.is_none() && first.is_none() {
            exchange.ended();
            return ContextBody { body, first, exchange: None, remaining: None, is_complete: true };
        }
        let remaining = if exchange.awaits_trailers() { None } else { length(response, body.as_ref(), first.as_ref()) };
        let is_complete = is_bodyless(response.status, is_head) || remaining == Some(0);
        ContextBody { body, first, exchange: Some(exchange), remaining, is_complete }
    }
}

/// The body at the start of the response. Created within the request's span, so that a body that has already ended is
/// dropped there.
pub(super) struct InitialBody<B: Body> {
    body: Option<B>,
    first: Option<Result<Frame<B::Data>, B::Error>>,
}

impl<B: Body> InitialBody<B> {
    pub(super) fn of(body: B) -> Self {
        InitialBody { body: Some(body).filter(|body| !body.is_end_stream()), first: None }
    }
}

#[cfg(feature = "http-server")]
impl<B: Body + 'static> InitialBody<B> {
    /// Creates a body, and polls an `axum` body of known length once. Such a body is nearly always complete, and
    /// polling it here avoids entering the span again, which would cost as much as the rest.
    ///
    /// Other bodies are not polled here: a polled body must not be moved, and only `axum`'s body is known to be
    /// `Unpin`.
    pub(super) fn polled(response: &Parts, is_head: bool, body: B, task: &mut Context<'_>) -> Self {
        let mut initial = InitialBody::of(body);
        if is_bodyless(response.status, is_head) {
            return initial;
        }
        let polled = initial.body.as_mut().and_then(|body| poll_axum(body, task));
        initial.first = match polled {
            None | Some(Poll::Pending) => return initial,
            Some(Poll::Ready(first)) => first,
        };
        let is_ended = !matches!(initial.first, Some(Ok(_))) || initial.body.as_ref().is_none_or(Body::is_end_stream);
        if is_ended {
            initial.body = None;
        }
        initial
    }
}

#[cfg(feature = "http-server")]
type Polled<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// Polls an `axum` body of known length, and no other.
#[cfg(feature = "axum")]
fn poll_axum<B: Body + 'static>(body: &mut B, task: &mut Context<'_>) -> Option<Polled<B>> {
    use std::any::Any;
    body.size_hint().exact()?;
    let body = (body as &mut dyn Any).downcast_mut::<::axum::body::Body>()?;
    let mut polled = Some(Pin::new(body).poll_frame(task));
    // `Polled<B>` is the type of `polled`, since `B` is `axum`'s body.
    (&mut polled as &mut dyn Any).downcast_mut::<Option<Polled<B>>>()?.take()
}

#[cfg(all(feature = "http-server", not(feature = "axum")))]
fn poll_axum<B: Body + 'static>(_: &mut B, _: &mut Context<'_>) -> Option<Polled<B>> {
    None
}

pub(super) fn is_head(method: &Method) -> bool {
    *method == Method::HEAD
}

/// Returns `true` if the body is not sent (RFC 9110, sections 6.4.1 and 9.3.2).
fn is_bodyless(status: StatusCode, is_head: bool) -> bool {
    is_head || status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Returns the length of the body: servers stop polling once that many bytes were sent.
fn length<B: Body>(
    response: &Parts,
    body: Option<&B>,
    first: Option<&Result<Frame<B::Data>, B::Error>>,
) -> Option<u64> {
    let declared = || response.headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    size(body, first).exact().or_else(declared)
}

/// Returns the size of what was not yet returned.
fn size<B: Body>(body: Option<&B>, first: Option<&Result<Frame<B::Data>, B::Error>>) -> SizeHint {
    let mut size = body.map_or(SizeHint::with_exact(0), Body::size_hint);
    if let Some(Ok(first)) = first
        && let Some(data) = first.data_ref()
    {
        let len = data.remaining() as u64;
        // The bounds must not cross while they are set.
        if let Some(upper) = size.upper() {
            size.set_upper(upper.saturating_add(len));
        }
        size.set_lower(size.lower().saturating_add(len));
    }
    size
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
        let (polled, is_ended) = match this.first.take() {
            Some(first) => (Poll::Ready(Some(first)), this.body.is_none()),
            None => exchange.within(|| {
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
            }),
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    exchange.trailers(trailers);
                    // Trailers are the last frame, and some servers do not poll again.
                    *this.is_complete = true;
                }
                if let Some(data) = frame.data_ref() {
                    exchange.passed_on(data.remaining());
                    if let Some(remaining) = this.remaining.as_mut() {
                        *remaining = remaining.saturating_sub(data.remaining() as u64);
                        *this.is_complete |= *remaining == 0;
                    }
                }
            }
            Poll::Ready(Some(Err(error))) => exchange.failed(error_type_of::<B::Error>(), &error.to_string()),
            Poll::Ready(None) | Poll::Pending => {}
        }
        if is_ended {
            *this.is_complete = true;
            exchange.ended();
            // The span ends here, even if the body is kept.
            *this.exchange = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        size(self.body.as_ref(), self.first.as_ref())
    }
}

impl<B: Body + Default> Default for ContextBody<B> {
    fn default() -> Self {
        ContextBody { body: Some(B::default()), first: None, exchange: None, remaining: None, is_complete: true }
    }
}
