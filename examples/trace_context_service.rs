//! A service that any harness for W3C Trace Context can drive.
//!
//! Run it with `PORT=5000 cargo run --example trace_context_service`. On `POST` to any path with the body `[{"url":
//! "http://...", "arguments": [...]}, ...]` it posts the JSON of `arguments` to each `url` in turn, each in a client
//! span of its own, with the context propagated, and answers after the last.
//!
//! Callers are external: their traces are continued, and everything else is ignored.

use std::{convert::Infallible, env, error::Error, net::Ipv4Addr};

use ctx_layer::{
    Schema, SubscriberFieldsExt,
    propagation::{Boundary, DestinationPolicy, Trust},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    client, server,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tracing::{Instrument, info, info_span, warn};
use tracing_subscriber::prelude::*;

type BoxError = Box<dyn Error + Send + Sync>;

/// The longest body that is read, in bytes.
const MAX_BODY_LEN: usize = 1024 * 1024;

static SERVER: Boundary = Boundary::new("http.server");
static CLIENT: Boundary = Boundary::new("http.client");

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let provider = SdkTracerProvider::builder().build();
    tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("trace_context_service")))
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .with_context_fields(Schema::well_known())
        .init();

    let port = env::var("PORT").ok().map_or(Ok(5000), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "no connection");
                continue;
            }
        };
        tokio::spawn(async move {
            let connection =
                server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(handle));
            if let Err(error) = connection.await {
                warn!(%error, "a connection broke");
            }
        });
    }
}

/// Handles a request in the caller's context, as far as an external caller is trusted.
async fn handle(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    use opentelemetry::context::FutureExt;

    let extracted = SERVER.extract(request.headers(), Trust::external());
    // Created in the caller's context, the span is a child of the caller's.
    let span = extracted.in_scope(|| {
        info_span!("request", otel.kind = "server", http.request.method = %request.method(), url.path = request.uri().path())
    });
    let answer = async {
        let (status, body) = match answer(request).await {
            Ok(results) => (StatusCode::OK, Value::from(results)),
            Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error.to_string() })),
        };
        info!(status = status.as_u16(), "answered");
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = status;
        response
    };
    Ok(answer.instrument(span).with_context(extracted.into_context()).await)
}

async fn answer(request: Request<Incoming>) -> Result<Vec<Value>, BoxError> {
    if request.method() != Method::POST {
        return Err("only POST is served".into());
    }
    let body = Limited::new(request.into_body(), MAX_BODY_LEN).collect().await?.to_bytes();
    let calls: Vec<Value> = serde_json::from_slice(&body)?;
    let mut results = Vec::new();
    for call in calls {
        let url = call["url"].as_str().ok_or("a call has no url")?;
        // Each call has a span, and so a parent-id, of its own.
        let span = info_span!("call", otel.kind = "client", url.full = url);
        results.push(match post(url, &call["arguments"]).instrument(span).await {
            Ok(status) => json!({ "url": url, "status": status.as_u16() }),
            Err(error) => json!({ "url": url, "error": error.to_string() }),
        });
    }
    Ok(results)
}

/// Posts JSON with the current context.
async fn post(url: &str, arguments: &Value) -> Result<StatusCode, BoxError> {
    let uri: Uri = url.parse()?;
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http")).ok_or("the url is not of http")?;
    let mut request = Request::post(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header("host", authority.as_str())
        .header("content-type", "application/json")
        .body(Full::<Bytes>::from(arguments.to_string()))?;
    let destinations = DestinationPolicy::internal(["localhost", "127.0.0.0/8", "::1"])?;
    CLIENT.inject(request.headers_mut(), destinations.for_url(url));

    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    Limited::new(response.into_body(), MAX_BODY_LEN).collect().await?;
    Ok(status)
}
