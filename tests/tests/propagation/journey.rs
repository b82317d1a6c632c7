//! The random flag and the tracestate survive OpenTelemetry's spans.

use ctx_layer::propagation::{self, Trust};
use ctx_tests::Exported;
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanKind, TraceContextExt, Tracer},
};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};
use tracing::{Dispatch, info_span};
use tracing_subscriber::prelude::*;

use crate::{
    grammar,
    shared::{PARENT, TRACE, extract, headers, injected, schema},
};

/// A list that OpenTelemetry's own type holds only in part.
const STATE: &str = "first=1,second@@x=2,third=3";

fn incoming(flags: &str) -> Context {
    let parent = format!("{}{flags}", &PARENT[..53]);
    extract(&headers([("traceparent", &parent), ("tracestate", STATE)]), Trust::external()).into_context()
}

/// Returns what a child of `cx` sends, with OpenTelemetry alone.
fn by_sdk(cx: &Context, sampler: impl ShouldSample + 'static) -> (String, Option<String>) {
    let exported = Exported::with_sampler(sampler);
    let span = exported.tracer().start_with_context("server", cx);
    let server = cx.with_span(span);
    let client = server.with_span(exported.tracer().start_with_context("client", &server));
    let mut out = injected(&client);
    (out.remove("traceparent").expect("it has a span"), out.remove("tracestate"))
}

/// Returns what a child of `cx` sends, with `tracing`, `tracing-opentelemetry` and this crate's layer.
fn by_tracing(cx: &Context, sampler: impl ShouldSample + 'static) -> (String, Option<String>) {
    use ctx_layer::SubscriberFieldsExt;
    let exported = Exported::with_sampler(sampler);
    let layer = tracing_opentelemetry::layer().with_tracer(exported.tracer());
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer).with_context_fields(schema()));
    let _guard = cx.clone().attach();
    tracing::dispatcher::with_default(&dispatch, || {
        let server = info_span!("server");
        let mut out = std::collections::HashMap::new();
        server.in_scope(|| info_span!("client").in_scope(|| propagation::inject(&mut out)));
        (out.remove("traceparent").expect("it has a span"), out.remove("tracestate"))
    })
}

fn both(cx: &Context, sampler: impl ShouldSample + Clone + 'static) -> [(String, Option<String>); 2] {
    let found = [by_sdk(cx, sampler.clone()), by_tracing(cx, sampler)];
    for (traceparent, tracestate) in &found {
        assert!(grammar::is_traceparent(traceparent), "{traceparent}");
        assert!(tracestate.as_ref().is_none_or(|list| grammar::is_tracestate(list)), "{tracestate:?}");
    }
    found
}

#[test]
fn the_random_flag_is_preserved_whether_the_trace_is_recorded_or_not() {
    for (came, sampled, goes) in
        [("00", false, "00"), ("01", true, "01"), ("02", false, "02"), ("03", true, "03"), ("ff", true, "03")]
    {
        let parent_based = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
        for (traceparent, tracestate) in both(&incoming(came), parent_based) {
            assert_eq!((&traceparent[3..35], &traceparent[53..]), (TRACE, goes), "{came} {sampled}");
            assert_ne!(&traceparent[36..52], &PARENT[36..52], "each call has a parent-id of its own");
            assert_eq!(tracestate.as_deref(), Some(STATE));
        }
    }
    // Decided here, against the caller's decision.
    for (traceparent, _) in both(&incoming("02"), Sampler::AlwaysOn) {
        assert_eq!(&traceparent[53..], "03");
    }
    for (traceparent, tracestate) in both(&incoming("03"), Sampler::AlwaysOff) {
        assert_eq!(&traceparent[53..], "02");
        assert_eq!(tracestate.as_deref(), Some(STATE));
    }
}

#[test]
fn a_new_trace_has_the_random_flag() {
    for (traceparent, tracestate) in both(&Context::new(), Sampler::AlwaysOn) {
        assert_eq!((&traceparent[53..], tracestate), ("03", None));
    }
    for (traceparent, _) in both(&Context::new(), Sampler::AlwaysOff) {
        assert_eq!(&traceparent[53..], "02");
    }
    // A trace that only links to the caller's, too: it has nothing of that trace.
    let parent = format!("{}00", &PARENT[..53]);
    let linked = extract(&headers([("traceparent", &parent), ("tracestate", STATE)]), Trust::external().link_only());
    for (traceparent, tracestate) in both(linked.context(), Sampler::AlwaysOn) {
        assert_ne!(&traceparent[3..35], TRACE);
        assert_eq!((&traceparent[53..], tracestate), ("03", None));
    }
    // A root within a continued trace.
    let root = Exported::new().tracer().start_with_context("root", &Context::new());
    let out = injected(&incoming("00").with_span(root));
    assert_eq!((&out["traceparent"][53..], out.get("tracestate")), ("03", None));
}

/// A sampler that adds a member to the list, as consistent probability samplers do.
#[derive(Clone, Debug)]
struct Adding(&'static str, &'static str);

impl ShouldSample for Adding {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: opentelemetry::TraceId,
        _: &str,
        _: &SpanKind,
        _: &[opentelemetry::KeyValue],
        _: &[opentelemetry::trace::Link],
    ) -> SamplingResult {
        let state = parent.map(|cx| cx.span().span_context().trace_state().clone()).unwrap_or_default();
        SamplingResult {
            decision: SamplingDecision::RecordAndSample,
            attributes: Vec::new(),
            trace_state: state.insert(self.0, self.1).unwrap_or(state),
        }
    }
}

#[test]
fn a_samplers_tracestate_member_is_first_and_the_rest_stays() {
    for (_, tracestate) in both(&incoming("01"), Adding("ot", "th:8")) {
        assert_eq!(tracestate.as_deref(), Some("ot=th:8,first=1,third=3,second@@x=2"));
    }
    for (_, tracestate) in both(&incoming("01"), Adding("third", "new")) {
        assert_eq!(tracestate.as_deref(), Some("third=new,first=1,second@@x=2"));
    }
    // OpenTelemetry's type takes values that must not be sent.
    for (_, tracestate) in both(&incoming("01"), Adding("ot", "ends in a blank ")) {
        assert_eq!(tracestate.as_deref(), Some("first=1,third=3,second@@x=2"));
    }
}

#[test]
fn a_full_tracestate_drops_its_last_members() {
    let full: Vec<String> = (1..=32).map(|n| format!("k{n}={n}")).collect();
    let cx = extract(&headers([("traceparent", PARENT), ("tracestate", &full.join(","))]), Trust::external());
    for (_, tracestate) in both(cx.context(), Adding("ot", "x")) {
        assert_eq!(tracestate, Some(format!("ot=x,{}", full[..31].join(","))));
    }
}

#[test]
fn each_call_has_a_parent_id_of_its_own() {
    let exported = Exported::new();
    let cx = incoming("01");
    let ids: std::collections::HashSet<_> = (0..3)
        .map(|_| injected(&cx.with_span(exported.tracer().start_with_context("client", &cx)))["traceparent"].clone())
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| &id[3..35] == TRACE));
}

#[test]
fn an_invalid_span_sends_no_traceparent() {
    let cx = Context::new().with_remote_span_context(SpanContext::empty_context());
    assert!(injected(&cx).is_empty());
}

#[test]
fn recorded_values_and_the_fields_of_spans_are_sent() {
    use ctx_layer::{SubscriberFieldsExt, field::well_known::*};
    let layer = tracing_opentelemetry::layer().with_tracer(Exported::new().tracer());
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer).with_context_fields(schema()));
    tracing::dispatcher::with_default(&dispatch, || {
        let span = TENANT_ID.in_scope("acme", || info_span!("request"));
        let sent = std::thread::scope(|scope| {
            let on_another_thread = || {
                tracing::dispatcher::with_default(&dispatch, || {
                    span.in_scope(|| {
                        assert!(USER_ID.record("ada"));
                        let mut out = std::collections::HashMap::new();
                        propagation::inject(&mut out);
                        out
                    })
                })
            };
            scope.spawn(on_another_thread).join().expect("it does not panic")
        });
        assert_eq!(sent["baggage"], "tenant_id=acme,user_id=ada");
        assert!(grammar::is_traceparent(&sent["traceparent"]));
    });
}
