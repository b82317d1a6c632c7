//! Shared code: a stack whose spans and lines are kept, and messages with headers in a map.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use ctx_layer::{
    Schema, SubscriberFieldsExt,
    field::well_known::TENANT_ID,
    messaging::{Consumer, Destination, Producer, SendOptions},
    propagation::Trust,
};
use ctx_tests::{Captured, Exported, attribute};
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::SpanData;
use tracing::{Dispatch, info_span};
use tracing_subscriber::{filter::LevelFilter, prelude::*};

pub(crate) type Headers = HashMap<String, String>;

/// A subscriber whose exported spans and JSON lines are kept.
#[derive(Clone)]
pub(crate) struct Stack {
    exported: Arc<Exported>,
    lines: Captured,
    dispatch: Dispatch,
}

impl Stack {
    pub(crate) fn new() -> Self {
        Self::with_level(LevelFilter::DEBUG)
    }

    pub(crate) fn with_level(level: LevelFilter) -> Self {
        let exported = Exported::new();
        let lines = Captured::default();
        let json = tracing_subscriber::fmt::layer().json().with_writer(lines.clone());
        let subscriber = tracing_subscriber::registry()
            .with(level)
            .with(json)
            .with(tracing_opentelemetry::layer().with_tracer(exported.tracer()))
            .with_context_fields(Schema::well_known());
        Stack { exported: Arc::new(exported), lines, dispatch: Dispatch::new(subscriber) }
    }

    /// Calls `f` under this stack.
    pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        tracing::dispatcher::with_default(&self.dispatch, f)
    }

    /// Runs a future, and all tasks that it spawns, on this thread under this stack.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        self.within(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be built");
            runtime.block_on(async {
                let limit = std::time::Duration::from_secs(60);
                tokio::time::timeout(limit, future).await.expect("it takes no minute")
            })
        })
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

    /// Returns the only span of a name.
    pub(crate) fn span(&self, name: &str) -> SpanData {
        only(self.spans_of(name))
    }

    pub(crate) fn spans_of(&self, name: &str) -> Vec<SpanData> {
        self.spans().into_iter().filter(|span| span.name == name).collect()
    }

    pub(crate) fn consumers(&self) -> Vec<SpanData> {
        self.spans().into_iter().filter(|span| span.span_kind == SpanKind::Consumer).collect()
    }

    /// Returns the lines, each as JSON, but those of OpenTelemetry about itself.
    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        let is_ours = |line: &serde_json::Value| line["target"].as_str().is_none_or(|target| target != "opentelemetry");
        self.lines.json().into_iter().filter(is_ours).collect()
    }
}

pub(crate) fn only<T: std::fmt::Debug>(mut all: Vec<T>) -> T {
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// Returns an attribute as a string.
pub(crate) fn text(span: &SpanData, key: &str) -> Option<String> {
    attribute(&span.attributes, key).map(|value| value.to_string())
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

/// Creates a consumer that trusts its senders.
pub(crate) fn consumer() -> Consumer {
    Consumer::new(orders()).trust(Trust::internal())
}

/// Returns the headers of a message that a request of a tenant sent.
pub(crate) fn sent_by(tenant: &'static str) -> Headers {
    sent_with(tenant, &SendOptions::new())
}

pub(crate) fn sent_with(tenant: &'static str, options: &SendOptions) -> Headers {
    let mut headers = Headers::new();
    TENANT_ID.in_scope(tenant, || {
        let _request = info_span!("request").entered();
        drop(producer().inject_with(&mut headers, options));
    });
    headers
}
