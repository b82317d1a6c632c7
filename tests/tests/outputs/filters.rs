//! Filters see the fields: `EnvFilter`, per-layer filters, `reload`.

use ctx_layer::{ContextLayer, Schema, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::{Captured, schema};
use tracing::{Metadata, Subscriber, debug, info, info_span, subscriber::with_default, trace, warn};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterFn, LevelFilter, filter_fn},
    fmt,
    layer::{Context, Filter},
    prelude::*,
    registry::LookupSpan,
    reload,
};

fn messages_to<S: Subscriber + for<'a> LookupSpan<'a>>(out: &Captured) -> impl Layer<S> + use<S> {
    fmt::layer().json().with_writer(out.clone())
}

fn messages(out: &Captured) -> Vec<String> {
    out.json().iter().map(|line| line["fields"]["message"].as_str().unwrap().to_owned()).collect()
}

fn log_at_every_level(name: &str) {
    info!("{name} info");
    debug!("{name} debug");
    trace!("{name} trace");
}

fn two_tenants_and_none() {
    for tenant in ["acme", "globex"] {
        TENANT_ID.in_scope(tenant, || info_span!("request").in_scope(|| log_at_every_level(tenant)));
    }
    info_span!("request").in_scope(|| log_at_every_level("nobody"));
}

const TRACE_FOR_ACME_ALONE: [&str; 5] = ["acme info", "acme debug", "acme trace", "globex info", "nobody info"];

#[test]
fn an_env_filter_gives_trace_to_one_tenant_only() {
    let out = Captured::default();
    let subscriber = tracing_subscriber::registry()
        .with(messages_to(&out))
        .with(EnvFilter::new("info,[{tenant_id=acme}]=trace"))
        .with_context_fields(schema());
    with_default(subscriber, two_tenants_and_none);
    assert_eq!(messages(&out), TRACE_FOR_ACME_ALONE);
}

#[test]
fn an_env_filter_of_one_output_gives_trace_to_one_tenant_only() {
    let (out, other) = (Captured::default(), Captured::default());
    let subscriber = tracing_subscriber::registry()
        .with(messages_to(&out).with_filter(EnvFilter::new("info,[{tenant_id=acme}]=trace")))
        .with(messages_to(&other).with_filter(LevelFilter::INFO))
        .with_context_fields(schema());
    with_default(subscriber, two_tenants_and_none);
    assert_eq!(messages(&out), TRACE_FOR_ACME_ALONE);
    assert_eq!(messages(&other), ["acme info", "globex info", "nobody info"]);
}

#[test]
fn an_env_filter_of_a_wrapped_output_gives_trace_to_one_tenant_only() {
    let out = Captured::default();
    let filtered = messages_to(&out).with_filter(EnvFilter::new("info,[{tenant_id=acme}]=trace"));
    with_default(tracing_subscriber::registry().with(ContextLayer::new(filtered, schema())), two_tenants_and_none);
    assert_eq!(messages(&out), TRACE_FOR_ACME_ALONE);
}

#[test]
fn an_env_filter_sees_the_field_through_once_per_line() {
    let out = Captured::default();
    let subscriber = tracing_subscriber::registry()
        .with(fields_once_per_line(messages_to(&out)).with_filter(EnvFilter::new("info,[{tenant_id=acme}]=trace")))
        .with_context_fields(schema());
    with_default(subscriber, two_tenants_and_none);
    assert_eq!(messages(&out), TRACE_FOR_ACME_ALONE);
}

/// `EnvFilter` looks at a span's level when the span is entered: a recorded value counts from the next time on.
#[test]
fn an_env_filter_sees_a_recorded_tenant_like_a_declared_one() {
    let declared = || {
        let request = info_span!("request", tenant_id = tracing::field::Empty);
        (request.clone(), move |tenant| {
            request.record("tenant_id", tenant);
        })
    };
    let expected = [
        "nobody info",
        "acme info",
        "acme info",
        "acme debug",
        "acme trace",
        "nobody info",
        "globex info",
        "globex info",
    ];
    let filter = || EnvFilter::new("info,[{tenant_id=acme}]=trace");
    let run = |span: tracing::Span, record: &dyn Fn(&'static str), tenant| {
        span.in_scope(|| {
            log_at_every_level("nobody");
            record(tenant);
            log_at_every_level(tenant);
        });
        span.in_scope(|| log_at_every_level(tenant));
    };

    let out = Captured::default();
    with_default(tracing_subscriber::registry().with(messages_to(&out)).with(filter()), || {
        for tenant in ["acme", "globex"] {
            let (span, record) = declared();
            run(span, &record, tenant);
        }
    });
    assert_eq!(messages(&out), expected, "without this crate");

    let out = Captured::default();
    let subscriber =
        tracing_subscriber::registry().with(messages_to(&out)).with(filter()).with_context_fields(schema());
    with_default(subscriber, || {
        for tenant in ["acme", "globex"] {
            run(info_span!("request"), &|tenant| assert!(TENANT_ID.record(tenant)), tenant);
        }
    });
    assert_eq!(messages(&out), expected);
}

#[test]
fn an_env_filter_that_names_the_field_without_a_value_sees_every_span() {
    let out = Captured::default();
    let subscriber = tracing_subscriber::registry()
        .with(messages_to(&out))
        .with(EnvFilter::new("warn,[request{tenant_id}]=debug"))
        .with_context_fields(schema());
    with_default(subscriber, two_tenants_and_none);
    // Every span has the name, with or without a value, so that a value can be recorded on it.
    let debug = |tenant| [format!("{tenant} info"), format!("{tenant} debug")];
    assert_eq!(messages(&out), [debug("acme"), debug("globex"), debug("nobody")].concat());
}

/// The filter to write instead.
#[test]
fn an_env_filter_by_any_value_sees_the_spans_that_have_the_field() {
    for directives in
        ["info,[{tenant_id=.*}]=trace", "info,[request{tenant_id=.*}]=trace", "info,[{tenant_id=.+}]=trace"]
    {
        let run = || {
            two_tenants_and_none();
            info_span!("request", tenant_id = "declared").in_scope(|| log_at_every_level("declared"));
            let recorded = info_span!("request");
            recorded.in_scope(|| {
                assert!(TENANT_ID.record("recorded"));
            });
            recorded.in_scope(|| log_at_every_level("recorded"));
        };
        let every = |name: &str| ["info", "debug", "trace"].map(|level| format!("{name} {level}")).to_vec();
        let expected =
            [every("acme"), every("globex"), vec!["nobody info".into()], every("declared"), every("recorded")].concat();
        let (out, filtered) = (Captured::default(), Captured::default());
        let over = tracing_subscriber::registry().with(messages_to(&out)).with(EnvFilter::new(directives));
        with_default(over.with_context_fields(schema()), run);
        assert_eq!(messages(&out), expected, "{directives}");
        let own = tracing_subscriber::registry().with(messages_to(&filtered).with_filter(EnvFilter::new(directives)));
        with_default(own.with_context_fields(schema()), run);
        assert_eq!(messages(&filtered), expected, "{directives}, of one output");
    }
}

#[test]
fn an_env_filter_by_name_alone_sees_events_that_declare_the_field() {
    let out = Captured::default();
    let subscriber = tracing_subscriber::registry()
        .with(messages_to(&out))
        .with(EnvFilter::new("info,[{tenant_id}]=trace"))
        .with_context_fields(schema());
    with_default(subscriber, || {
        TENANT_ID.in_scope("acme", || {
            trace!("a current one");
            trace!(tenant_id = "own", "its own");
        });
    });
    assert_eq!(messages(&out), ["its own"]);
}

#[test]
fn each_of_two_outputs_keeps_its_own_filter() {
    let (all, warnings) = (Captured::default(), Captured::default());
    let subscriber = tracing_subscriber::registry()
        .with(messages_to(&all).with_filter(LevelFilter::TRACE))
        .with(messages_to(&warnings).with_filter(LevelFilter::WARN))
        .with_context_fields(schema());
    with_default(subscriber, || {
        TENANT_ID.in_scope("acme", || {
            info!("a");
            warn!("b");
            trace!("c");
        });
    });
    assert_eq!(messages(&all), ["a", "b", "c"]);
    assert_eq!(messages(&warnings), ["b"]);
    assert!(all.json().iter().chain(&warnings.json()).all(|line| line["fields"]["tenant_id"] == "acme"));
}

/// A filter that passes what has the field `tenant_id`.
fn has_the_field() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    filter_fn(|metadata| metadata.fields().field("tenant_id").is_some())
}

/// Metadata is the same for all events of a call site, and so cannot tell which fields one event has.
#[test]
fn a_filter_by_metadata_sees_the_fields_of_the_call_site() {
    let run = || {
        TENANT_ID.in_scope("acme", || {
            info!("a current one");
            info!(tenant_id = "own", "its own");
        });
    };
    for place in ["inside the layer", "outside the layer", "in a stack"] {
        let out = Captured::default();
        let registry = tracing_subscriber::registry();
        let subscriber: tracing::Dispatch = match place {
            "inside the layer" => {
                registry.with(ContextLayer::new(messages_to(&out).with_filter(has_the_field()), schema())).into()
            }
            "outside the layer" => {
                registry.with(ContextLayer::new(messages_to(&out), schema()).with_filter(has_the_field())).into()
            }
            _ => registry.with(messages_to(&out).with_filter(has_the_field())).with_context_fields(schema()).into(),
        };
        tracing::dispatcher::with_default(&subscriber, run);
        assert_eq!(messages(&out), ["its own"], "{place}");
    }
}

#[test]
fn a_filter_inside_or_outside_the_layer_filters_for_that_output_only() {
    for inside in [true, false] {
        let (filtered, other) = (Captured::default(), Captured::default());
        let registry = tracing_subscriber::registry();
        let run = || {
            TENANT_ID.in_scope("acme", || {
                let _span = info_span!("request").entered();
                info!("a");
                warn!("b");
            });
        };
        if inside {
            let output = ContextLayer::new(messages_to(&filtered).with_filter(LevelFilter::WARN), Schema::well_known());
            with_default(registry.with(output).with(messages_to(&other)), run);
        } else {
            let output = ContextLayer::new(messages_to(&filtered), Schema::well_known()).with_filter(LevelFilter::WARN);
            with_default(registry.with(output).with(messages_to(&other)), run);
        }
        assert_eq!(messages(&filtered), ["b"], "inside: {inside}");
        assert_eq!(filtered.json()[0]["fields"]["tenant_id"], "acme", "inside: {inside}");
        assert_eq!(messages(&other), ["a", "b"], "inside: {inside}");
        assert_eq!(filtered.json()[0].get("span"), None, "a filter hides the span too; inside: {inside}");
        assert_eq!(other.json()[0]["span"]["name"], "request", "inside: {inside}");
    }
}

/// A filter that decides by an event's values, not by its metadata.
struct TenantIs(&'static str);

impl<S> Filter<S> for TenantIs {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &tracing::Event<'_>, _: &Context<'_, S>) -> bool {
        struct Find(&'static str, bool);
        impl tracing::field::Visit for Find {
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                self.1 |= field.name() == "tenant_id" && value == self.0;
            }
            fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
        }
        let mut find = Find(self.0, false);
        event.record(&mut find);
        find.1
    }
}

#[test]
fn a_filter_by_an_events_values_sees_the_field() {
    for around in [true, false] {
        let (out, other) = (Captured::default(), Captured::default());
        let registry = tracing_subscriber::registry();
        let filtered = messages_to(&out).with_filter(TenantIs("acme"));
        let run = || {
            for tenant in ["acme", "globex"] {
                TENANT_ID.in_scope(tenant, || info!("{tenant}"));
            }
        };
        if around {
            let output = ContextLayer::new(filtered, schema());
            with_default(registry.with(output).with(messages_to(&other)), run);
        } else {
            with_default(registry.with(filtered).with(messages_to(&other)).with_context_fields(schema()), run);
        }
        assert_eq!(messages(&out), ["acme"], "around: {around}");
        assert_eq!(messages(&other), ["acme", "globex"], "around: {around}");
    }
}

#[test]
fn a_filter_can_be_reloaded_under_the_layer() {
    let out = Captured::default();
    let (filter, handle) = reload::Layer::new(EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::registry().with(filter).with(messages_to(&out)).with_context_fields(schema());
    with_default(subscriber, || {
        two_tenants_and_none();
        assert!(out.text().is_empty());
        handle.reload(EnvFilter::new("info,[{tenant_id=acme}]=trace")).unwrap();
        two_tenants_and_none();
    });
    assert_eq!(messages(&out), TRACE_FOR_ACME_ALONE);
}

#[test]
fn a_per_layer_filter_can_be_reloaded_under_the_layer() {
    let out = Captured::default();
    let (filter, handle) = reload::Layer::new(EnvFilter::new("warn"));
    let subscriber =
        tracing_subscriber::registry().with(messages_to(&out).with_filter(filter)).with_context_fields(schema());
    with_default(subscriber, || {
        two_tenants_and_none();
        assert!(out.text().is_empty());
        handle.reload(EnvFilter::new("info,[{tenant_id=acme}]=trace")).unwrap();
        two_tenants_and_none();
    });
    assert_eq!(messages(&out), TRACE_FOR_ACME_ALONE);
}

#[test]
fn an_output_can_be_reloaded_under_the_layer() {
    let (first, second) = (Captured::default(), Captured::default());
    let layer = |out: &Captured| fmt::layer().json().with_writer(out.clone());
    let (output, handle) = reload::Layer::new(layer(&first));
    with_default(tracing_subscriber::registry().with(output).with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", || {
            info!("before");
            handle.reload(layer(&second)).unwrap();
            info!("after");
        });
    });
    assert_eq!(messages(&first), ["before"]);
    assert_eq!(messages(&second), ["after"]);
    assert_eq!(second.json()[0]["fields"]["tenant_id"], "acme");
}

#[test]
fn an_output_can_be_reloaded_on_either_side_of_the_layer() {
    let layer = |out: &Captured| fmt::layer().json().with_writer(out.clone());
    let tenant = |out: &Captured| out.json()[0]["fields"]["tenant_id"].clone();

    let (first, second) = (Captured::default(), Captured::default());
    let (output, handle) = reload::Layer::new(layer(&first));
    with_default(tracing_subscriber::registry().with(ContextLayer::new(output, schema())), || {
        TENANT_ID.in_scope("acme", || {
            info!("before");
            handle.reload(layer(&second)).unwrap();
            info!("after");
        });
    });
    assert_eq!((tenant(&first), tenant(&second)), ("acme".into(), "acme".into()));

    let (first, second) = (Captured::default(), Captured::default());
    let (output, handle) = reload::Layer::new(ContextLayer::new(layer(&first), schema()));
    with_default(tracing_subscriber::registry().with(output), || {
        TENANT_ID.in_scope("acme", || {
            info!("before");
            handle.reload(ContextLayer::new(layer(&second), schema())).unwrap();
            info!("after");
        });
    });
    assert_eq!((tenant(&first), tenant(&second)), ("acme".into(), "acme".into()));
}

#[test]
fn boxed_optional_and_listed_outputs_work_as_without_the_layer() {
    let (boxed, listed) = (Captured::default(), Captured::default());
    let absent: Option<fmt::Layer<_>> = None;
    let list = vec![messages_to(&listed).with_filter(LevelFilter::WARN).boxed(), messages_to(&boxed).boxed()];
    with_default(tracing_subscriber::registry().with(absent).with(list).with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", || {
            info!("a");
            warn!("b");
        });
    });
    assert_eq!(messages(&boxed), ["a", "b"]);
    assert!(boxed.json().iter().chain(&listed.json()).all(|line| line["fields"]["tenant_id"] == "acme"));
    assert_eq!(messages(&listed), ["b"]);
}

#[test]
fn enabled_returns_what_it_returns_without_the_layer() {
    use tracing::{Level, enabled, event_enabled, span_enabled};
    let filter = EnvFilter::new("info,enabled_here=trace");
    with_default(tracing_subscriber::registry().with(filter).with_context_fields(schema()), || {
        TENANT_ID.in_scope("acme", || {
            assert!(enabled!(Level::INFO));
            assert!(!enabled!(Level::DEBUG));
            assert!(enabled!(target: "enabled_here", Level::TRACE));
            assert!(event_enabled!(Level::INFO));
            assert!(!event_enabled!(Level::TRACE));
            assert!(span_enabled!(Level::INFO));
            assert!(!span_enabled!(Level::DEBUG));
        });
    });
}
