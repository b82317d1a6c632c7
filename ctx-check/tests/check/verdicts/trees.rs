//! Trees: the same delivery, circles, traces over the limit.

use ctx_check::{
    FindingKind::{InvalidTree, LargeTrace},
    finding::Cause,
};

use crate::{
    scenario::{INTERNAL, Scenario, assert_healthy, found, only},
    verdicts::shop,
};

#[test]
fn the_same_delivery_twice_is_one_span() {
    let system = shop(2);
    let mut lines = system.lines();
    lines.extend(system.lines());
    let report = crate::scenario::judge(lines.join("\n"), "");
    assert_healthy(&report);
    assert_eq!((report.summary.spans, report.summary.repeated_spans), (10, 10));
    // Another span with the same id is not.
    let mut other = system.spans[3].clone();
    other.name = "another".to_owned();
    lines.push(other.line(&[]));
    only(&crate::scenario::judge(lines.join("\n"), ""), InvalidTree, Cause::RepeatedId);
}

#[test]
fn spans_that_are_their_own_ancestors_are_found() {
    let mut system = shop(1);
    let a = system.add(Some(0), "web", "a", INTERNAL);
    let b = system.add(Some(a), "web", "b", INTERNAL);
    system.spans[a].parent = system.spans[b].id;
    only(&system.judge(), InvalidTree, Cause::RepeatedId);
    system.spans[a].parent = system.spans[a].id;
    system.spans.truncate(6);
    only(&system.judge(), InvalidTree, Cause::RepeatedId);
}

#[test]
fn a_trace_over_the_limit_is_judged_in_part_and_named() {
    let mut system = Scenario::default();
    let root = system.add(None, "web", "loop", INTERNAL);
    for _ in 0..50 {
        system.add(Some(root), "web", "step", INTERNAL);
    }
    assert_healthy(&system.judge());
    let report = system.judge_with("[limits]\nspans_per_trace = 20");
    assert!(report.findings.iter().any(|finding| finding.kind == LargeTrace), "{:?}", found(&report));
    assert_eq!(report.summary.spans, 20);
}
