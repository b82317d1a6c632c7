//! A collector of OTLP over HTTP within the test: it keeps what arrives, and can refuse it or take its time.

use std::{
    io::Read,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use flate2::read::GzDecoder;
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

/// How the collector answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    Accept,
    /// With a status that is not tried again.
    Refuse,
    /// Never.
    Hang,
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
    shared: Arc<Shared>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Collector {
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        listener.set_nonblocking(true).expect("it is a socket");
        let shared = Arc::new(Shared { received: Mutex::default(), answer: Mutex::new(answer) });
        let app = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/logs", post(logs))
            .route("/v1/metrics", post(metrics))
            .with_state(Arc::clone(&shared));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it starts");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("it is a socket");
                axum::serve(listener, app).await.expect("it serves");
            });
        });
        Collector { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
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
        {
            let mut received = locked(&self.received);
            received.requests += 1;
            received.headers.push(headers);
            if answer == Answer::Accept {
                keep(&mut received);
            }
        }
        match answer {
            Answer::Accept => StatusCode::OK,
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
    T::decode(if is_gzip { plain.as_slice() } else { body }).expect("it is OTLP")
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
