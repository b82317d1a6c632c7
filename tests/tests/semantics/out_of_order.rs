//! Spans that end below spans which a filter switches off: the OpenTelemetry layer ends its context, and knows of no span above.

use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::*, task::Snapshot};
use ctx_tests::Exported;
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    trace::{SpanId, TraceContextExt},
};
use tracing::{info_span, level_filters::LevelFilter, subscriber::with_default, warn_span};
use tracing_subscriber::prelude::*;

use crate::stacks::Stack;

/// Runs code under an OpenTelemetry layer, and a filter that switches off spans at INFO.
fn filtered(f: impl FnOnce()) {
    let otel = tracing_opentelemetry::layer().with_tracer(Exported::new().tracer());
    let stack = tracing_subscriber::registry().with(LevelFilter::WARN).with(otel);
    with_default(stack.with_context_fields(Schema::well_known()), f);
}

fn tenant() -> Option<String> {
    TENANT_ID.get().map(String::from)
}

fn active() -> SpanId {
    Context::map_current(|cx| cx.span().span_context().span_id())
}

fn acme() -> Option<String> {
    Some("acme".to_owned())
}

#[test]
fn two_spans_that_are_off_keep_the_active_span_of_one_that_ended() {
    filtered(|| {
        let request = TENANT_ID.in_scope("acme", || warn_span!("request")).entered();
        let id = active();
        assert_ne!(id, SpanId::INVALID);
        let (first, second) = (info_span!("first"), info_span!("second"));
        let first = first.enter();
        let second = second.enter();
        drop(request);
        assert_eq!((tenant(), active()), (acme(), id));
        drop(second);
        assert_eq!((tenant(), active()), (acme(), id));
        drop(first);
        assert_eq!((tenant(), active()), (None, SpanId::INVALID));
    });
}

#[test]
fn a_span_that_is_off_keeps_its_fields_below_a_scope_when_its_parent_ends() {
    filtered(|| {
        let request = TENANT_ID.in_scope("acme", || warn_span!("request")).entered();
        let step = info_span!("step");
        let step = step.enter();
        let user = USER_ID.attach("ada");
        drop(request);
        assert_eq!(tenant(), acme());
        drop(user);
        assert_eq!((tenant(), USER_ID.get()), (acme(), None));
        drop(step);
        assert_eq!(tenant(), None);
    });
}

#[test]
fn a_context_without_fields_hides_a_span_that_lost_its_own() {
    filtered(|| {
        let request = TENANT_ID.in_scope("acme", || warn_span!("request")).entered();
        let (first, second) = (info_span!("first"), info_span!("second"));
        let first = first.enter();
        let second = second.enter();
        drop(request);
        let foreign = Context::new().attach();
        drop(second);
        assert_eq!(tenant(), None);
        drop(foreign);
        assert_eq!(tenant(), acme());
        drop(first);
        assert_eq!(tenant(), None);
    });
}

#[test]
fn a_span_that_is_off_outlives_the_guard_of_its_parents_snapshot() {
    filtered(|| {
        let request = TENANT_ID.in_scope("acme", || warn_span!("request"));
        let snapshot = request.in_scope(Snapshot::capture);
        let entered = snapshot.enter();
        let id = active();
        let step = info_span!("step");
        let step = step.enter();
        drop(entered);
        assert_eq!((tenant(), active()), (acme(), id));
        drop(step);
        assert_eq!((tenant(), active()), (None, SpanId::INVALID));
    });
}

#[test]
fn a_span_entered_again_in_a_snapshot_outlives_its_guard() {
    filtered(|| {
        let request = TENANT_ID.in_scope("acme", || warn_span!("request"));
        let snapshot = request.in_scope(Snapshot::capture);
        let entered = snapshot.enter();
        let id = active();
        let again = request.enter();
        let step = info_span!("step");
        let step = step.enter();
        drop(entered);
        assert_eq!((tenant(), active()), (acme(), id));
        drop(again);
        assert_eq!(tenant(), acme());
        drop(step);
        assert_eq!((tenant(), active()), (None, SpanId::INVALID));
    });
}

#[test]
fn a_span_that_is_off_keeps_the_active_span_of_a_snapshot_that_ended() {
    filtered(|| {
        let request = warn_span!("request");
        let snapshot = request.in_scope(Snapshot::capture);
        for is_entered_again in [false, true] {
            let entered = snapshot.enter();
            let id = active();
            assert_ne!(id, SpanId::INVALID);
            let again = is_entered_again.then(|| request.enter());
            let step = info_span!("step");
            let step = step.enter();
            drop(entered);
            assert_eq!(active(), id, "{is_entered_again}");
            drop(step);
            assert_eq!(active() == id, is_entered_again);
            drop(again);
            assert_eq!(active(), SpanId::INVALID, "{is_entered_again}");
        }
    });
}

/// A value of another library.
struct Theirs;

#[test]
fn a_span_takes_over_no_values_of_a_context_that_ended_above_it() {
    Stack::plain().in_scope(|| {
        let _request = info_span!("request").entered();
        assert!(TENANT_ID.record("acme"));
        let step = info_span!("step").entered();
        let with_theirs = Snapshot::from(Context::current().with_value(Theirs));
        let entered = with_theirs.enter();
        assert!(Context::map_current(|cx| cx.get::<Theirs>().is_some()));
        let foreign = Context::new().with_baggage([KeyValue::new("other", "library")]).attach();
        drop(entered);
        drop(foreign);
        assert_eq!(tenant(), acme());
        assert!(Context::map_current(|cx| cx.get::<Theirs>().is_none()));
        drop(step);
        assert_eq!(tenant(), acme());
    });
}
