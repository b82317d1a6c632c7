//! Inbound context: what is trusted, by the kind of caller.

use ctx_layer::{
    Fields,
    field::well_known::*,
    propagation::{self, Captured, DropReason, Trust},
};
use ctx_tests::{EMAIL, PLAN, SHARD};
use opentelemetry::{baggage::BaggageExt, trace::TraceContextExt};

use crate::shared::{Headers, PARENT, TRACE, extract, headers, schema};

fn attack() -> Headers {
    headers([
        ("traceparent", PARENT),
        ("tracestate", "vendor=1"),
        ("baggage", "tenant_id=victim,role=admin,x-shard=7,other=1"),
    ])
}

#[test]
fn an_external_callers_tenant_is_ignored_but_its_trace_is_continued() {
    for trust in [Trust::default(), Trust::external(), Trust::external().pass_unregistered()] {
        let extracted = extract(&attack(), trust);
        assert!(extracted.fields().is_empty() && extracted.context().baggage().is_empty());
        extracted.in_scope(|| {
            assert_eq!((TENANT_ID.get(), ROLE.get(), SHARD.get()), (None, None, None));
            assert!(Fields::current().is_empty());
        });
        let span = extracted.context().span().span_context().clone();
        assert_eq!((span.trace_id().to_string().as_str(), span.is_remote()), (TRACE, true));
        assert_eq!(span.trace_state().header(), "vendor=1");
        assert!(extracted.is_continued());
        assert_eq!(extracted.dropped().len(), 1);
        assert_eq!(extracted.dropped()[0].reason(), DropReason::Untrusted);
    }
}

#[test]
fn a_trace_can_only_be_linked_to() {
    for trust in [Trust::external().link_only(), Trust::internal().link_only()] {
        let extracted = extract(&attack(), trust);
        assert!(!extracted.is_continued() && !extracted.context().has_active_span());
        assert_eq!(extracted.remote().map(|span| span.trace_id().to_string()).as_deref(), Some(TRACE));
        assert_eq!(extracted.fields().get(&TENANT_ID).is_some(), trust.is_internal());
    }
    assert!(extract(&attack(), Trust::external().link_only().continue_trace()).is_continued());
}

#[test]
fn only_propagated_fields_of_an_internal_caller_are_trusted() {
    let extracted = extract(&attack(), Trust::internal());
    let fields = extracted.fields();
    assert_eq!(fields.get(&TENANT_ID).map(|text| text.as_str()), Some("victim"));
    assert_eq!((fields.get(&SHARD), fields.get(&ROLE)), (Some(&7), None));
    let baggage = extracted.context().baggage();
    assert_eq!((baggage.len(), baggage.get("other").map(|value| value.as_str())), (1, Some("1")));
    extracted.in_scope(|| assert_eq!(ROLE.get(), None));
    assert_eq!(
        extracted.dropped().iter().map(|it| (it.key(), it.reason())).collect::<Vec<_>>(),
        [("role", DropReason::NotPropagated),]
    );

    let extracted = extract(&attack(), Trust::internal().drop_unregistered());
    assert!(extracted.context().baggage().is_empty());
    assert!(extracted.dropped().iter().any(|it| (it.key(), it.reason()) == ("other", DropReason::Unregistered)));
}

#[test]
fn a_field_that_is_not_propagated_is_not_set_by_baggage() {
    let extracted = extract(&headers([("baggage", "email=a@example.org,attempt=3")]), Trust::internal());
    assert!(extracted.context().baggage().is_empty() && extracted.fields().is_empty());
    extracted.in_scope(|| assert_eq!(EMAIL.get(), None));
}

#[test]
fn bad_values_are_dropped_one_by_one_and_the_rest_is_kept() {
    let long = format!("user_id={}", "x".repeat(129));
    for (bad, why) in [
        ("x-shard=seven", DropReason::WrongType),
        ("x-shard=-1", DropReason::WrongType),
        ("x-shard=", DropReason::WrongType),
        ("plan=gold", DropReason::WrongType),
        (long.as_str(), DropReason::TooLong),
        ("plan=plan-000000000000003", DropReason::TooLong),
        ("user_id=a%0Alevel=error", DropReason::ControlCharacters),
        ("user_id=a%1B%5B31m", DropReason::ControlCharacters),
        ("user_id=a%00", DropReason::ControlCharacters),
        ("user_id=a%C2%85", DropReason::ControlCharacters),
        ("user_id=a%E2%80%AEb", DropReason::ControlCharacters),
        ("user_id=a%E2%80%8Bb", DropReason::Invisible),
        ("user_id=%EF%BB%BFa", DropReason::Invisible),
        ("user_id=", DropReason::Empty),
    ] {
        let line = format!("tenant_id=acme,{bad},locale=de-CH");
        let extracted = extract(&headers([("baggage", &line)]), Trust::internal());
        let fields = extracted.fields();
        assert_eq!(fields.get(&TENANT_ID).map(|text| text.as_str()), Some("acme"), "{bad}");
        assert_eq!(fields.get(&LOCALE).map(|text| text.as_str()), Some("de-CH"), "{bad}");
        assert_eq!((fields.len(), fields.get(&SHARD), fields.get(&PLAN)), (2, None, None), "{bad}");
        assert_eq!(extracted.dropped().iter().map(|it| it.reason()).collect::<Vec<_>>(), [why], "{bad}");
    }
}

#[test]
fn extracted_context_has_nothing_of_the_receivers() {
    TENANT_ID.in_scope("the server's own", || {
        let extracted = extract(&headers([("traceparent", PARENT)]), Trust::external());
        extracted.in_scope(|| assert_eq!(TENANT_ID.get(), None));
        assert_eq!(TENANT_ID.get().as_deref(), Some("the server's own"));
    });
}

#[test]
fn captured_context_is_trusted_no_more_than_a_header() {
    let captured: Captured = attack().into_iter().collect();
    propagation::register(&schema());
    assert!(propagation::extract(&captured, Trust::external()).fields().is_empty());
    assert_eq!(propagation::extract(&captured, Trust::internal()).fields().get(&SHARD), Some(&7));
}

#[test]
fn little_is_kept_of_oversized_input() {
    let header: String = (0..100_000).map(|n| format!("k{n}=\u{1},")).collect();
    let extracted = extract(&headers([("baggage", &header)]), Trust::internal());
    assert_eq!(extracted.dropped().len(), 64);
    let header = format!("{}=1", "k".repeat(100_000));
    let extracted = extract(&headers([("baggage", &header)]), Trust::internal().drop_unregistered());
    assert_eq!(extracted.dropped()[0].key().len(), 64);
}

#[test]
fn the_example_shows_the_attack_and_its_defence() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_trust")).output().expect("it can be started");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        printed.lines().collect::<Vec<_>>(),
        [
            " INFO wrong tenant_id=\"victim\"",
            "it shows the orders of \"victim\"",
            " INFO right",
            "it shows the orders of \"nobody\"",
            " INFO logged in tenant_id=\"acme\"",
            "the trace is continued: true",
            "dropped: `baggage`: baggage of an external caller is not trusted",
            "a new trace: true, linked to theirs: true",
            "their role: None",
            "dropped from an internal caller: `role`: the field is not propagated",
            "dropped from an internal caller: `locale`: it has control characters",
        ]
    );
}
