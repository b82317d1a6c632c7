//! 64 members and 8192 bytes: W3C Baggage, section 3.3.2.

use ctx_layer::{
    Fields,
    field::well_known::*,
    propagation::{Boundary, Outbound, Trust},
};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt};

use crate::{
    grammar,
    shared::{LONG, extract, headers, passed_on, sent},
};

fn list(count: usize, value: &str) -> String {
    (0..count).map(|n| format!("k{n:03}={value}")).collect::<Vec<_>>().join(",")
}

#[test]
fn baggage_of_64_members_and_8192_bytes_is_passed_on_whole() {
    for header in [
        list(64, "v"),
        format!("a={}", "0123456789".repeat(819)),
        list(64, &"v".repeat(122)),
        // Encoded length counts.
        format!("a={}", "%F0%9F%9A%B2".repeat(682)),
    ] {
        assert!(header.len() <= 8192);
        let out = passed_on(&headers([("baggage", &header)]), Trust::internal());
        assert_eq!(out["baggage"], header);
    }
}

#[test]
fn over_the_limits_whole_members_are_dropped_from_the_end() {
    for (header, kept) in [
        (list(65, "v"), list(64, "v")),
        (list(180, "v"), list(64, "v")),
        (list(64, &"v".repeat(126)), list(62, &"v".repeat(126))),
        (format!("{},b=1", "a=".to_owned() + &"x".repeat(8190)), "a=".to_owned() + &"x".repeat(8190)),
        (format!("{},b=1", "a=".to_owned() + &"x".repeat(8191)), "b=1".to_owned()),
    ] {
        let out = passed_on(&headers([("baggage", &header)]), Trust::internal());
        assert!(grammar::is_baggage(&out["baggage"]));
        assert_eq!(out["baggage"], kept);
    }
}

#[test]
fn fields_come_before_other_baggage_and_received_before_added() {
    let extracted = extract(&headers([("baggage", &list(60, "v"))]), Trust::internal());
    let baggage = extracted.context().baggage();
    let all = baggage.iter().map(|(key, (value, _))| KeyValue::new(key.clone(), value.as_str().to_owned()));
    let added = (0..4).map(|n| KeyValue::new(format!("added{n}"), "v"));
    let cx = extracted.context().with_baggage(all.chain(added).collect::<Vec<_>>());
    let cx = ctx_layer::context::ContextFieldsExt::with_fields(
        &cx,
        Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "ada"),
    );
    let out = crate::shared::injected(&cx).remove("baggage").expect("there is something to send");
    assert_eq!(out, format!("tenant_id=acme,user_id=ada,{},added0=v,added1=v", list(60, "v")));
}

#[test]
fn a_member_that_does_not_fit_is_left_out_and_the_next_is_sent() {
    static BOUNDARY: Boundary = Boundary::new("limits");
    let fields = Fields::new().with(&LONG, "x".repeat(9000)).with(&TENANT_ID, "acme");
    let mut out = Vec::new();
    fields.clone().in_scope(|| BOUNDARY.inject(&mut out, Outbound::Everything));
    assert_eq!(out, headers([("baggage", "tenant_id=acme")]));
    assert_eq!((BOUNDARY.counts().over_limit, BOUNDARY.counts().dropped), (1, 0));
    assert_eq!(sent(fields).as_deref(), Some("tenant_id=acme"));
}

#[test]
fn baggage_that_grows_when_encoded_is_within_the_limits() {
    let cx = Context::new().with_baggage([KeyValue::new("a", "ü".repeat(2000)), KeyValue::new("b", "1")]);
    assert_eq!(crate::shared::injected(&cx)["baggage"], "b=1");
}
