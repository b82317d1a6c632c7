//! Requests of two tenants, what is seen of them across a boundary, and what must be seen.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use ctx_layer::{SubscriberFieldsExt, field::well_known::*, task};
use ctx_tests::{Exported, Recorder, attribute, runtime, schema};
use opentelemetry::{
    Context, KeyValue, SpanId, TraceId,
    baggage::BaggageExt,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
};
use opentelemetry_sdk::trace::SpanData;
use tokio::runtime::Runtime;
use tracing::{Dispatch, dispatcher, info, info_span};
use tracing_subscriber::prelude::*;

/// `true` if a boundary is crossed with this crate, `false` if bare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carry {
    Ours,
    Bare,
}

/// A stack, and a runtime of two threads under it.
pub(crate) struct World {
    pub(crate) name: &'static str,
    pub(crate) dispatch: Dispatch,
    pub(crate) recorder: Recorder,
    pub(crate) exported: Option<Exported>,
    pub(crate) runtime: Runtime,
}

impl World {
    /// Creates a world without an OpenTelemetry layer.
    pub(crate) fn plain() -> Self {
        let recorder = Recorder::default();
        let dispatch =
            Dispatch::new(tracing_subscriber::registry().with(recorder.clone()).with_context_fields(schema()));
        Self::of("without OpenTelemetry", dispatch, recorder, None)
    }

    /// Creates a world with an OpenTelemetry layer whose spans are kept.
    pub(crate) fn exporting() -> Self {
        Self::with_activation("with OpenTelemetry", true)
    }

    fn with_activation(name: &'static str, activation: bool) -> Self {
        let (recorder, exported) = (Recorder::default(), Exported::new());
        let layer = tracing_opentelemetry::layer().with_tracer(exported.tracer()).with_context_activation(activation);
        let stack = tracing_subscriber::registry().with(layer).with(recorder.clone()).with_context_fields(schema());
        Self::of(name, Dispatch::new(stack), recorder, Some(exported))
    }

    fn of(name: &'static str, dispatch: Dispatch, recorder: Recorder, exported: Option<Exported>) -> Self {
        World { name, runtime: runtime(&dispatch), dispatch, recorder, exported }
    }

    pub(crate) fn all() -> [Self; 3] {
        [Self::plain(), Self::exporting(), Self::with_activation("without activation", false)]
    }

    pub(crate) fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        dispatcher::with_default(&self.dispatch, f)
    }

    pub(crate) fn exported(&self) -> &Exported {
        self.exported.as_ref().expect("it has an exporter")
    }
}

/// The current context of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) tenant: Option<String>,
    pub(crate) baggage: Option<String>,
    pub(crate) span: Option<&'static str>,
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) span_id: Option<SpanId>,
}

impl Seen {
    pub(crate) const NOTHING: Self = Seen { tenant: None, baggage: None, span: None, trace_id: None, span_id: None };

    /// Reads the context, creates a child span and logs in it.
    pub(crate) fn here() -> Self {
        info_span!("child").in_scope(|| info!("inside of the child"));
        Self::without_child()
    }

    pub(crate) fn without_child() -> Self {
        Seen {
            tenant: TENANT_ID.get().map(String::from),
            baggage: Context::map_current(|cx| cx.baggage().get("color").map(ToString::to_string)),
            span: task::current_span().and_then(|span| Some(span.metadata()?.name())),
            trace_id: task::current_trace_id(),
            span_id: task::current_span_id(),
        }
    }

    /// Reads the context on a thread that has no subscriber yet.
    pub(crate) fn under(dispatch: &Dispatch) -> Self {
        dispatcher::with_default(dispatch, Self::here)
    }
}

/// The continuation that runs after the request has ended.
pub(crate) type Afterwards<'a> = Box<dyn FnOnce() -> Vec<Seen> + 'a>;

/// Crosses a boundary with the requests of two tenants at once, in each world, and checks everything that arrives; then
/// does the same bare, where nothing may arrive.
///
/// `cross` is called inside a request. What it returns is called after that request has ended, and returns what was
/// seen.
#[track_caller]
pub(crate) fn proves(cross: impl for<'a> Fn(&'a World, Carry) -> Afterwards<'a> + Sync) {
    for carry in [Carry::Ours, Carry::Bare] {
        for world in World::all() {
            let both = Barrier::new(2);
            thread::scope(|scope| {
                let requests = ["acme", "globex"].map(|tenant| {
                    let (world, cross, both) = (&world, &cross, &both);
                    scope.spawn(move || {
                        world.in_scope(|| {
                            let (expected, afterwards) = request(tenant, || {
                                both.wait();
                                (Seen::without_child(), cross(world, carry))
                            });
                            let seen = afterwards();
                            (expected, seen)
                        })
                    })
                });
                let requests = requests.map(|request| match request.join() {
                    Ok(seen) => seen,
                    Err(panic) => std::panic::resume_unwind(panic),
                });
                check(&world, carry, &requests);
            });
        }
    }
}

/// Runs `f` in a tenant's request with a remote parent, baggage, fields and a span.
pub(crate) fn request<R>(tenant: &'static str, f: impl FnOnce() -> R) -> R {
    let remote = SpanContext::new(
        TraceId::from(tenant.len() as u128),
        SpanId::from(7),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let cx =
        Context::new().with_remote_span_context(remote).with_baggage([KeyValue::new("color", format!("{tenant}'s"))]);
    let _remote = cx.attach();
    let span = TENANT_ID.in_scope(tenant, || info_span!("request"));
    span.in_scope(f)
}

#[track_caller]
fn check(world: &World, carry: Carry, requests: &[(Seen, Vec<Seen>)]) {
    let name = world.name;
    for (expected, all) in requests {
        assert!(expected.tenant.is_some() && expected.span.is_some() && expected.trace_id.is_some(), "{expected:?}");
        assert!(!all.is_empty(), "nothing was seen");
        for seen in all {
            match carry {
                Carry::Ours => assert_eq!(seen, expected, "{name}"),
                Carry::Bare => assert_eq!(seen, &Seen::NOTHING, "{name}: bare, nothing should arrive"),
            }
        }
    }
    let events = world.recorder.items().into_iter().filter(|item| item.name == "inside of the child");
    assert!(events.map(|event| event.text("tenant_id").is_some()).all(|has| has == (carry == Carry::Ours)), "{name}");
    let Some(exported) = &world.exported else { return };
    // The result may arrive before the other thread has dropped its request's span.
    let deadline = Instant::now() + Duration::from_secs(10);
    let is_request = |span: &&SpanData| span.name == "request";
    let mut spans = exported.spans();
    while spans.iter().filter(is_request).count() < 2 && Instant::now() < deadline {
        thread::yield_now();
        spans = exported.spans();
    }
    let mut children = 0;
    for child in spans.iter().filter(|span| span.name == "child") {
        children += 1;
        let tenant = attribute(&child.attributes, "tenant_id");
        let parent = spans.iter().find(|span| span.span_context.span_id() == child.parent_span_id);
        match carry {
            Carry::Ours => {
                // The span of its own request, in that request's trace.
                let parent = parent.unwrap_or_else(|| panic!("{name}: an orphan: {child:#?}"));
                assert_eq!(parent.name, "request", "{name}");
                assert_eq!(attribute(&parent.attributes, "tenant_id"), tenant, "{name}");
                assert_eq!(parent.span_context.trace_id(), child.span_context.trace_id(), "{name}");
            }
            Carry::Bare => {
                assert!(parent.is_none() && tenant.is_none(), "{name}: bare, it should be a root: {child:#?}")
            }
        }
    }
    let looked: usize = requests.iter().map(|(_, all)| all.len()).sum();
    assert_eq!(children, looked, "{name}");
    assert_eq!(spans.iter().filter(is_request).count(), 2, "{name}: closed, and exported");
}
