//! Peers, and hostile headers.

use std::collections::HashMap;

use ctx_layer::{
    field::well_known::{TENANT_ID, USER_ID},
    propagation::{self, Trust},
    testing::{self, wire, wire::Peer},
};
use proptest::prelude::*;
use tracing::info_span;

fn received(peer: &Peer, trust: Trust) -> (Option<String>, Option<String>) {
    let mut headers = HashMap::<String, String>::new();
    peer.write(&mut headers);
    propagation::extract(&headers, trust).in_scope(|| {
        info_span!("handle")
            .in_scope(|| (TENANT_ID.get().map(|id| id.to_string()), USER_ID.get().map(|id| id.to_string())))
    })
}

#[test]
fn values_of_all_languages_arrive() {
    let value = "a b/ü'(c)!%~*";
    for peer in [Peer::python(), Peer::node(), Peer::java()] {
        let telemetry = testing::capture();
        // Python's `+` is not distinguishable from a plus: see `docs/wire.md`.
        let value = if peer.clone().with_field("x", " ").headers()[1].1 == "x=+" { "a/ü'(c)!%~*" } else { value };
        let peer = peer.with_field(&TENANT_ID, value).with_field(&USER_ID, "ada");
        let expected = (Some(value.to_owned()), Some("ada".to_owned()));
        assert_eq!(received(&peer, Trust::internal()), expected, "{peer:?}");
        assert_eq!(telemetry.span("handle").trace_id(), peer.trace_id());
        assert_eq!(telemetry.received()[0].header("traceparent"), Some(peer.headers()[0].1.as_str()));
    }
}

#[test]
fn an_external_caller_continues_the_trace_and_sets_no_field() {
    let telemetry = testing::capture();
    let peer = Peer::external().with_field(&TENANT_ID, "victim");
    assert_eq!(received(&peer, Trust::external()), (None, None));
    assert_eq!(telemetry.span("handle").parent_span_id(), Some(peer.span_id()));
    telemetry.assert_field_nowhere(&TENANT_ID);
}

#[test]
fn peers_without_context_or_fields_are_roots_or_continue() {
    let telemetry = testing::capture();
    received(&Peer::without_context(), Trust::internal());
    assert_eq!(telemetry.span("handle").parent_span_id(), None);
    telemetry.clear();
    let old = Peer::old_version();
    received(&old, Trust::internal());
    assert_eq!(telemetry.span("handle").parent_span_id(), Some(old.span_id()));
    telemetry.clear();
    received(&Peer::java().not_sampled(), Trust::internal());
    assert!(telemetry.spans().is_empty(), "a trace that is not sampled is not exported");
}

#[test]
fn hostile_headers_set_nothing_that_is_not_allowed() {
    for (what, headers) in wire::hostile_headers() {
        let headers: HashMap<String, String> = headers.into_iter().collect();
        propagation::extract(&headers, Trust::external()).in_scope(|| assert_eq!(TENANT_ID.get(), None, "{what}"));
        propagation::extract(&headers, Trust::internal()).in_scope(|| {
            let tenant = TENANT_ID.get().map(|id| id.to_string()).unwrap_or_default();
            assert!(tenant.len() <= 256 && !tenant.chars().any(char::is_control), "{what}: {tenant:?}");
        });
    }
}

proptest! {
    #[test]
    fn valid_traceparents_are_continued(traceparent in wire::strategies::traceparent()) {
        let headers = HashMap::from([("traceparent".to_owned(), traceparent.clone())]);
        let extracted = propagation::extract(&headers, Trust::internal());
        prop_assert!(extracted.is_continued(), "{traceparent}");
    }

    #[test]
    fn random_hostile_headers_set_no_field(headers in wire::strategies::hostile_headers()) {
        let headers: HashMap<String, String> = headers.into_iter().collect();
        propagation::extract(&headers, Trust::external()).in_scope(|| {
            prop_assert_eq!(TENANT_ID.get(), None);
            Ok(())
        })?;
    }

    #[test]
    fn values_of_fields_arrive_as_they_were_sent(value in wire::strategies::field_value()) {
        let mut headers = HashMap::<String, String>::new();
        TENANT_ID.in_scope(value.as_str(), || propagation::inject(&mut headers));
        let received = propagation::extract(&headers, Trust::internal()).in_scope(|| TENANT_ID.get());
        prop_assert_eq!(received.map(|id| id.to_string()), Some(value));
    }

    #[test]
    fn valid_baggage_is_passed_on(baggage in wire::strategies::baggage()) {
        let headers = HashMap::from([("baggage".to_owned(), baggage.clone())]);
        let mut onwards = HashMap::<String, String>::new();
        propagation::extract(&headers, Trust::internal()).in_scope(|| propagation::inject(&mut onwards));
        prop_assert!(onwards.contains_key("baggage"), "{baggage}");
    }
}
