//! The log level decides what is shown, and not whose request it is: spans that a filter switches off carry fields.

use ctx_layer::{
    FutureFieldsExt, Schema, SubscriberFieldsExt, field::well_known::*, fields_once_per_line, task::InContextExt,
};
use ctx_tests::{Captured, Exported, Recorder};
use opentelemetry::trace::TraceContextExt;
use tracing::{
    Dispatch, Instrument, debug_span, dispatcher::with_default, error, error_span, info, info_span,
    level_filters::LevelFilter, span_enabled,
};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, filter::dynamic_filter_fn, fmt, prelude::*, reload};

/// Returns what an output at `warn` writes, under each kind of filter.
fn stacks() -> Vec<(&'static str, Dispatch, Captured)> {
    // Each has another type: that of the stack below.
    macro_rules! output {
        () => {{
            let lines = Captured::default();
            let text = fmt::layer().without_time().with_target(false).with_ansi(false).with_writer(lines.clone());
            (fields_once_per_line(text), lines)
        }};
    }
    macro_rules! opentelemetry {
        () => {
            tracing_opentelemetry::layer().with_tracer(Exported::new().tracer())
        };
    }
    let mut stacks = Vec::new();
    let (text, lines) = output!();
    let stack = tracing_subscriber::registry().with(LevelFilter::WARN).with(text);
    stacks.push(("a level", Dispatch::new(stack.with_context_fields(Schema::well_known())), lines));
    let (text, lines) = output!();
    let stack = tracing_subscriber::registry().with(opentelemetry!()).with(EnvFilter::new("warn")).with(text);
    let stack = SubscriberFieldsExt::with_context_fields(stack, Schema::well_known());
    stacks.push(("an EnvFilter, and OpenTelemetry", Dispatch::new(stack), lines));
    let (text, lines) = output!();
    let stack = tracing_subscriber::registry().with(text.with_filter(EnvFilter::new("warn")));
    stacks.push(("a filter of a layer", Dispatch::new(stack.with_context_fields(Schema::well_known())), lines));
    let (text, lines) = output!();
    let filter = || LevelFilter::WARN;
    let stack =
        tracing_subscriber::registry().with(opentelemetry!().with_filter(filter())).with(text.with_filter(filter()));
    let stack = SubscriberFieldsExt::with_context_fields(stack, Schema::well_known());
    stacks.push(("filters of layers, and OpenTelemetry", Dispatch::new(stack), lines));
    let (text, lines) = output!();
    let (filter, handle) = reload::Layer::new(LevelFilter::INFO);
    let stack = tracing_subscriber::registry().with(filter).with(text);
    let dispatch = Dispatch::new(stack.with_context_fields(Schema::well_known()));
    with_default(&dispatch, || info_span!("before").in_scope(|| handle.reload(LevelFilter::WARN).unwrap()));
    stacks.push(("reload", dispatch, lines));
    stacks
}

#[test]
fn a_value_recorded_on_a_disabled_span_is_on_the_lines_inside_it() {
    for (name, dispatch, lines) in stacks() {
        with_default(&dispatch, || {
            let _worker = error_span!("worker").entered();
            {
                let _request = info_span!("request").entered();
                assert!(TENANT_ID.record("acme"), "{name}");
                error!("of acme");
                info!("not shown");
                error_span!("query").in_scope(|| error!("of acme's query"));
            }
            info_span!("request").in_scope(|| error!("of no tenant"));
        });
        assert_eq!(
            lines.lines(),
            [
                "ERROR worker: of acme tenant_id=\"acme\"",
                "ERROR worker:query: of acme's query tenant_id=\"acme\"",
                "ERROR worker: of no tenant",
            ],
            "{name}"
        );
    }
}

#[test]
fn a_disabled_span_carries_fields_to_another_task() {
    for (name, dispatch, lines) in stacks() {
        with_default(&dispatch, || {
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
                let spawned = async {
                    tokio::spawn(async { error!("instrumented") }.instrument(info_span!("background"))).await.unwrap();
                    tokio::spawn(
                        async { error!("in the current span") }.instrument(info_span!("step")).in_current_span(),
                    )
                    .await
                    .unwrap();
                    tokio::spawn(async { error!("propagated") }.in_current_context()).await.unwrap();
                };
                let request = TENANT_ID.in_scope("acme", || info_span!("request"));
                spawned.instrument(request).with_field(&ROLE, "admin").await;
            });
        });
        let lines = lines.lines();
        assert_eq!(lines.len(), 3, "{name}: {lines:?}");
        assert!(lines.iter().all(|line| line.contains("tenant_id=\"acme\"")), "{name}: {lines:?}");
    }
}

#[test]
fn an_event_with_a_disabled_parent_has_that_parents_fields() {
    for (name, dispatch, lines) in stacks() {
        with_default(&dispatch, || {
            let _tenant = TENANT_ID.attach("acme");
            let worker = error_span!("worker");
            let request = info_span!(parent: &worker, "request");
            let step = info_span!(parent: &request, "step");
            drop(_tenant);
            let _other = TENANT_ID.attach("globex");
            error!(parent: &step, "an event");
            error_span!(parent: &step, "query").in_scope(|| error!("a span"));
            let apart = info_span!(parent: None, "apart");
            error!(parent: &apart, "of a root");
            request.follows_from(&worker);
            worker.follows_from(&request);
        });
        assert_eq!(
            lines.lines(),
            [
                "ERROR worker: an event tenant_id=\"acme\"",
                "ERROR worker:query: a span tenant_id=\"acme\"",
                "ERROR of a root tenant_id=\"globex\"",
            ],
            "{name}"
        );
    }
}

#[test]
fn opentelemetry_calls_work_on_a_disabled_span() {
    for (name, dispatch, _) in stacks() {
        with_default(&dispatch, || {
            let span = info_span!("request", id = 7);
            let _ = span.set_parent(opentelemetry::Context::new());
            span.set_attribute("a", 1);
            span.record("id", 8);
            span.in_scope(|| assert!(!span.context().span().span_context().is_valid(), "{name}"));
            // A filter of one layer says nothing about the other layers.
            assert!(name != "a level" || !span_enabled!(tracing::Level::INFO));
        });
    }
}

#[test]
fn spans_are_kept_up_to_the_configured_level() {
    let record = |stack| {
        with_default(&stack, || {
            let on = |span: tracing::Span| span.in_scope(|| TENANT_ID.record("acme"));
            (on(info_span!("info")), on(debug_span!("debug")))
        })
    };
    let stack = || tracing_subscriber::registry().with(LevelFilter::ERROR).with_context_fields(Schema::well_known());
    assert_eq!(record(Dispatch::new(stack())), (true, false));
    assert_eq!(record(Dispatch::new(stack().keep_spans(LevelFilter::DEBUG))), (true, true));
    assert_eq!(record(Dispatch::new(stack().keep_spans(LevelFilter::OFF))), (false, false));
}

#[test]
fn closed_disabled_spans_leave_nothing() {
    let stack = tracing_subscriber::registry().with(LevelFilter::WARN).with_context_fields(Schema::well_known());
    with_default(&Dispatch::new(stack), || {
        let mut ids = std::collections::HashSet::new();
        for _ in 0..10_000 {
            let (outer, inner) = (info_span!("outer"), info_span!("inner"));
            outer.in_scope(|| inner.in_scope(|| assert!(TENANT_ID.record("acme"))));
            // The registry's ids have the slot index in their lower bits.
            ids.extend([&outer, &inner].map(|span| span.id().unwrap().into_u64() & 0xFFFF));
        }
        assert!(ids.len() < 1000, "{} places", ids.len());
    });
}

#[test]
fn a_span_that_a_dynamic_filter_switches_off_is_on_no_output() {
    let recorder = Recorder::default();
    let filter = dynamic_filter_fn(|metadata, _| metadata.name() != "off");
    let stack =
        tracing_subscriber::registry().with(recorder.clone()).with(filter).with_context_fields(Schema::well_known());
    with_default(&Dispatch::new(stack), || {
        for name in ["acme", "globex"] {
            let off = TENANT_ID.in_scope(name, || info_span!("off"));
            off.in_scope(|| info_span!("on").in_scope(|| info!("{name}")));
        }
    });
    let seen: Vec<_> =
        recorder.items().iter().map(|item| (item.name.clone(), item.text("tenant_id").map(str::to_owned))).collect();
    let expected =
        ["acme", "globex"].map(|tenant| ["on", tenant].map(|name| (name.to_owned(), Some(tenant.to_owned()))));
    assert_eq!(seen, expected.concat());
}

#[test]
fn the_shared_targets_of_one_stack_are_not_those_of_another() {
    let span = || info_span!(target: "pool", "connection");
    let schema = || Schema::builder().field(&LOCALE).field(&TENANT_ID).build().unwrap();
    let on_the_span = |shared: &[&'static str]| {
        let recorder = Recorder::default();
        let stack = tracing_subscriber::registry().with(recorder.clone()).with_context_fields(schema());
        let stack = stack.shared_targets(shared.iter().copied());
        with_default(&Dispatch::new(stack), || TENANT_ID.in_scope("acme", || drop(span())));
        recorder.span("connection").text("tenant_id").map(str::to_owned)
    };
    for _ in 0..2 {
        assert_eq!(on_the_span(&[]).as_deref(), Some("acme"));
        assert_eq!(on_the_span(&["pool"]), None);
    }
}
