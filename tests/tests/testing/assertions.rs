//! Each assertion passes when it should, and fails when it should.

use std::collections::HashMap;

use ctx_layer::{
    field::well_known::{TENANT_ID, USER_ID},
    propagation,
    testing::{self, Telemetry},
};
use opentelemetry::trace::TraceContextExt;
use tracing::{Span, info, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{failure, marked};

/// A request that is as it should be.
fn healthy() {
    TENANT_ID.in_scope("acme", || info_span!("request").in_scope(|| info_span!("load").in_scope(|| info!("loaded"))));
}

/// Asserts that an assertion passes for what is healthy, and fails with these marks after `fault`.
#[track_caller]
fn assert_notices(assertion: impl Fn(&Telemetry), fault: impl FnOnce(), marks: &[&str]) -> String {
    let telemetry = testing::capture();
    healthy();
    assertion(&telemetry);
    fault();
    let failure = failure(|| assertion(&telemetry));
    assert_eq!(marked(&failure), marks, "{failure}");
    failure
}

#[test]
fn a_field_that_is_missing_or_wrong_is_noticed() {
    let everywhere = |telemetry: &Telemetry| telemetry.assert_field_everywhere(&TENANT_ID, "acme");
    let failure = assert_notices(everywhere, || info!("bare"), &["INFO bare   <-- tenant_id is missing"]);
    assert!(
        failure.starts_with("assertion failed: every span and event has tenant_id=\"acme\", but 1 do not fit"),
        "{failure}"
    );
    let fault = || TENANT_ID.in_scope("globex", || info!("bare"));
    assert_notices(everywhere, fault, &["INFO bare tenant_id=\"globex\"   <-- tenant_id is \"globex\""]);
    let fault = || info!(tenant_id = 7, "bare");
    assert_notices(everywhere, fault, &["INFO bare tenant_id=7   <-- tenant_id is 7"]);
    let present = |telemetry: &Telemetry| telemetry.assert_field_present_everywhere("tenant_id");
    assert_notices(present, || info!("bare"), &["INFO bare   <-- tenant_id is missing"]);
    let nowhere = |telemetry: &Telemetry| telemetry.assert_field_nowhere(&USER_ID);
    let fault = || USER_ID.in_scope("ada", || info!("bare"));
    assert_notices(nowhere, fault, &["INFO bare user_id=\"ada\"   <-- user_id is \"ada\""]);
}

#[test]
fn an_assertion_about_nothing_fails() {
    let telemetry = testing::capture();
    for failure in [
        failure(|| telemetry.assert_field_everywhere(&TENANT_ID, "acme")),
        failure(|| telemetry.assert_field_present_everywhere(&TENANT_ID)),
        failure(|| telemetry.assert_field_nowhere(&TENANT_ID)),
        failure(|| telemetry.assert_connected()),
        failure(|| telemetry.assert_one_trace()),
        failure(|| telemetry.assert_not_mixed(&TENANT_ID)),
        failure(|| telemetry.assert_sent("traceparent", "")),
        failure(|| drop(telemetry.span("request"))),
        failure(|| drop(telemetry.event("loaded"))),
        failure(|| drop(telemetry.trace())),
    ] {
        assert!(failure.contains("nothing was captured"), "{failure}");
    }
    assert!(failure(|| telemetry.assert_absent("")).contains("pass the sensitive value"));
}

#[test]
fn a_trace_that_is_not_connected_is_noticed() {
    let fault = || {
        let lost = info_span!("lost");
        let parent = lost.context().span().span_context().clone();
        // The parent of another process, which is said to be of this one.
        let parent = opentelemetry::trace::SpanContext::new(
            parent.trace_id(),
            opentelemetry::SpanId::from(7),
            parent.trace_flags(),
            false,
            Default::default(),
        );
        let span = info_span!("orphan");
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(parent));
        span.in_scope(|| {});
    };
    let telemetry = testing::capture();
    healthy();
    telemetry.assert_connected();
    telemetry.assert_one_trace();
    fault();
    let failure_of = failure(|| telemetry.assert_connected());
    assert_eq!(marked(&failure_of).len(), 1, "{failure_of}");
    assert!(failure_of.contains("its parent is not in this test"), "{failure_of}");
}

#[test]
fn a_second_trace_is_noticed() {
    let fault = || info_span!("second").in_scope(|| {});
    let telemetry = testing::capture();
    healthy();
    telemetry.assert_one_trace();
    fault();
    telemetry.assert_connected();
    let failure = failure(|| telemetry.assert_one_trace());
    assert!(failure.contains("there is one trace, but there are 2"), "{failure}");
    assert_eq!(marked(&failure).iter().filter(|line| line.ends_with("begins a trace")).count(), 2, "{failure}");
}

#[test]
fn a_span_with_another_parent_is_noticed() {
    let telemetry = testing::capture();
    healthy();
    info_span!("other").in_scope(|| {});
    telemetry.assert_child("load", "request");
    let failure = failure(|| telemetry.assert_child("load", "other"));
    assert!(
        failure.contains("is a child of \"request\"") && failure.contains("is expected as its parent"),
        "{failure}"
    );
    let failure = crate::failure(|| telemetry.assert_child("request", "load"));
    assert!(failure.contains("has no parent"), "{failure}");
}

#[test]
fn a_link_that_is_missing_is_noticed() {
    let telemetry = testing::capture();
    healthy();
    let publish = info_span!("publish");
    let consume = info_span!("consume");
    consume.add_link(publish.context().span().span_context().clone());
    drop((publish, consume));
    telemetry.assert_link("consume", "publish");
    assert!(failure(|| telemetry.assert_link("publish", "consume")).contains("links to nothing"));
    assert!(failure(|| telemetry.assert_link("load", "request")).contains("is a child, and does not link"));
    assert!(failure(|| telemetry.assert_link("consume", "request")).contains("links to publish"));
}

#[test]
fn a_trace_with_two_tenants_is_noticed() {
    let telemetry = testing::capture();
    healthy();
    telemetry.assert_not_mixed(&TENANT_ID);
    // Two tenants in two traces are as it should be.
    TENANT_ID.in_scope("globex", || info_span!("request").in_scope(|| info!("other")));
    telemetry.assert_not_mixed(&TENANT_ID);
    TENANT_ID.in_scope("acme", || info_span!("mixed").in_scope(|| TENANT_ID.in_scope("globex", || info!("wrong"))));
    let failure = failure(|| telemetry.assert_not_mixed(&TENANT_ID));
    assert_eq!(marked(&failure).len(), 2, "{failure}");
}

#[test]
fn a_sensitive_value_is_found_wherever_it_is() {
    let secret = |telemetry: &Telemetry| telemetry.assert_absent("hunter2");
    let mark = "the value is in";
    for (fault, place) in [
        ((|| info!("the password is hunter2")) as fn(), "the message"),
        (|| info!(password = "hunter2", "login"), "password"),
        (|| info!(login = ?("ada", "hunter2"), "login"), "login"),
        (|| info_span!("login", password = "hunter2").in_scope(|| {}), "password"),
        (|| info_span!("login", otel.name = "login hunter2").in_scope(|| {}), "the name"),
        (
            || info_span!("login", otel.status_code = "ERROR", otel.status_description = "not hunter2").in_scope(|| {}),
            "the status",
        ),
    ] {
        let telemetry = testing::capture();
        healthy();
        secret(&telemetry);
        fault();
        let failure = failure(|| secret(&telemetry));
        assert!(failure.contains(&format!("{mark} {place}")), "{place}: {failure}");
    }
    let telemetry = testing::capture();
    let mut headers = HashMap::<String, String>::new();
    TENANT_ID.in_scope("a b", || propagation::inject(&mut headers));
    let failure = failure(|| telemetry.assert_absent("a b"));
    assert!(failure.contains("the value is in baggage"), "{failure}");
    let meter = opentelemetry::global::meter("orders");
    meter.u64_counter("logins").build().add(1, &[opentelemetry::KeyValue::new("password", "hunter2")]);
    let failure = crate::failure(|| telemetry.assert_absent("hunter2"));
    assert!(failure.contains("the label password of \"logins\" has the value"), "{failure}");
}

#[test]
fn a_header_that_is_sent_or_not_is_noticed() {
    let telemetry = testing::capture();
    let mut headers = HashMap::<String, String>::new();
    info_span!("send").in_scope(|| propagation::inject(&mut headers));
    telemetry.assert_not_sent("baggage");
    let failure_of = failure(|| telemetry.assert_sent("baggage", "tenant_id=acme"));
    assert!(failure_of.contains("is without it"), "{failure_of}");
    TENANT_ID.in_scope("acme", || propagation::inject(&mut headers));
    telemetry.assert_sent("baggage", "tenant_id=acme");
    assert!(failure(|| telemetry.assert_not_sent("baggage")).contains("has it"));
    assert!(failure(|| telemetry.assert_sent("baggage", "tenant_id=globex")).contains("has another value"));
}

#[test]
fn a_span_that_is_still_open_is_noticed() {
    let telemetry = testing::capture();
    healthy();
    telemetry.assert_all_ended();
    let span: Span = info_span!("open");
    span.in_scope(|| {});
    let failure = failure(|| telemetry.assert_all_ended());
    assert_eq!(marked(&failure), ["open still open   <-- has not ended"], "{failure}");
}

#[test]
fn one_of_several_is_asked_for_by_name() {
    let telemetry = testing::capture();
    healthy();
    healthy();
    assert_eq!(telemetry.spans_named("load").len(), 2);
    for failure in [failure(|| drop(telemetry.span("load"))), failure(|| drop(telemetry.event("loaded")))] {
        assert_eq!(failure.matches("<-- one of them").count(), 2, "{failure}");
    }
}

#[test]
fn waiting_for_what_does_not_happen_fails() {
    let telemetry = testing::capture();
    let failure = failure(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it starts");
        runtime.block_on(telemetry.until(|telemetry| !telemetry.events().is_empty()));
    });
    assert!(failure.contains("happens in 10s"), "{failure}");
}
