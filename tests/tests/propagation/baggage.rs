//! `baggage`: W3C Baggage, section 3.

use ctx_layer::{
    Fields,
    field::well_known::*,
    propagation::{BaggageError, DropReason, Trust},
};
use ctx_tests::{PLAN, Plan, SHARD};
use opentelemetry::{
    Context, KeyValue,
    baggage::{Baggage, BaggageExt},
};

use crate::{
    grammar,
    shared::{PARENT, extract, headers, injected, passed_on, sent},
};

fn through(lines: &[&str]) -> Option<String> {
    let lines = lines.iter().map(|line| ("baggage".to_owned(), (*line).to_owned())).collect::<Vec<_>>();
    let out = passed_on(&lines, Trust::internal()).remove("baggage");
    assert!(out.as_ref().is_none_or(|out| grammar::is_baggage(out)), "{out:?}");
    out
}

#[test]
fn one_bad_member_or_property_does_not_drop_the_others() {
    for (bad, why) in [
        ("key", BaggageError::NoValue),
        ("key;p=1", BaggageError::NoValue),
        ("=1", BaggageError::Key),
        (" = 1", BaggageError::Key),
        ("a b=1", BaggageError::Key),
        ("a(=1", BaggageError::Key),
        ("k\u{e9}y=1", BaggageError::Key),
        ("k=a b", BaggageError::Value),
        ("k=\"quoted\"", BaggageError::Value),
        ("k=a\\b", BaggageError::Value),
        ("k=\u{e9}", BaggageError::Value),
        ("k=\u{1}", BaggageError::Value),
    ] {
        let line = format!("a=1,{bad},b=2");
        assert_eq!(through(&[&line]).as_deref(), Some("a=1,b=2"), "{bad}");
        let extracted = extract(&headers([("baggage", &line)]), Trust::internal());
        assert_eq!(extracted.dropped()[0].reason(), DropReason::Baggage(why), "{bad}");
    }
    // Bytes that are not UTF-8.
    let out = passed_on(&[("baggage", b"a=1,b=\xff\xfe,c=3")], Trust::internal());
    assert_eq!(out["baggage"], "a=1,c=3");
    assert_eq!(through(&["a=1;good;b@d=1;q=a b;last=2"]).as_deref(), Some("a=1;good;last=2"));
}

#[test]
fn unregistered_baggage_passes_through_unchanged() {
    for (lines, expected) in [
        (vec!["z=1,b=2,a=3"], "z=1,b=2,a=3"),
        // Several header lines are one list.
        (vec!["z=1,y=2", "", "x=3"], "z=1,y=2,x=3"),
        (vec!["k=a%2541;p=%41;q,l=%22%20%E2%82%AC"], "k=a%2541;p=%41;q,l=%22%20%E2%82%AC"),
        (vec!["k = v ; p = q"], "k=v;p=q"),
        (vec!["k=x=y=z"], "k=x=y=z"),
        (vec!["k=1;p=100%;q=%;r=%4;s=%zz;t=%%41;u=%c3%a9"], "k=1;p=100%25;q=%25;r=%254;s=%25zz;t=%25%41;u=%c3%a9"),
        // The last of several members with one key counts.
        (vec!["k=1,l=2,k=3"], "k=3,l=2"),
        (vec!["k=1;old,l=2", "k=3;new"], "k=3;new,l=2"),
        // Characters that had to be encoded are encoded.
        (vec!["k=100%"], "k=100%25"),
    ] {
        assert_eq!(through(&lines).as_deref(), Some(expected), "{lines:?}");
    }
}

#[test]
fn properties_are_sent_on_with_their_value_and_not_with_another() {
    let line = "tenant_id=acme;ttl=30; p = a b ;internal, x-shard=7;q=%20x, user_id=ada, x-shard=seven;r, other=1;s";
    // Fields are sent in the order in which the tests of this process register them.
    let members = |header: &str| header.split(',').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(
        through(&[line]).as_deref().map(members),
        Some(members("tenant_id=acme;ttl=30;internal,user_id=ada,x-shard=7;q=%20x,other=1;s"))
    );

    // The properties of the last value.
    let again = "tenant_id=a;p,tenant_id=b;q,user_id=ada;r,tenant_id=c;s,user_id=bob";
    assert_eq!(through(&[again]).as_deref(), Some("tenant_id=c;s,user_id=bob"));

    for incoming in [headers([("baggage", line)]), headers([("traceparent", PARENT), ("baggage", line)])] {
        let extracted = extract(&incoming, Trust::internal());
        let changed = extracted.in_scope(|| {
            Fields::current().with(&TENANT_ID, "acme").with(&SHARD, 8u64).in_scope(ctx_layer::propagation::capture)
        });
        let expected = members("tenant_id=acme,user_id=ada,x-shard=8,other=1;s");
        assert_eq!(changed.get("baggage").map(members), Some(expected));
    }
}

#[test]
fn decoding_encoding_and_decoding_again_is_lossless() {
    for text in [
        "",
        "a%41",
        " blanks\t",
        "\"quotes\"",
        "🚲 emoji",
        "a=b;c,d\\e",
        "zürich",
        "%",
        "%%",
        "\u{0}\u{7f}\u{85}",
        "💩%F0",
    ] {
        let written = &injected(&Context::new().with_baggage([KeyValue::new("key", text)]))["baggage"];
        assert!(grammar::is_baggage(written), "{written}");
        let read = extract(&headers([("baggage", written)]), Trust::internal()).into_context();
        assert_eq!(read.baggage().get("key").map(|value| value.as_str().to_owned()).as_deref(), Some(text));
        assert_eq!(through(&[written]).as_ref(), Some(written), "{text}");
    }
}

#[test]
fn fields_are_sent_under_their_baggage_keys_and_keep_their_types() {
    let fields = Fields::new().with(&TENANT_ID, "a%41 \"ü\" 🚲,;=").with(&SHARD, 7u64).with(&PLAN, Plan(3));
    let header = sent(fields).expect("there is something to send");
    assert!(grammar::is_baggage(&header), "{header}");
    assert!(header.contains("x-shard=7") && header.contains("plan=plan-3"), "{header}");
    assert!(header.contains("tenant_id=a%2541%20%22%C3%BC%22%20%F0%9F%9A%B2%2C%3B="), "{header}");

    let extracted = extract(&headers([("baggage", &header)]), Trust::internal());
    let fields = extracted.fields();
    assert_eq!(fields.get(&TENANT_ID).map(|text| text.as_str()), Some("a%41 \"ü\" 🚲,;="));
    assert_eq!((fields.get(&SHARD), fields.get(&PLAN), fields.len()), (Some(&7), Some(&Plan(3)), 3));
    assert!(extracted.context().baggage().is_empty(), "a field is no baggage besides");
}

#[test]
fn the_last_good_value_of_a_repeated_field_counts() {
    let fields = |line| extract(&headers([("baggage", line)]), Trust::internal()).fields().get(&SHARD).copied();
    assert_eq!(fields("x-shard=1,x-shard=2"), Some(2));
    assert_eq!(fields("x-shard=1,x-shard=two"), Some(1));
}

#[test]
fn the_programs_baggage_is_sent_and_its_fields_win() {
    let baggage = [KeyValue::new("b", "2 3"), KeyValue::new("a", "1"), KeyValue::new("tenant_id", "by baggage")];
    let cx = Context::new().with_baggage(baggage);
    assert_eq!(injected(&cx)["baggage"], "a=1,b=2%203,tenant_id=by%20baggage");
    let cx = ctx_layer::context::ContextFieldsExt::with_fields(&cx, Fields::new().with(&TENANT_ID, "own"));
    assert_eq!(injected(&cx)["baggage"], "tenant_id=own,a=1,b=2%203");
}

#[test]
fn the_programs_properties_are_encoded_before_they_are_sent() {
    let mut baggage = Baggage::new();
    baggage.insert_with_metadata("k", "v", "a b;good;q=a, b\u{e9};r=%41; s = t ");
    let header = &injected(&Context::new().with_baggage(baggage))["baggage"];
    assert_eq!(header, "k=v;good;q=a%2C%20b%C3%A9;r=%41;s=t");
    assert!(grammar::is_baggage(header));
}
