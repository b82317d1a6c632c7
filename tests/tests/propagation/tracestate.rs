//! `tracestate`: W3C Trace Context Level 2, section 3.3.

use ctx_layer::propagation::{DropReason, TraceStateError, Trust};

use crate::{
    grammar,
    shared::{PARENT, extract, headers, passed_on},
};

fn through(lines: &[&str]) -> Option<String> {
    let mut carrier = headers([("traceparent", PARENT)]);
    carrier.extend(lines.iter().map(|line| ("tracestate".to_owned(), (*line).to_owned())));
    let mut out = passed_on(&carrier, Trust::external());
    assert_eq!(out["traceparent"], PARENT, "its faults never affect traceparent: {lines:?}");
    let list = out.remove("tracestate");
    assert!(list.as_ref().is_none_or(|list| grammar::is_tracestate(list)), "{list:?}");
    list
}

fn members(range: std::ops::RangeInclusive<usize>) -> String {
    range.map(|n| format!("bar{n:02}={n:02}")).collect::<Vec<_>>().join(",")
}

#[test]
fn valid_lists_are_passed_on_in_order() {
    let (key, value) = ("z".repeat(256), "v".repeat(256));
    let all_of_key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let all_of_value: String = (' '..='~').filter(|c| *c != ',' && *c != '=').collect();
    for (lines, expected) in [
        (vec!["foo=1,bar=2"], "foo=1,bar=2".to_owned()),
        // Several header lines are one list.
        (vec!["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], "foo=1,bar=2,rojo=1,congo=2,baz=3".to_owned()),
        // Empty lines and empty members are legal.
        (vec!["", "foo=1", ""], "foo=1".to_owned()),
        (vec!["foo=1,,bar=2, ,\t,"], "foo=1,bar=2".to_owned()),
        // Whitespace around members is not part of them.
        (vec!["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3".to_owned()),
        (vec!["\t foo=1 \t"], "foo=1".to_owned()),
        // Leading spaces belong to the value.
        (vec!["foo=  1"], "foo=  1".to_owned()),
        // Level 2: `@` is an ordinary character, also where OpenTelemetry's own type refuses it.
        (vec!["foo@=1,foo@@bar=2,foo@bar@baz=3,1a=4"], "foo@=1,foo@@bar=2,foo@bar@baz=3,1a=4".to_owned()),
        (
            vec![&format!("{}@{}=1", "t".repeat(241), "v".repeat(14))],
            format!("{}@{}=1", "t".repeat(241), "v".repeat(14)),
        ),
        (vec!["foo=1", &format!("t@{}=1", "v".repeat(15))], format!("foo=1,t@{}=1", "v".repeat(15))),
        // At the limits.
        (vec![&format!("{key}=1")], format!("{key}=1")),
        (vec![&format!("k={value}")], format!("k={value}")),
        (vec![&format!("{all_of_key}={all_of_value}")], format!("{all_of_key}={all_of_value}")),
        (vec![&format!("{all_of_key}@a-z0-9_-*/={all_of_value}")], format!("{all_of_key}@a-z0-9_-*/={all_of_value}")),
        (vec![&members(1..=10), &members(11..=20), &members(21..=32)], members(1..=32)),
        // The leftmost of several members with one key stays: it was written last.
        (vec!["foo=1,bar=2,foo=3", "bar=4"], "foo=1,bar=2".to_owned()),
        (vec!["foo=1,foo=1"], "foo=1".to_owned()),
    ] {
        assert_eq!(through(&lines).as_deref(), Some(expected.as_str()), "{lines:?}");
    }
}

#[test]
fn a_malformed_long_or_overfull_list_is_discarded_whole() {
    use TraceStateError::*;
    let (key, value) = ("z".repeat(257), "v".repeat(257));
    for (lines, why) in [
        (vec!["foo =1"], Key),
        (vec!["FOO=1"], Key),
        (vec!["foo.bar=1"], Key),
        (vec!["@foo=1,bar=2"], Key),
        (vec!["_foo=1"], Key),
        (vec!["=1"], Key),
        (vec!["fo\u{f6}=1"], Key),
        (vec!["foo=1", &format!("{key}=1")], Key),
        (vec!["bar=1", "foo=bar=baz"], Value),
        (vec!["foo=,bar=3"], Value),
        (vec!["foo= ,bar=3"], Value),
        (vec!["foo=a\tb"], Value),
        (vec!["foo=\u{f6}"], Value),
        (vec!["foo=a\x7f"], Value),
        (vec![&format!("k={value}")], Value),
        (vec!["foo=1,bar"], NoValue),
        (vec!["foo=1", ";"], NoValue),
        (vec![&members(1..=10), &members(11..=20), &members(21..=33)], TooMany),
        // Each member counts, repeated ones included.
        (vec![&"a=1,".repeat(33)], TooMany),
    ] {
        assert_eq!(through(&lines), None, "{lines:?}");
        let mut carrier = headers([("traceparent", PARENT)]);
        carrier.extend(lines.iter().map(|line| ("tracestate".to_owned(), (*line).to_owned())));
        let extracted = extract(&carrier, Trust::external());
        assert_eq!(extracted.dropped()[0].reason(), DropReason::TraceState(why), "{lines:?}");
    }
    assert_eq!(through(&[]), None);
    assert_eq!(through(&[""]), None);
}

#[test]
fn without_a_traceparent_there_is_no_tracestate() {
    assert!(passed_on(&headers([("tracestate", "foo=1")]), Trust::internal()).is_empty());
}
