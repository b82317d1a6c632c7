//! Errors arrive as errors.

use std::{
    error::Error,
    fmt, io,
    sync::{Arc, Mutex},
};

use ctx_layer::{ContextLayer, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::{Exported, Recorder, Value, attribute, schema};
use tracing::{
    Event, Subscriber,
    field::{Empty, Field, Visit},
    info, info_span,
    span::{Attributes, Id, Record},
    subscriber::with_default,
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

#[derive(Debug)]
struct Failed {
    order: u32,
    source: io::Error,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {} failed", self.order)
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

#[derive(Debug, PartialEq)]
struct Timeout(u32);

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timed out after {} s", self.0)
    }
}

impl Error for Timeout {}

fn failed(order: u32) -> Failed {
    Failed { order, source: io::Error::other(Timeout(order)) }
}

/// A visitor that notes what only a `dyn Error` can tell of an error.
#[derive(Clone, Default)]
struct Errors(Arc<Mutex<Vec<String>>>);

impl Errors {
    fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Visit for &Errors {
    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let own = match error.downcast_ref::<Failed>() {
            Some(failed) => format!("Failed({})", failed.order),
            None => format!("{:?}", error.downcast_ref::<Timeout>()),
        };
        let mut chain = Vec::new();
        let mut source = error.source();
        while let Some(error) = source {
            chain.push(error.to_string());
            source = error.source();
        }
        self.0.lock().unwrap().push(format!("{}: {own} from {chain:?}", field.name()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "tenant_id" {
            self.0.lock().unwrap().push(format!("tenant_id: {value}"));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl<S: Subscriber> Layer<S> for Errors {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        attributes.record(&mut { self });
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut { self });
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut { self });
    }
}

fn seen(run: impl FnOnce()) -> Vec<String> {
    let errors = Errors::default();
    with_default(tracing_subscriber::registry().with(errors.clone()).with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", run);
    });
    errors.seen()
}

#[test]
fn an_events_error_arrives_with_its_type_and_sources() {
    let error = failed(7);
    assert_eq!(
        seen(|| info!(error = &error as &(dyn Error + 'static), lines = 3, "failed")),
        ["error: Failed(7) from [\"timed out after 7 s\"]", "tenant_id: acme"]
    );
}

#[test]
fn a_spans_error_arrives_with_its_type_and_sources() {
    let error = failed(7);
    assert_eq!(
        seen(|| drop(info_span!("failed", cause = &error as &(dyn Error + 'static)))),
        ["cause: Failed(7) from [\"timed out after 7 s\"]", "tenant_id: acme"]
    );
}

#[test]
fn several_errors_on_one_event_arrive_with_their_types() {
    let (first, second, third) = (failed(1), Timeout(2), failed(3));
    assert_eq!(
        seen(|| {
            info!(
                first = &first as &(dyn Error + 'static),
                text = "between",
                second = &second as &(dyn Error + 'static),
                third = &third as &(dyn Error + 'static),
                "failed thrice"
            );
        }),
        [
            "first: Failed(1) from [\"timed out after 1 s\"]",
            "second: Some(Timeout(2)) from []",
            "third: Failed(3) from [\"timed out after 3 s\"]",
            "tenant_id: acme",
        ]
    );
}

#[test]
fn boxed_errors_of_every_kind_arrive_as_errors() {
    let plain: Box<dyn Error> = Box::new(failed(1));
    let send: Box<dyn Error + Send> = Box::new(failed(2));
    let both: Box<dyn Error + Send + Sync> = Box::new(failed(3));
    let seen = seen(|| {
        info!(
            plain = plain.as_ref() as &(dyn Error + 'static),
            send = &*send as &(dyn Error + Send + 'static),
            "boxed"
        );
        info!(both = &*both as &(dyn Error + Send + Sync + 'static), "boxed");
    });
    assert_eq!(
        seen,
        [
            "plain: Failed(1) from [\"timed out after 1 s\"]",
            "send: Failed(2) from [\"timed out after 2 s\"]",
            "tenant_id: acme",
            "both: Failed(3) from [\"timed out after 3 s\"]",
            "tenant_id: acme",
        ]
    );
}

#[test]
fn a_recorded_error_arrives_as_an_error_where_fields_are_hidden() {
    let errors = Errors::default();
    let subscriber =
        tracing_subscriber::registry().with(fields_once_per_line(errors.clone())).with_context_fields(schema());
    let error = failed(7);
    with_default(subscriber, || {
        let span = info_span!("request", cause = Empty);
        span.record("cause", &error as &(dyn Error + 'static));
    });
    assert_eq!(errors.seen(), ["cause: Failed(7) from [\"timed out after 7 s\"]"]);
}

#[test]
fn errors_arrive_through_the_layer_over_the_stack_and_around_the_output() {
    let errors = Errors::default();
    let around = ContextLayer::new(errors.clone(), ctx_layer::Schema::well_known());
    let (one, two) = (failed(1), failed(2));
    with_default(tracing_subscriber::registry().with(around).with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", || {
            info!(a = &one as &(dyn Error + 'static), b = &two as &(dyn Error + 'static), "twice rewritten");
        });
    });
    assert_eq!(
        errors.seen(),
        [
            "a: Failed(1) from [\"timed out after 1 s\"]",
            "b: Failed(2) from [\"timed out after 2 s\"]",
            "tenant_id: acme"
        ]
    );
}

#[test]
fn values_beside_an_error_keep_their_types() {
    let recorder = Recorder::default();
    let error = failed(7);
    with_default(tracing_subscriber::registry().with(recorder.clone()).with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", || {
            info!(text = "t", error = &error as &(dyn Error + 'static), number = 1, debug = ?Some(2), "failed");
        });
    });
    assert_eq!(
        recorder.event("failed").values,
        [
            ("message", Value::Debug("failed".into())),
            ("text", "t".into()),
            ("error", Value::Error("order 7 failed".into())),
            ("number", Value::I64(1)),
            ("debug", Value::Debug("Some(2)".into())),
            ("tenant_id", "acme".into()),
        ]
    );
}

#[test]
fn opentelemetry_exports_an_error_as_an_exception_through_the_layer() {
    let (with, without) = (Exported::new(), Exported::new());
    let layer = |otel: &Exported| tracing_opentelemetry::layer().with_tracer(otel.tracer()).with_location(false);
    let error = failed(7);
    let run = || {
        let _span = info_span!("request").entered();
        info!(error = &error as &(dyn Error + 'static), "failed");
    };
    with_default(tracing_subscriber::registry().with(layer(&without)), run);
    with_default(tracing_subscriber::registry().with(layer(&with)).with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", run);
    });
    let (with, without) = (with.span("request"), without.span("request"));
    let event = &with.events.events[0];
    assert_eq!(attribute(&event.attributes, "exception.message"), Some("order 7 failed".into()));
    let chain = format!("{:?}", attribute(&event.attributes, "exception.stacktrace"));
    assert!(chain.contains("timed out after 7 s"), "{:?}", event.attributes);
    assert_eq!(attribute(&event.attributes, "tenant_id"), Some("acme".into()));
    let mut attributes = event.attributes.clone();
    attributes.retain(|attribute| attribute.key.as_str() != "tenant_id");
    assert_eq!(attributes, without.events.events[0].attributes);
}
