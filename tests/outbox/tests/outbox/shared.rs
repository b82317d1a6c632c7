//! Shared code: a stack whose spans and lines are kept.

use std::sync::Arc;

use ctx_layer::{
    Schema, SubscriberFieldsExt,
    messaging::{Consumer, Destination, Producer},
    propagation::Trust,
};
use ctx_tests::{Captured, Exported};
use opentelemetry_sdk::trace::SpanData;
use tracing::Dispatch;
use tracing_subscriber::{filter::LevelFilter, prelude::*};

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

    /// Runs a future on this thread under this stack.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        tracing::dispatcher::with_default(&self.dispatch, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
            runtime.block_on(async {
                let limit = std::time::Duration::from_secs(60);
                tokio::time::timeout(limit, future).await.expect("it takes no minute")
            })
        })
    }

    pub(crate) fn spans(&self, name: &str) -> Vec<SpanData> {
        self.exported.spans().into_iter().filter(|span| span.name == name).collect()
    }

    pub(crate) fn span(&self, name: &str) -> SpanData {
        let mut spans = self.spans(name);
        assert_eq!(spans.len(), 1, "{name}: {spans:#?}");
        spans.remove(0)
    }

    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        self.lines.json()
    }
}

pub(crate) fn is_child_of(child: &SpanData, parent: &SpanData) -> bool {
    child.parent_span_id == parent.span_context.span_id()
        && child.span_context.trace_id() == parent.span_context.trace_id()
}

pub(crate) fn is_linked_to(span: &SpanData, to: &SpanData) -> bool {
    span.links.iter().any(|link| link.span_context.span_id() == to.span_context.span_id())
}

pub(crate) fn orders() -> Destination {
    Destination::new("rabbitmq", "orders")
}

pub(crate) fn producer() -> Producer {
    Producer::new(orders())
}

pub(crate) fn consumer() -> Consumer {
    Consumer::new(orders()).trust(Trust::internal())
}
