//! A layer around one output together with the layer over the whole stack.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use ctx_layer::{ContextLayer, Fields, Schema, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::{ATTEMPT, Captured, Exported, Recorder, Value, attribute, count, schema};
use tracing::{
    Event, Id, Metadata, Subscriber, info, info_span,
    level_filters::LevelFilter,
    span::{Attributes, Record},
    subscriber::with_default,
};
use tracing_subscriber::{Layer, fmt, layer, prelude::*};

fn handle_a_request() {
    Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "u-1").with(&ATTEMPT, 2).in_scope(|| {
        let _span = info_span!("request", path = "/orders").entered();
        info!(lines = 3, "received");
        info!(parent: None, "root");
    });
}

#[test]
fn both_layers_together_add_each_field_once() {
    let recorder = Recorder::default();
    // Twice around, with overlapping schemas in different orders, and over the whole stack.
    let reversed = Schema::builder().field(&ATTEMPT).field(&USER_ID).field(&TENANT_ID).build().unwrap();
    let around = ContextLayer::new(ContextLayer::new(recorder.clone(), Schema::well_known()), reversed);
    with_default(tracing_subscriber::registry().with(around).with_context_fields(schema()), handle_a_request);
    let items = recorder.items();
    assert_eq!(items.len(), 3);
    for item in items {
        assert_eq!(item.text("tenant_id"), Some("acme"));
        assert_eq!(item.text("user_id"), Some("u-1"));
        assert_eq!(item.get("attempt"), Some(&Value::I64(2)));
        // Nor may a name be twice in the metadata.
        let mut names: Vec<_> = item.metadata.unwrap().fields().iter().map(|field| field.name()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
    }
}

#[test]
fn both_layers_together_write_each_field_once() {
    let (text, json, otel) = (Captured::default(), Captured::default(), Exported::new());
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(
            fields_once_per_line(fmt::layer().with_ansi(false).with_writer(text.clone())),
            schema(),
        ))
        .with(ContextLayer::new(fmt::layer().json().with_writer(json.clone()), schema()))
        .with(ContextLayer::new(tracing_opentelemetry::layer().with_tracer(otel.tracer()), schema()))
        .with_context_fields(schema());
    with_default(subscriber, handle_a_request);
    for line in json.lines() {
        let event = line.split("\"target\"").next().unwrap();
        assert_eq!(event.matches("\"tenant_id\"").count(), 1, "{line}");
    }
    assert_eq!(json.lines()[0].matches("\"tenant_id\"").count(), 3, "event, span, spans: {}", json.lines()[0]);
    for line in text.lines() {
        assert_eq!(ctx_tests::count(&line, "tenant_id"), 1, "{line}");
    }
    let span = otel.span("request");
    assert_eq!(attribute(&span.attributes, "tenant_id"), Some("acme".into()));
    assert_eq!(attribute(&span.events.events[0].attributes, "tenant_id"), Some("acme".into()));
}

#[test]
fn an_output_adds_the_fields_that_the_stacks_schema_lacks() {
    // Some schema of the process has the user: otherwise that is said here, by an event without fields.
    let _user = ContextLayer::new(Recorder::default(), schema());
    let (more, less) = (Recorder::default(), Recorder::default());
    let extra = Schema::builder().field(&ATTEMPT).field(&TENANT_ID).build().unwrap();
    let stack = Schema::builder().field(&TENANT_ID).build().unwrap();
    // The field is in some schema, so no warning is among the records.
    ctx_layer::propagation::register(&schema());
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(more.clone(), extra))
        .with(less.clone())
        .with_context_fields(stack);
    with_default(subscriber, handle_a_request);
    for (more, less) in more.items().iter().zip(less.items()) {
        assert_eq!((more.get("attempt"), more.text("tenant_id")), (Some(&Value::I64(2)), Some("acme")));
        assert_eq!((less.get("attempt"), less.text("tenant_id")), (None, Some("acme")));
    }
}

#[test]
fn two_nested_context_layers_add_the_union_of_their_fields() {
    let recorder = Recorder::default();
    let inner = Schema::builder().field(&TENANT_ID).field(&USER_ID).build().unwrap();
    let outer = Schema::builder().field(&USER_ID).field(&ATTEMPT).build().unwrap();
    let subscriber =
        tracing_subscriber::registry().with(recorder.clone()).with_context_fields(inner).with_context_fields(outer);
    with_default(subscriber, || {
        handle_a_request();
        let span = TENANT_ID.in_scope("globex", || info_span!("remembered"));
        span.in_scope(|| info!("entered"));
        assert_eq!(TENANT_ID.get(), None);
    });
    for name in ["received", "root"] {
        let event = recorder.event(name);
        assert_eq!((event.text("tenant_id"), event.text("user_id")), (Some("acme"), Some("u-1")));
        assert_eq!(event.get("attempt"), Some(&Value::I64(2)));
    }
    assert_eq!(recorder.event("entered").text("tenant_id"), Some("globex"));
}

#[test]
fn the_layer_wraps_a_subscriber_from_fmts_builder() {
    let out = Captured::default();
    let subscriber = fmt().json().with_writer(out.clone()).with_max_level(tracing::Level::INFO).finish();
    with_default(subscriber.with_context_fields(schema()), handle_a_request);
    assert_eq!(out.json()[0]["fields"]["tenant_id"], "acme");
    assert_eq!(out.json()[0]["span"]["tenant_id"], "acme");
}

#[test]
fn what_a_parent_elsewhere_remembers_is_for_its_event_alone() {
    let recorder = Recorder::default();
    let output = ContextLayer::new(recorder.clone(), schema());
    with_default(tracing_subscriber::registry().with(output).with_context_fields(schema()), || {
        let elsewhere = TENANT_ID.in_scope("globex", || info_span!("elsewhere"));
        TENANT_ID.in_scope("acme", || {
            info!(parent: &elsewhere, "there");
            info!(parent: None, "a root");
        });
        info!(parent: None, "a root of nothing");
        info!(parent: &elsewhere, "there again");
    });
    // Nothing over this stack says what a parent remembers.
    let output = ContextLayer::new(recorder.clone(), schema());
    with_default(tracing_subscriber::registry().with(output), || {
        TENANT_ID.in_scope("acme", || info!(parent: &info_span!("here"), "in another stack"));
    });
    let tenants = ["there", "a root", "a root of nothing", "there again", "in another stack"]
        .map(|event| recorder.event(event).text("tenant_id").map(str::to_owned));
    assert_eq!(
        tenants.each_ref().map(Option::as_deref),
        [Some("globex"), Some("acme"), None, Some("globex"), Some("acme")]
    );
}

/// Counts the calls besides those for spans and events.
#[derive(Clone, Default)]
struct Notified(Arc<[AtomicUsize; 2]>);

impl<S: Subscriber> Layer<S> for Notified {
    fn on_close(&self, _: Id, _: layer::Context<'_, S>) {
        self.0[0].fetch_add(1, Ordering::Relaxed);
    }

    fn on_id_change(&self, _: &Id, _: &Id, _: layer::Context<'_, S>) {
        self.0[1].fetch_add(1, Ordering::Relaxed);
    }
}

/// Gives each clone of a span an id of its own.
struct Renames(tracing_subscriber::Registry);

impl Subscriber for Renames {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.0.new_span(attributes)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}

    fn clone_span(&self, id: &Id) -> Id {
        Id::from_u64(id.into_u64() + 1)
    }
}

#[test]
fn an_output_is_notified_of_closed_spans_and_changed_ids() {
    let notified = Notified::default();
    let output = ContextLayer::new(notified.clone(), schema());
    with_default(tracing_subscriber::registry().with(output), || drop(info_span!("closed")));
    let output = ContextLayer::new(notified.clone(), schema());
    with_default(Renames(Default::default()).with(output), || drop(info_span!("cloned").clone()));
    assert_eq!(notified.0.each_ref().map(|times| times.load(Ordering::Relaxed)), [1, 1]);
}

impl Notified {
    fn under(level: LevelFilter) -> impl Subscriber {
        let output = ContextLayer::new(Notified::default().with_filter(level), schema());
        tracing_subscriber::registry().with(output)
    }
}

#[test]
fn what_an_output_wants_at_most_is_known_through_its_fields() {
    for level in [LevelFilter::WARN, LevelFilter::DEBUG] {
        assert_eq!(Notified::under(level).max_level_hint(), Some(level));
    }
}

#[test]
fn what_a_span_declares_and_the_context_filled_ends_with_the_context() {
    let lines = Captured::default();
    let text = fmt::layer().without_time().with_target(false).with_ansi(false).with_writer(lines.clone());
    with_default(tracing_subscriber::registry().with(fields_once_per_line(text)).with_context_fields(schema()), || {
        let declares =
            TENANT_ID.in_scope("acme", || info_span!("declares", tenant_id = tracing::field::Empty, user_id = "ada"));
        declares.in_scope(|| {
            info!("inside");
            let _none = TENANT_ID.unset();
            info!("without");
        });
    });
    let written = lines.lines().iter().map(|line| count(line, "tenant_id")).collect::<Vec<_>>();
    assert_eq!(written, [1, 0], "{}", lines.text());
}

#[test]
fn an_output_shows_no_fields_on_spans_that_serve_many_requests() {
    let (alone, inside) = (Recorder::default(), Recorder::default());
    let connect = || {
        TENANT_ID.in_scope("acme", || {
            drop(info_span!(target: "h2::client", "connection"));
            drop(info_span!(target: "my_pool", "pool"));
            info!(target: "h2::client", "connected");
        });
    };
    with_default(tracing_subscriber::registry().with(ContextLayer::new(alone.clone(), Schema::well_known())), connect);
    let stack = tracing_subscriber::registry().with(ContextLayer::new(inside.clone(), Schema::well_known()));
    with_default(stack.with_context_fields(Schema::well_known()).shared_targets(["my_pool"]), connect);
    for (recorder, pool) in [(alone, Some("acme")), (inside, None)] {
        assert_eq!(recorder.span("connection").text("tenant_id"), None);
        assert_eq!(recorder.span("pool").text("tenant_id"), pool);
        assert_eq!(recorder.event("connected").text("tenant_id"), Some("acme"));
    }
}
