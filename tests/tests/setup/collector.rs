//! A collector of OTLP over HTTP and gRPC within the test: it keeps what arrives, and can refuse it or take its time.

use std::{
    io::Read,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{AnyValue, KeyValue, any_value},
    logs::v1::LogRecord,
    metrics::v1::Metric,
    trace::v1::Span,
};
use prost::Message;
use tokio::sync::oneshot;
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// How the collector answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    Accept,
    /// With a status that is not tried again.
    Refuse,
    /// Never.
    Hang,
    /// Accepts after a while.
    Slow(Duration),
}

#[derive(Default)]
struct Received {
    traces: Vec<ExportTraceServiceRequest>,
    logs: Vec<ExportLogsServiceRequest>,
    metrics: Vec<ExportMetricsServiceRequest>,
    headers: Vec<HeaderMap>,
    requests: usize,
}

struct Shared {
    received: Mutex<Received>,
    answer: Mutex<Answer>,
}

/// A collector on a port of its own.
#[derive(Clone)]
pub(crate) struct Collector {
    address: SocketAddr,
    tls: Option<ServerConfig>,
    shared: Arc<Shared>,
    /// `None` while it is down.
    running: Arc<Mutex<Option<Running>>>,
}

/// The thread of a collector, and what stops it.
struct Running {
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Collector {
    pub(crate) fn start(answer: Answer) -> Self {
        Collector::start_with(answer, None)
    }

    /// Starts one of `https://localhost`.
    pub(crate) fn start_tls(answer: Answer, tls: ServerConfig) -> Self {
        Collector::start_with(answer, Some(tls))
    }

    fn start_with(answer: Answer, tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let shared = Arc::new(Shared { received: Mutex::default(), answer: Mutex::new(answer) });
        let collector = Collector { address, tls, shared, running: Arc::default() };
        collector.serve(listener);
        collector
    }

    fn serve(&self, listener: TcpListener) {
        listener.set_nonblocking(true).expect("it is a socket");
        let app = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/logs", post(logs))
            .route("/v1/metrics", post(metrics))
            .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", post(grpc_traces))
            .route("/opentelemetry.proto.collector.logs.v1.LogsService/Export", post(grpc_logs))
            .route("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", post(grpc_metrics))
            .with_state(Arc::clone(&self.shared));
        let tls = self.tls.clone();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it starts");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("it is a socket");
                let serve = async {
                    match tls {
                        None => axum::serve(listener, app).await.expect("it serves"),
                        Some(config) => serve_tls(listener, config, app).await,
                    }
                };
                tokio::select! {
                    () = serve => {}
                    // Or the collector is dropped, and the test over.
                    _ = stopped => {}
                }
            });
        });
        *locked(&self.running) = Some(Running { stop, thread });
    }

    /// Closes the port and all connections.
    pub(crate) fn stop(&self) {
        if let Some(Running { stop, thread }) = locked(&self.running).take() {
            drop(stop);
            thread.join().expect("it has served");
        }
    }

    pub(crate) fn is_down(&self) -> bool {
        locked(&self.running).is_none()
    }

    /// Opens the port again, with what it received before.
    pub(crate) fn start_again(&self) {
        self.stop();
        // Another test may have the port for a connection of its own.
        let bound = (0..500).find_map(|_| {
            let bound = TcpListener::bind(self.address).ok();
            if bound.is_none() {
                thread::sleep(Duration::from_millis(10));
            }
            bound
        });
        self.serve(bound.expect("the port is free again"));
    }

    /// Forgets what it received, and returns how many spans and log records that were.
    pub(crate) fn forget(&self) -> (usize, usize) {
        let received = std::mem::take(&mut *locked(&self.shared.received));
        let traces = received.traces.iter().flat_map(|request| &request.resource_spans);
        let logs = received.logs.iter().flat_map(|request| &request.resource_logs);
        (
            traces.flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum(),
            logs.flat_map(|resource| &resource.scope_logs).map(|scope| scope.log_records.len()).sum(),
        )
    }

    pub(crate) fn url(&self) -> String {
        match self.tls.is_some() {
            true => format!("https://localhost:{}", self.address.port()),
            false => format!("http://{}", self.address),
        }
    }

    pub(crate) fn set_answer(&self, answer: Answer) {
        *locked(&self.shared.answer) = answer;
    }

    pub(crate) fn requests(&self) -> usize {
        locked(&self.shared.received).requests
    }

    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        locked(&self.shared.received).headers.clone()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let received = locked(&self.shared.received);
        let resources = received.traces.iter().flat_map(|request| &request.resource_spans);
        resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
    }

    pub(crate) fn span(&self, name: &str) -> Span {
        let spans = self.spans();
        let names: Vec<_> = spans.iter().map(|span| span.name.clone()).collect();
        spans.into_iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name} in {names:?}"))
    }

    pub(crate) fn log_records(&self) -> Vec<LogRecord> {
        let received = locked(&self.shared.received);
        let resources = received.logs.iter().flat_map(|request| &request.resource_logs);
        resources.flat_map(|resource| &resource.scope_logs).flat_map(|scope| scope.log_records.clone()).collect()
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let received = locked(&self.shared.received);
        let resources = received.metrics.iter().flat_map(|request| &request.resource_metrics);
        resources.flat_map(|resource| &resource.scope_metrics).flat_map(|scope| scope.metrics.clone()).collect()
    }

    /// Returns the attributes of each resource that arrived.
    pub(crate) fn resources(&self) -> Vec<Vec<KeyValue>> {
        let received = locked(&self.shared.received);
        let traces = received.traces.iter().flat_map(|request| &request.resource_spans).map(|it| &it.resource);
        let logs = received.logs.iter().flat_map(|request| &request.resource_logs).map(|it| &it.resource);
        let metrics = received.metrics.iter().flat_map(|request| &request.resource_metrics).map(|it| &it.resource);
        let all = traces.chain(logs).chain(metrics).flatten();
        all.map(|resource| resource.attributes.clone()).collect()
    }
}

impl Shared {
    async fn answer(&self, headers: HeaderMap, keep: impl FnOnce(&mut Received)) -> StatusCode {
        let answer = *locked(&self.answer);
        if let Answer::Slow(time) = answer {
            tokio::time::sleep(time).await;
        }
        {
            let mut received = locked(&self.received);
            received.requests += 1;
            received.headers.push(headers);
            if matches!(answer, Answer::Accept | Answer::Slow(_)) {
                keep(&mut received);
            }
        }
        match answer {
            Answer::Accept | Answer::Slow(_) => StatusCode::OK,
            Answer::Refuse => StatusCode::BAD_REQUEST,
            Answer::Hang => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                StatusCode::OK
            }
        }
    }
}

/// Decodes a body, which is compressed or not.
fn decoded<T: Message + Default>(body: &[u8]) -> T {
    let mut plain = Vec::new();
    let is_gzip = body.starts_with(&[0x1f, 0x8b]);
    if is_gzip {
        GzDecoder::new(body).read_to_end(&mut plain).expect("it is gzip");
    }
    let body = if is_gzip { plain.as_slice() } else { body };
    // JSON is accepted and not read. No message of protobuf starts with this field.
    if body.starts_with(b"{") {
        return T::default();
    }
    T::decode(body).expect("it is OTLP")
}

async fn traces(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    shared.answer(headers, |received| received.traces.push(decoded(&body))).await
}

async fn logs(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    shared.answer(headers, |received| received.logs.push(decoded(&body))).await
}

async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    shared.answer(headers, |received| received.metrics.push(decoded(&body))).await
}

/// Serves HTTP/1.1 and HTTP/2 over TLS. Connections whose handshake fails are closed.
async fn serve_tls(listener: tokio::net::TcpListener, mut config: ServerConfig, app: Router) {
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (acceptor, app) = (acceptor.clone(), app.clone());
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let service = TowerToHyperService::new(app);
                // The client ends the connection.
                let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            }
        });
    }
}

/// Returns the message of a request of gRPC: a flag and a length are before it.
fn unframed<T: Message + Default>(body: &Bytes) -> T {
    decoded(body.get(5..).expect("it has a frame"))
}

/// Returns an answer of gRPC. That of success is an empty message.
fn grpc(status: StatusCode) -> Response {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(if status == StatusCode::OK { "0" } else { "3" }));
    let frame = Full::new(Bytes::from_static(&[0; 5])).with_trailers(async { Some(Ok(trailers)) });
    ([("content-type", "application/grpc")], Body::new(frame)).into_response()
}

async fn grpc_traces(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    grpc(shared.answer(headers, |received| received.traces.push(unframed(&body))).await)
}

async fn grpc_logs(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    grpc(shared.answer(headers, |received| received.logs.push(unframed(&body))).await)
}

async fn grpc_metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    grpc(shared.answer(headers, |received| received.metrics.push(unframed(&body))).await)
}

/// Returns the string of an attribute.
pub(crate) fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?;
    Some(string(value))
}

pub(crate) fn string(value: &AnyValue) -> String {
    match &value.value {
        Some(any_value::Value::StringValue(value)) => value.clone(),
        Some(any_value::Value::IntValue(value)) => value.to_string(),
        Some(any_value::Value::BoolValue(value)) => value.to_string(),
        other => format!("{other:?}"),
    }
}
