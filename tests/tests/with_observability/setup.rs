//! The outputs that the tests read: JSON lines of `fmt`, and exported OpenTelemetry spans.

use std::future::Future;

use ctx_layer::SubscriberFieldsExt;
use ctx_tests::{Captured, Exported, attribute, schema};
use opentelemetry::Value;
use opentelemetry_sdk::trace::SpanData;
use serde_json::Value as Json;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::{filter::Targets, prelude::*};

/// Both outputs under one subscriber.
pub(crate) struct Outputs {
    json: Captured,
    otel: Exported,
    pub(crate) dispatch: Dispatch,
}

impl Outputs {
    /// Creates the outputs under `with_context_fields`.
    pub(crate) fn with_context() -> Self {
        Self::new(true, "trace")
    }

    /// Creates the outputs alone: the attribute needs the layer only for `context`.
    pub(crate) fn without_context() -> Self {
        Self::new(false, "trace")
    }

    /// Creates outputs that get only what a filter lets through.
    pub(crate) fn filtered(filter: &str) -> Self {
        Self::new(true, filter)
    }

    fn new(has_context: bool, filter: &str) -> Self {
        let json = Captured::default();
        let otel = Exported::new();
        let filter: Targets = filter.parse().expect("the filter is valid");
        let stack = tracing_subscriber::registry()
            .with(filter)
            .with(tracing_subscriber::fmt::layer().json().with_writer(json.clone()))
            .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()));
        let dispatch =
            if has_context { Dispatch::new(stack.with_context_fields(schema())) } else { Dispatch::new(stack) };
        Outputs { json, otel, dispatch }
    }

    /// Runs code under the subscriber.
    pub(crate) fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        dispatcher::with_default(&self.dispatch, f)
    }

    /// Runs a future under the subscriber, on this thread.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it can be made");
        self.run(|| runtime.block_on(future))
    }

    /// Returns the lines of all events.
    pub(crate) fn events(&self) -> Vec<Json> {
        self.json.json()
    }

    /// Returns the lines of the events with this message.
    pub(crate) fn events_named(&self, message: &str) -> Vec<Json> {
        self.events().into_iter().filter(|event| event["fields"]["message"] == message).collect()
    }

    /// Returns the one line with this message.
    pub(crate) fn event(&self, message: &str) -> Json {
        let mut found = self.events_named(message);
        assert_eq!(found.len(), 1, "events {message:?} among {:#?}", self.events());
        found.remove(0)
    }

    /// Returns the fields of the one line with this message.
    pub(crate) fn fields(&self, message: &str) -> Json {
        self.event(message)["fields"].clone()
    }

    /// Returns everything that was written.
    pub(crate) fn text(&self) -> String {
        self.json.text()
    }

    /// Returns the exported spans, in the order in which they finished.
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        self.otel.spans()
    }

    /// Returns the one exported span of this name.
    pub(crate) fn span(&self, name: &str) -> SpanData {
        self.otel.span(name)
    }

    /// Returns an attribute of the one exported span of this name.
    pub(crate) fn attribute(&self, span: &str, key: &str) -> Option<Value> {
        attribute(&self.span(span).attributes, key)
    }
}

/// Runs a test once with the layer over the outputs, and once without it.
pub(crate) fn with_and_without_context(test: impl Fn(&Outputs)) {
    test(&Outputs::with_context());
    test(&Outputs::without_context());
}

/// Returns the messages that were written, in order.
pub(crate) fn messages(out: &Outputs) -> Vec<String> {
    out.events().iter().map(|event| event["fields"]["message"].as_str().unwrap_or_default().to_owned()).collect()
}
