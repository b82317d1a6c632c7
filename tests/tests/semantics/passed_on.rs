//! Calls that the subscriber passes on, and its answers for the stack below it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use ctx_layer::{ContextLayer, Schema, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::{Captured, Recorder};
use tracing::{
    Dispatch, Level, Subscriber, debug, dispatcher, info, info_span, level_filters::LevelFilter, span::Id,
    span_enabled, subscriber::with_default, warn_span,
};
use tracing_subscriber::{
    Layer, fmt,
    layer::{Context, SubscriberExt},
    registry,
};

#[test]
fn events_of_opentelemetry_about_its_context_are_passed_on_unchanged() {
    let [subscribers, layers] = [(); 2].map(|()| Recorder::default());
    let layer = ContextLayer::new(layers.clone(), Schema::well_known());
    let stacks = [
        (Dispatch::new(registry().with(subscribers.clone()).with_context_fields(Schema::well_known())), subscribers),
        (Dispatch::new(registry().with(layer)), layers),
    ];
    for (stack, recorder) in stacks {
        dispatcher::with_default(&stack, || {
            let _tenant = TENANT_ID.attach("acme");
            debug!(name: "Context.AttachFailed", target: "opentelemetry", "about the context");
            debug!(name: "Context.AttachFailed", target: "other", "another target");
            debug!(name: "Exporter.Failed", target: "opentelemetry", "another name");
        });
        let tenant_of = |message| recorder.event(message).text("tenant_id").map(str::to_owned);
        assert_eq!(tenant_of("about the context"), None);
        assert_eq!(tenant_of("another target").as_deref(), Some("acme"));
        assert_eq!(tenant_of("another name").as_deref(), Some("acme"));
    }
}

#[test]
fn an_event_about_the_context_shows_no_declared_value_of_its_span() {
    let lines = Captured::default();
    let text = fmt::layer().without_time().with_ansi(false).with_writer(lines.clone());
    let stack = registry().with(fields_once_per_line(text)).with_context_fields(Schema::well_known());
    with_default(stack, || {
        let _span = info_span!("request", tenant_id = "acme").entered();
        debug!(name: "Context.AttachFailed", target: "opentelemetry", "about the context");
        info!("another");
    });
    let lines = lines.lines();
    assert!(!lines[0].contains("acme"), "{lines:?}");
    assert!(lines[1].contains("tenant_id=\"acme\""), "{lines:?}");
}

#[test]
fn the_level_of_the_stack_is_that_up_to_which_spans_are_kept() {
    let stack = || registry().with(LevelFilter::WARN).with_context_fields(Schema::well_known());
    assert_eq!(stack().max_level_hint(), Some(LevelFilter::INFO));
    assert_eq!(stack().keep_spans(LevelFilter::OFF).max_level_hint(), Some(LevelFilter::WARN));
}

#[test]
fn a_disabled_span_that_is_only_asked_for_is_disabled() {
    with_default(registry().with(LevelFilter::WARN).with_context_fields(Schema::well_known()), || {
        assert!(span_enabled!(Level::WARN));
        assert!(!span_enabled!(Level::INFO));
        assert!(!span_enabled!(Level::DEBUG));
    });
}

#[derive(Clone, Default)]
struct Counts {
    follows: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    in_span: Arc<AtomicUsize>,
}

impl<S: Subscriber + for<'a> registry::LookupSpan<'a>> Layer<S> for Counts {
    fn on_follows_from(&self, _: &Id, _: &Id, _: Context<'_, S>) {
        self.follows.fetch_add(1, Relaxed);
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        self.closed.fetch_add(1, Relaxed);
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        self.in_span.fetch_add(usize::from(context.event_span(event).is_some()), Relaxed);
    }
}

#[test]
fn a_link_between_enabled_spans_is_passed_on_while_a_disabled_one_is_open() {
    let counts = Counts::default();
    let stack = registry().with(counts.clone()).with(LevelFilter::WARN);
    with_default(stack.with_context_fields(Schema::well_known()), || {
        let (first, second, disabled) = (warn_span!("first"), warn_span!("second"), info_span!("disabled"));
        second.follows_from(&first);
        assert_eq!(counts.follows.load(Relaxed), 1);
        disabled.follows_from(&first);
        assert_eq!(counts.follows.load(Relaxed), 1, "no layer knows the disabled span");
    });
}

#[test]
#[allow(deprecated, reason = "a subscriber gets this call from older crates")]
fn dropping_a_span_in_the_old_way_closes_it() {
    let counts = Counts::default();
    let dispatch = Dispatch::new(registry().with(counts.clone()).with_context_fields(Schema::well_known()));
    let id = dispatcher::with_default(&dispatch, || info_span!("span").id().map(|id| dispatch.clone_span(&id)));
    assert_eq!(counts.closed.load(Relaxed), 0);
    dispatch.drop_span(id.expect("the span is enabled"));
    assert_eq!(counts.closed.load(Relaxed), 1);
}

#[test]
fn a_layer_over_the_subscriber_finds_the_span_of_an_event() {
    let counts = Counts::default();
    let stack = registry().with_context_fields(Schema::well_known()).with(counts.clone());
    with_default(stack, || info_span!("span").in_scope(|| info!("in the span")));
    assert_eq!(counts.in_span.load(Relaxed), 1);
}
