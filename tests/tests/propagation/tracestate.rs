//! `tracestate`: W3C Trace Context Level 2, section 3.3.

use ctx_layer::propagation::{
    DropReason, Trust,
    tracestate::{TraceStateError, TraceStateList},
};

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
fn lists_that_are_legal_are_passed_on_in_order() {
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
        // Blanks around members are not part of them.
        (vec!["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3".to_owned()),
        (vec!["\t foo=1 \t"], "foo=1".to_owned()),
        // Leading blanks belong to the value.
        (vec!["foo=  1"], "foo=  1".to_owned()),
        // Level 2: `@` is a character like others, also where OpenTelemetry's own type refuses it.
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
        // Of members with one key the leftmost stays: the one that was written last.
        (vec!["foo=1,bar=2,foo=3", "bar=4"], "foo=1,bar=2".to_owned()),
        (vec!["foo=1,foo=1"], "foo=1".to_owned()),
    ] {
        assert_eq!(through(&lines).as_deref(), Some(expected.as_str()), "{lines:?}");
    }
}

#[test]
fn a_list_that_is_malformed_over_long_or_over_full_is_discarded_whole() {
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
        // Each counts, the repeated too.
        (vec![&"a=1,".repeat(33)], TooMany),
    ] {
        assert_eq!(through(&lines), None, "{lines:?}");
        let found = TraceStateList::parse(lines.iter().map(|line| line.as_bytes()));
        assert_eq!(found, Err(why), "{lines:?}");
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

#[test]
fn what_is_changed_or_added_is_at_the_left_end() {
    let list = TraceStateList::parse([&b"a=1,b=2,c=3"[..]]).expect("it is valid");
    assert_eq!(list.with("b", "new").expect("it is valid").as_str(), "b=new,a=1,c=3");
    assert_eq!(list.with("d", "4").expect("it is valid").as_str(), "d=4,a=1,b=2,c=3");
    assert_eq!(list.with("D", "4"), Err(TraceStateError::Key));
    assert_eq!(list.with("d", "4 "), Err(TraceStateError::Value));

    let full = TraceStateList::parse([members(1..=32).as_bytes()]).expect("it is valid");
    let changed = full.with("new", "x").expect("it is valid");
    assert_eq!((changed.len(), changed.as_str()), (32, format!("new=x,{}", members(1..=31)).as_str()));
}

#[test]
fn a_list_is_cut_by_whole_members_the_long_ones_first_and_then_from_the_right() {
    let long = |key: &str| format!("{key}={}", "x".repeat(127));
    let short = |key: &str| format!("{key}={}", "x".repeat(97));
    assert_eq!((long("a").len(), short("a").len()), (129, 99));
    let text = [short("a"), long("b"), short("c"), long("d"), short("e"), short("f"), short("g")].join(",");
    let parse = || TraceStateList::parse([text.as_bytes()]).expect("it is valid");
    let keys = |list: &TraceStateList| list.members().map(|(key, _)| key.to_owned()).collect::<String>();

    for (max_len, left) in [
        (text.len(), "abcdefg"),
        (text.len() - 1, "abcefg"),
        (text.len() - 131, "acefg"),
        // At least 512 bytes are always passed on.
        (512, "acefg"),
        (0, "acefg"),
    ] {
        let mut list = parse();
        list.cut(max_len);
        assert_eq!(keys(&list), left, "{max_len}");
        assert!(list.as_str().len() <= max_len.max(512) && grammar::is_tracestate(list.as_str()));
        assert_eq!(list.len(), left.len());
    }

    let text = ["a", "b", "c", "d", "e", "f", "g"].map(short).join(",");
    let mut list = TraceStateList::parse([text.as_bytes()]).expect("it is valid");
    list.cut(512);
    assert_eq!(keys(&list), "abcde");
}
