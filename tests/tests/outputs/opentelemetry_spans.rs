//! `tracing-opentelemetry`: the exported spans.

use ctx_layer::{ContextLayer, Fields, SubscriberFieldsExt, UniqueAttributes, field::well_known::*};
use ctx_tests::{ATTEMPT, BETA, Exported, PLAN, Plan, RATIO, SHARD, attribute, attributes, schema};
use opentelemetry::{
    Context, KeyValue, Value,
    baggage::BaggageExt,
    trace::{Link, SpanKind, TraceId, TraceState, TracerProvider},
};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample,
};
use tracing::{info, info_span, subscriber::with_default};
use tracing_subscriber::prelude::*;

fn typed() -> Fields {
    Fields::new()
        .with(&TENANT_ID, "acme")
        .with(&ATTEMPT, -3)
        .with(&SHARD, 7u64)
        .with(&RATIO, 0.25)
        .with(&BETA, true)
        .with(&PLAN, Plan(2))
}

fn typed_attributes(all: &[KeyValue]) {
    for (name, value) in [
        ("tenant_id", Value::from("acme")),
        ("attempt", Value::I64(-3)),
        ("shard", Value::I64(7)),
        ("ratio", Value::F64(0.25)),
        ("beta", Value::Bool(true)),
        ("plan", Value::from("plan-2")),
    ] {
        assert_eq!(attribute(all, name), Some(value), "{name}");
    }
}

#[test]
fn exported_spans_and_events_have_the_fields_as_typed_attributes() {
    let otel = Exported::new();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()))
        .with_context_fields(schema());
    with_default(subscriber, || {
        typed().in_scope(|| {
            let _span = info_span!("request", path = "/orders").entered();
            info!(lines = 3, "order received");
        });
    });
    let span = otel.span("request");
    typed_attributes(&span.attributes);
    assert_eq!(attribute(&span.attributes, "path"), Some("/orders".into()));
    let event = &span.events.events[0];
    assert_eq!(event.name, "order received");
    typed_attributes(&event.attributes);
    assert_eq!(attribute(&event.attributes, "lines"), Some(Value::I64(3)));
}

#[test]
fn around_the_opentelemetry_layer_spans_and_events_have_the_field() {
    let otel = Exported::new();
    let layer = ContextLayer::new(tracing_opentelemetry::layer().with_tracer(otel.tracer()), schema());
    with_default(tracing_subscriber::registry().with(layer), || {
        typed().in_scope(|| {
            let _span = info_span!("request").entered();
            info!("received");
        });
    });
    let span = otel.span("request");
    typed_attributes(&span.attributes);
    typed_attributes(&span.events.events[0].attributes);
}

#[derive(Clone, Debug)]
struct OnlyAcme;

impl ShouldSample for OnlyAcme {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        attributes: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let decision = match attribute(attributes, "tenant_id") {
            Some(tenant) if tenant.as_str() == "acme" => SamplingDecision::RecordAndSample,
            _ => SamplingDecision::Drop,
        };
        SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::default() }
    }
}

#[test]
fn a_sampler_sees_the_field_and_decides_by_it() {
    let otel = Exported::with_sampler(OnlyAcme);
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()))
        .with_context_fields(schema());
    with_default(subscriber, || {
        for tenant in ["acme", "globex", "acme"] {
            TENANT_ID.in_scope(tenant, || info_span!("request").in_scope(|| info!("received")));
        }
        info_span!("request").in_scope(|| info!("of nobody"));
    });
    let tenants: Vec<_> = otel.spans().iter().map(|span| attribute(&span.attributes, "tenant_id")).collect();
    assert_eq!(tenants, [Some("acme".into()), Some("acme".into())]);
}

#[test]
fn a_recorded_value_is_an_attribute_of_the_exported_span() {
    for activation in [true, false] {
        let otel = Exported::new();
        let layer = tracing_opentelemetry::layer().with_tracer(otel.tracer()).with_context_activation(activation);
        with_default(tracing_subscriber::registry().with(layer).with_context_fields(schema()), || {
            let _request = info_span!("request").entered();
            info!("received");
            assert!(TENANT_ID.record("acme"));
            assert!(ATTEMPT.record(2));
            info!("authenticated");
            info_span!("query").in_scope(|| info!("queried"));
        });
        let span = otel.span("request");
        assert_eq!(attribute(&span.attributes, "tenant_id"), Some("acme".into()), "activation: {activation}");
        assert_eq!(attribute(&span.attributes, "attempt"), Some(Value::I64(2)), "activation: {activation}");
        let tenants: Vec<_> =
            span.events.events.iter().map(|event| attribute(&event.attributes, "tenant_id")).collect();
        assert_eq!(tenants, [None, Some("acme".into())], "activation: {activation}");
        let child = otel.span("query");
        assert_eq!(attribute(&child.attributes, "tenant_id"), Some("acme".into()), "activation: {activation}");
        assert_eq!(child.parent_span_id, span.span_context.span_id(), "activation: {activation}");
    }
}

#[test]
fn parents_and_links_of_exported_spans_are_the_same_without_the_layer() {
    let otel = Exported::new();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()))
        .with_context_fields(schema());
    with_default(subscriber, || {
        TENANT_ID.in_scope("acme", || {
            let first = info_span!("first");
            let second = info_span!("second").entered();
            info_span!("contextual");
            info_span!(parent: &first, "explicit");
            info_span!(parent: None, "root");
            let follower = info_span!("follower");
            follower.follows_from(&first);
            drop((second, first));
        });
    });
    let id = |name| otel.span(name).span_context.span_id();
    assert_eq!(otel.span("contextual").parent_span_id, id("second"));
    assert_eq!(otel.span("explicit").parent_span_id, id("first"));
    assert_eq!(otel.span("root").parent_span_id, opentelemetry::SpanId::INVALID);
    let links: Vec<_> = otel.span("follower").links.iter().map(|link| link.span_context.span_id()).collect();
    assert_eq!(links, [id("first")]);
    for span in otel.spans() {
        assert_eq!(attribute(&span.attributes, "tenant_id"), Some("acme".into()), "{}", span.name);
    }
}

#[test]
fn a_field_the_span_sets_itself_is_exported_once_with_the_spans_value() {
    let otel = Exported::new();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(otel.tracer()))
        .with_context_fields(schema());
    with_default(subscriber, || {
        TENANT_ID.in_scope("current", || {
            let _span = info_span!("request", tenant_id = "own").entered();
            info!(tenant_id = "event's", "received");
        });
    });
    let span = otel.span("request");
    assert_eq!(attribute(&span.attributes, "tenant_id"), Some("own".into()));
    assert_eq!(attribute(&span.events.events[0].attributes, "tenant_id"), Some("event's".into()));
}

#[test]
fn opentelemetry_code_can_change_a_span_through_the_layer() {
    use opentelemetry::{
        SpanId, TraceId,
        trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
    };
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    let remote = SpanContext::new(
        TraceId::from(0x1234_u128),
        SpanId::from(0x56_u64),
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    );
    for around in [true, false] {
        let otel = Exported::new();
        let layer = tracing_opentelemetry::layer().with_tracer(otel.tracer());
        let run = || {
            TENANT_ID.in_scope("acme", || {
                let span = info_span!("request");
                span.set_parent(Context::new().with_remote_span_context(remote.clone())).unwrap();
                span.set_attribute("by hand", 1);
                span.in_scope(|| info!("received"));
                assert_eq!(span.context().span().span_context().trace_id(), remote.trace_id());
            });
        };
        if around {
            let layer = ContextLayer::new(layer, schema());
            with_default(tracing_subscriber::registry().with(layer), run);
        } else {
            with_default(tracing_subscriber::registry().with(layer).with_context_fields(schema()), run);
        }
        let span = otel.span("request");
        assert_eq!(span.span_context.trace_id(), remote.trace_id(), "around: {around}");
        assert_eq!(span.parent_span_id, remote.span_id(), "around: {around}");
        assert_eq!(attribute(&span.attributes, "by hand"), Some(Value::I64(1)), "around: {around}");
        assert_eq!(attribute(&span.attributes, "tenant_id"), Some("acme".into()), "around: {around}");
        // Around one output nothing remembers the fields: the span brings its parent's context, which has none.
        let on_event = (!around).then(|| "acme".into());
        assert_eq!(attribute(&span.events.events[0].attributes, "tenant_id"), on_event, "around: {around}");
    }
}

#[test]
fn fields_survive_a_remote_parent_with_a_context_of_its_own() {
    use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    // As a server's middleware does: the extracted context, which has no fields, becomes the span's parent.
    let remote =
        SpanContext::new(0x1234_u128.into(), 0x56_u64.into(), TraceFlags::SAMPLED, true, TraceState::default());
    let otel = Exported::new();
    let layer = tracing_opentelemetry::layer().with_tracer(otel.tracer());
    with_default(tracing_subscriber::registry().with(layer).with_context_fields(schema()), || {
        let span = TENANT_ID.in_scope("acme", || info_span!("request"));
        span.set_parent(Context::new().with_remote_span_context(remote)).unwrap();
        span.in_scope(|| {
            assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
            info!("received");
            info_span!("child").in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("acme")));
        });
        assert_eq!(TENANT_ID.get(), None);
    });
    assert_eq!(attribute(&otel.span("request").events.events[0].attributes, "tenant_id"), Some("acme".into()));
    assert_eq!(otel.span("child").span_context.trace_id(), otel.span("request").span_context.trace_id());
}

/// Returns the tenants that a span is exported with, by the SDK's exporter or by one wrapped by `UniqueAttributes`.
fn exported_tenants(unique: bool, run: impl FnOnce()) -> Vec<String> {
    let exporter = InMemorySpanExporter::default();
    let builder = SdkTracerProvider::builder();
    let provider = if unique {
        builder.with_simple_exporter(UniqueAttributes::new(exporter.clone())).build()
    } else {
        builder.with_simple_exporter(exporter.clone()).build()
    };
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("tests")))
        .with_context_fields(schema());
    with_default(subscriber, run);
    let spans = exporter.get_finished_spans().unwrap();
    assert_eq!(spans.len(), 1);
    attributes(&spans[0].attributes, "tenant_id").iter().map(ToString::to_string).collect()
}

#[test]
fn a_value_that_a_span_has_already_is_exported_once() {
    for unique in [false, true] {
        let current =
            || TENANT_ID.in_scope("acme", || info_span!("one").in_scope(|| assert!(TENANT_ID.record("acme"))));
        assert_eq!(exported_tenants(unique, current), ["acme"]);
        let recorded = || {
            info_span!("one").in_scope(|| {
                for _ in 0..3 {
                    assert!(TENANT_ID.record("acme"));
                    info!("again");
                }
            });
        };
        assert_eq!(exported_tenants(unique, recorded), ["acme"]);
        let from_outside = || {
            let _guard = Context::current_with_baggage([KeyValue::new("tenant_id", "acme")]).attach();
            info_span!("one").in_scope(|| assert!(TENANT_ID.record("acme")));
        };
        assert_eq!(exported_tenants(unique, from_outside), ["acme"]);
    }
}

#[test]
fn a_value_that_replaces_another_is_exported_once_by_unique_attributes() {
    let replaced = || TENANT_ID.in_scope("acme", || info_span!("one").in_scope(|| assert!(TENANT_ID.record("globex"))));
    assert_eq!(exported_tenants(true, replaced), ["globex"]);
    let back_again = || {
        TENANT_ID.in_scope("acme", || {
            info_span!("one").in_scope(|| {
                assert!(TENANT_ID.record("globex"));
                assert!(TENANT_ID.record("acme"));
            });
        });
    };
    assert_eq!(exported_tenants(true, back_again), ["acme"]);
    // The SDK keeps all of them; the last one is the current value.
    assert_eq!(exported_tenants(false, back_again), ["acme", "globex", "acme"]);
    let declared = || {
        let span = info_span!("one", tenant_id = "own");
        span.record("tenant_id", "other");
        span.in_scope(|| assert!(TENANT_ID.record("acme")));
    };
    assert_eq!(exported_tenants(true, declared), ["acme"]);
}

#[test]
fn a_value_that_another_output_has_not_seen_is_not_lost() {
    let recorder = ctx_tests::Recorder::default();
    with_default(tracing_subscriber::registry().with(recorder.clone()).with_context_fields(schema()), || {
        info_span!("one", tenant_id = tracing::field::Empty).in_scope(|| {
            assert!(TENANT_ID.record("acme"));
            tracing::Span::current().record("tenant_id", "own");
            assert!(TENANT_ID.record("acme"));
        });
        ATTEMPT.in_scope(1, || info_span!("two").in_scope(|| assert!(ATTEMPT.record(2))));
    });
    let recorded: Vec<_> = recorder.records().into_iter().flat_map(|record| record.values).collect();
    let text = |text: &str| ("tenant_id", ctx_tests::Value::Str(text.to_owned()));
    assert_eq!(recorded, [text("acme"), text("own"), text("acme"), ("attempt", ctx_tests::Value::I64(2))]);
}
