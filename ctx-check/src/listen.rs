//! Receiving OTLP for a while, over gRPC and HTTP, on one port or several.

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, Limited, StreamBody, combinators::BoxBody};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Frame, Incoming},
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    net::TcpListener,
    sync::mpsc::{Receiver, Sender, channel},
};

/// Messages that wait to be judged. Senders wait above that.
const QUEUE: usize = 64;

/// A receiver of OTLP over gRPC and HTTP, each on every address.
#[derive(Debug)]
pub struct Listener {
    runtime: tokio::runtime::Runtime,
    listeners: Vec<TcpListener>,
    limit: usize,
}

impl Listener {
    /// Binds addresses. Messages of more than `limit` bytes, decompressed, are refused.
    ///
    /// # Errors
    ///
    /// If an address cannot be bound: the error names it.
    pub fn bind(addresses: &[SocketAddr], limit: usize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let bind = |address: &SocketAddr| {
            runtime
                .block_on(TcpListener::bind(*address))
                .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
        };
        let listeners = addresses.iter().map(bind).collect::<io::Result<_>>()?;
        Ok(Self { runtime, listeners, limit })
    }

    /// Returns the addresses, with their ports.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Receives until the time is over or the process is interrupted, and calls `take` with each message and its number, from 1.
    pub fn receive(self, duration: Option<Duration>, take: impl FnMut(&[u8], u32)) {
        self.receive_until(over(duration), take);
    }

    /// Receives until a future is ready, and calls `take` with each message and its number, from 1. What was answered by then
    /// is received.
    pub fn receive_until(self, end: impl Future<Output = ()>, mut take: impl FnMut(&[u8], u32)) {
        let Self { runtime, listeners, limit } = self;
        let (sender, mut messages) = channel(QUEUE);
        runtime.block_on(async move {
            for listener in listeners {
                tokio::spawn(accept(listener, sender.clone(), limit));
            }
            drop(sender);
            let mut number = 0;
            let mut counted = |message: &Bytes| {
                number += 1;
                take(message, number);
            };
            tokio::select! {
                () = each(&mut messages, &mut counted) => {}
                () = end => {}
            }
            while let Ok(message) = messages.try_recv() {
                counted(&message);
            }
        });
    }
}

async fn each(messages: &mut Receiver<Bytes>, take: &mut impl FnMut(&Bytes)) {
    while let Some(message) = messages.recv().await {
        take(&message);
    }
}

async fn over(duration: Option<Duration>) {
    let time = async {
        match duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time => {}
        // Without signals, the time alone ends it.
        Ok(()) = tokio::signal::ctrl_c() => {}
    }
}

async fn accept(listener: TcpListener, messages: Sender<Bytes>, limit: usize) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files, for example: it passes.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let messages = messages.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let messages = messages.clone();
                async move { Ok::<_, std::convert::Infallible>(answer(request, &messages, limit).await) }
            });
            // A connection that ends in the middle costs its last request.
            drop(auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

type Body = BoxBody<Bytes, std::convert::Infallible>;

async fn answer(request: Request<Incoming>, messages: &Sender<Bytes>, limit: usize) -> Response<Body> {
    let of = |name: hyper::header::HeaderName| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let kind = of(CONTENT_TYPE).unwrap_or_default();
    let encoding = of(CONTENT_ENCODING).unwrap_or_default();
    let path = request.uri().path().to_owned();
    let is_grpc = kind.starts_with("application/grpc") && path.starts_with("/opentelemetry.proto.collector.");
    if request.method() != Method::POST || !(is_grpc || matches!(&*path, "/v1/traces" | "/v1/logs" | "/v1/metrics")) {
        return plain(StatusCode::NOT_FOUND, "expected a POST to /v1/traces, /v1/logs or /v1/metrics");
    }
    let Ok(body) = Limited::new(request.into_body(), limit).collect().await.map(|body| body.to_bytes()) else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the message is too long, or was cut");
    };
    let message = if is_grpc { of_frame(&body, limit) } else { decoded(&body, &encoding, limit) };
    match message {
        Some(message) => drop(messages.send(message).await),
        None => return plain(StatusCode::BAD_REQUEST, "the message cannot be decompressed, or its frame is cut"),
    }
    if is_grpc { accepted_by_grpc() } else { accepted(&kind) }
}

/// Returns the message of gRPC's frame: a flag, four bytes of length, and the message.
fn of_frame(frame: &Bytes, limit: usize) -> Option<Bytes> {
    let (head, _) = frame.split_first_chunk::<5>()?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    if frame.len() < 5 + length {
        return None;
    }
    decoded(&frame.slice(5..5 + length), if head[0] == 0 { "" } else { "gzip" }, limit)
}

fn decoded(body: &Bytes, encoding: &str, limit: usize) -> Option<Bytes> {
    match encoding {
        "" | "identity" => Some(body.clone()),
        "gzip" => {
            let mut plain = Vec::new();
            let mut stream = io::Read::take(MultiGzDecoder::new(&**body), limit as u64 + 1);
            io::Read::read_to_end(&mut stream, &mut plain).ok().filter(|length| *length <= limit)?;
            Some(plain.into())
        }
        _ => None,
    }
}

fn frames(frames: Vec<Frame<Bytes>>) -> Body {
    let frames: Vec<Result<_, std::convert::Infallible>> = frames.into_iter().map(Ok).collect();
    BodyExt::boxed(StreamBody::new(Frames(frames.into_iter())))
}

/// A stream that is there already.
struct Frames<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for Frames<I> {
    type Item = I::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<I::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}

fn plain(status: StatusCode, message: &'static str) -> Response<Body> {
    let mut response = Response::new(frames(vec![Frame::data(Bytes::from_static(message.as_bytes()))]));
    *response.status_mut() = status;
    response
}

/// An empty answer, in the encoding of the request: OTLP/HTTP, "Full Success".
fn accepted(kind: &str) -> Response<Body> {
    let is_json = kind.starts_with("application/json");
    let body = if is_json { "{}" } else { "" };
    let mut response = plain(StatusCode::OK, body);
    let kind = if is_json { "application/json" } else { "application/x-protobuf" };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// An empty message, and the status 0 in the trailers.
fn accepted_by_grpc() -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let mut response = Response::new(frames(vec![Frame::data(Bytes::from_static(&[0; 5])), Frame::trailers(trailers)]));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}
