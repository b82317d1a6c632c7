//! The log level must not decide whose tenant it is.

use ctx_layer::{InContextExt, Schema, SubscriberFieldsExt, field::well_known::*};
use ctx_tests::{Captured, Exported, attribute};
use opentelemetry::{Context, trace::TraceContextExt};
use tracing::{Dispatch, Instrument, Subscriber, debug_span, dispatcher, error, info_span, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, prelude::*, registry::LookupSpan, reload};

fn text<S: Subscriber + for<'a> LookupSpan<'a>>(lines: &Captured) -> impl Layer<S> {
    ctx_layer::fields_once_per_line(fmt::layer().without_time().with_ansi(false).with_writer(lines.clone()))
}

fn stacks(lines: &Captured) -> [(&'static str, Dispatch); 6] {
    let known = Schema::well_known;
    let off: Option<EnvFilter> = None;
    [
        (
            "none",
            Dispatch::new(tracing_subscriber::registry().with(off).with(text(lines)).with_context_fields(known())),
        ),
        (
            "global",
            Dispatch::new(
                tracing_subscriber::registry().with(LevelFilter::ERROR).with(text(lines)).with_context_fields(known()),
            ),
        ),
        (
            "directives",
            Dispatch::new(
                tracing_subscriber::registry()
                    .with(EnvFilter::new("error,nowhere[request{tenant_id=acme}]=debug"))
                    .with(text(lines))
                    .with_context_fields(known()),
            ),
        ),
        (
            "per layer",
            Dispatch::new(
                tracing_subscriber::registry()
                    .with(text(lines).with_filter(LevelFilter::ERROR))
                    .with_context_fields(known()),
            ),
        ),
        (
            "reload",
            Dispatch::new(
                tracing_subscriber::registry()
                    .with(reload::Layer::new(LevelFilter::ERROR).0)
                    .with(text(lines))
                    .with_context_fields(known()),
            ),
        ),
        (
            "two filters",
            Dispatch::new(
                tracing_subscriber::registry()
                    .with(text(lines).with_filter(LevelFilter::ERROR))
                    .with(text(&Captured::default()).with_filter(LevelFilter::OFF))
                    .with_context_fields(known()),
            ),
        ),
    ]
}

async fn request() {
    let request = info_span!("request");
    async {
        assert!(TENANT_ID.record("acme"));
        async { assert!(USER_ID.record("ada")) }.instrument(info_span!("inner")).await;
        let background = async { error!("in the background") };
        tokio::spawn(background.instrument(info_span!("background")).in_current_context()).await.unwrap();
        error!("in the request");
    }
    .instrument(request)
    .await;
    error!("outside");
}

#[test]
fn the_lines_of_a_request_have_its_tenant_under_every_filter() {
    for number in 0..6 {
        let lines = Captured::default();
        let [name, dispatch] = {
            let (name, dispatch) = stacks(&lines).into_iter().nth(number).unwrap();
            [Ok(name), Err(dispatch)]
        };
        let (name, dispatch) = (name.unwrap(), dispatch.unwrap_err());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        dispatcher::with_default(&dispatch, || runtime.block_on(request()));
        let lines = lines.lines();
        let has = |message: &str| {
            let line = lines.iter().find(|line| line.contains(message)).unwrap_or_else(|| panic!("{name}: {lines:?}"));
            line.contains("tenant_id=\"acme\"")
        };
        assert!(has("in the background") && has("in the request") && !has("outside"), "{name}: {lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("ada")), "{name}: `inner` is over: {lines:?}");
    }
}

#[test]
fn a_filter_that_is_reloaded_in_a_request_changes_no_tenant() {
    let lines = Captured::default();
    let (filter, handle) = reload::Layer::new(LevelFilter::INFO);
    let stack =
        tracing_subscriber::registry().with(filter).with(text(&lines)).with_context_fields(Schema::well_known());
    dispatcher::with_default(&Dispatch::new(stack), || {
        let spans = [LevelFilter::ERROR, LevelFilter::INFO, LevelFilter::OFF].map(|level| {
            let span = info_span!("request");
            let _entered = span.enter();
            assert!(TENANT_ID.record(format!("before-{level}")));
            handle.reload(level).unwrap();
            error!("at {level}");
            assert!(TENANT_ID.record(format!("after-{level}")));
            assert_eq!(TENANT_ID.get().unwrap(), format!("after-{level}"));
            drop(_entered);
            span
        });
        for (span, level) in spans.iter().zip(["error", "info", "off"]) {
            span.in_scope(|| assert_eq!(TENANT_ID.get().unwrap(), format!("after-{level}")));
        }
        assert_eq!(TENANT_ID.get(), None);
    });
    let lines = lines.lines();
    assert!(lines.iter().any(|line| line.contains("tenant_id=\"before-error\"")), "{lines:?}");
}

#[test]
fn opentelemetrys_calls_on_a_span_that_is_off_do_not_panic() {
    let exported = Exported::new();
    let stack = tracing_subscriber::registry()
        .with(LevelFilter::WARN)
        .with(tracing_opentelemetry::layer().with_tracer(exported.tracer()))
        .with_context_fields(Schema::well_known());
    dispatcher::with_default(&Dispatch::new(stack), || {
        let on = tracing::warn_span!("on").entered();
        let off = info_span!("off");
        let deeper = debug_span!("deeper");
        for span in [&off, &deeper] {
            let _ = span.set_parent(Context::new());
            let _ = span.context();
            span.add_link(Context::current().span().span_context().clone());
            span.set_attribute("key", "value");
            span.set_status(opentelemetry::trace::Status::Ok);
            span.follows_from(&*on);
            span.record("nothing", 1);
            on.follows_from(span);
        }
        let _off = off.enter();
        assert!(TENANT_ID.record("acme"));
        let child = tracing::warn_span!(parent: &off, "child");
        let contextual = tracing::warn_span!("contextual");
        drop((child, contextual));
    });
    let on = exported.span("on").span_context.span_id();
    for name in ["child", "contextual"] {
        let span = exported.span(name);
        assert_eq!(span.parent_span_id, on, "{name}");
        assert_eq!(attribute(&span.attributes, "tenant_id"), Some("acme".into()), "{name}");
    }
}

#[test]
fn spans_that_are_off_are_closed_and_leave_no_fields_behind() {
    let stack = tracing_subscriber::registry().with(LevelFilter::WARN).with_context_fields(Schema::well_known());
    dispatcher::with_default(&Dispatch::new(stack), || {
        for number in 0..20_000 {
            let span = info_span!("job");
            let clone = span.clone();
            drop(span);
            clone.in_scope(|| {
                assert_eq!(TENANT_ID.get(), None, "{number}");
                assert!(TENANT_ID.record("acme"));
            });
        }
    });
}
