//! Shared code: a stack whose spans and lines are kept, and servers on loopback.

use std::{collections::HashSet, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use ctx_layer::{
    Schema, SubscriberFieldsExt,
    http::{ClientLayer, ClientMiddleware},
    propagation::{DestinationPolicy, Trust},
};
use ctx_tests::{Captured, Exported, attribute};
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use reqwest_middleware::ClientWithMiddleware;
use tracing::Dispatch;
use tracing_subscriber::{filter::LevelFilter, prelude::*};

pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const CALLER: &str = "b7ad6b7169203331";
pub(crate) const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A subscriber whose exported spans and JSON lines are kept.
#[derive(Clone)]
pub(crate) struct Stack {
    exported: Arc<Exported>,
    lines: Captured,
    dispatch: Dispatch,
}

impl Stack {
    pub(crate) fn new() -> Self {
        let exported = Exported::new();
        let lines = Captured::default();
        let json = tracing_subscriber::fmt::layer().json().with_writer(lines.clone());
        let subscriber = tracing_subscriber::registry()
            .with(LevelFilter::INFO)
            .with(json)
            .with(tracing_opentelemetry::layer().with_tracer(exported.tracer()))
            .with_context_fields(Schema::well_known());
        Stack { exported: Arc::new(exported), lines, dispatch: Dispatch::new(subscriber) }
    }

    /// Runs a future and all tasks that it spawns on this thread, under this stack.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        let _default = tracing::dispatcher::set_default(&self.dispatch);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
        let output = runtime.block_on(async {
            let output = tokio::time::timeout(Duration::from_secs(60), future).await.expect("it takes no minute");
            // Lets connections and servers finish their work.
            tokio::time::sleep(Duration::from_millis(30)).await;
            output
        });
        drop(runtime);
        output
    }

    pub(crate) fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    pub(crate) fn spans(&self) -> Vec<SpanData> {
        let spans = self.exported.spans();
        for span in &spans {
            // OpenTelemetry's specification of attributes: keys are unique.
            let keys: HashSet<_> = span.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
            assert_eq!(keys.len(), span.attributes.len(), "{span:#?}");
        }
        spans
    }

    /// Returns the spans of servers.
    pub(crate) fn server_spans(&self) -> Vec<SpanData> {
        of_kind(self.spans(), SpanKind::Server)
    }

    /// Returns the spans of clients.
    pub(crate) fn client_spans(&self) -> Vec<SpanData> {
        of_kind(self.spans(), SpanKind::Client)
    }

    /// Returns the only span of a server.
    pub(crate) fn server_span(&self) -> SpanData {
        only(self.server_spans())
    }

    /// Returns the only span of a client.
    pub(crate) fn client_span(&self) -> SpanData {
        only(self.client_spans())
    }

    /// Returns the lines with a message, each as JSON.
    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        self.lines.json()
    }
}

fn of_kind(mut spans: Vec<SpanData>, kind: SpanKind) -> Vec<SpanData> {
    spans.retain(|span| span.span_kind == kind);
    spans
}

fn only(mut spans: Vec<SpanData>) -> SpanData {
    assert_eq!(spans.len(), 1, "{spans:#?}");
    spans.remove(0)
}

/// Returns an attribute as a string.
pub(crate) fn text(span: &SpanData, key: &str) -> Option<String> {
    attribute(&span.attributes, key).map(|value| value.to_string())
}

pub(crate) fn is_error(span: &SpanData) -> bool {
    matches!(span.status, Status::Error { .. })
}

pub(crate) fn trace_of(span: &SpanData) -> String {
    span.span_context.trace_id().to_string()
}

/// Serves on loopback until the runtime is dropped.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await.expect("it serves");
    });
    address
}

/// A policy under which loopback is internal.
pub(crate) fn loopback() -> DestinationPolicy {
    DestinationPolicy::internal(["127.0.0.0/8"]).expect("it is a network")
}

/// Creates a client that sends all context to loopback.
pub(crate) fn client() -> ClientWithMiddleware {
    client_of(reqwest::Client::new())
}

pub(crate) fn client_of(client: reqwest::Client) -> ClientWithMiddleware {
    reqwest_middleware::ClientBuilder::new(client)
        .with(ClientMiddleware::new(ClientLayer::new().destinations(loopback())))
        .build()
}

/// Creates a layer for internal callers.
pub(crate) fn internal() -> Trust {
    Trust::internal()
}
