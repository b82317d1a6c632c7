//! Orphans, roots and traces without one.

use ctx_check::{
    FindingKind::{BrokenEdge, Orphan, SeveralRoots, UnexpectedRoot},
    finding::Cause,
};

use crate::{
    scenario::{INTERNAL, SERVER, Scenario, assert_healthy, only},
    verdicts::shop,
};

#[test]
fn a_trace_without_a_root_is_found_by_its_orphans_alone() {
    let mut system = shop(2);
    system.remove(0);
    let report = system.judge();
    let finding = only(&report, Orphan, Cause::SpanLost);
    assert_eq!((&*finding.service, finding.count), ("web", 1));
    assert_eq!(report.summary.traces_without_root, 1);
}

#[test]
fn orphans_of_an_unknown_caller_are_named_as_that() {
    let mut system = shop(1);
    system.spans.remove(0);
    system.spans.remove(0);
    let finding = only(&system.judge(), Orphan, Cause::UnknownCaller);
    assert_eq!((&*finding.service, finding.count), ("orders", 1));
}

#[test]
fn an_entry_service_may_continue_traces_of_external_callers() {
    let mut system = shop(1);
    system.spans[0].parent = 77;
    assert_healthy(&system.judge_with("[services]\nentry = \"web\""));
    only(&system.judge(), Orphan, Cause::UnknownCaller);
}

#[test]
fn the_parent_s_place_in_the_flags_decides_which_process_lost_it() {
    let mut system = shop(1);
    system.remove(0);
    system.spans[0].flags = Some(0x301);
    only(&system.judge(), Orphan, Cause::UnknownCaller);
    system.spans[0].flags = Some(0x101);
    only(&system.judge(), Orphan, Cause::SpanLost);
}

#[test]
fn two_versions_of_opentelemetry_explain_orphans_inside_a_service() {
    let mut system = Scenario::default();
    let root = system.add(None, "web", "GET /", SERVER);
    let inner = system.add(Some(root), "web", "inner", INTERNAL);
    system.add(Some(inner), "web", "library", INTERNAL);
    system.remove(inner);
    let mut lines = system.lines();
    for (line, version) in lines.iter_mut().zip(["0.33.0", "0.27.1"]) {
        let marked = format!(
            r#"{{"key":"telemetry.sdk.version","value":{{"stringValue":"{version}"}}}},{{"key":"service.name""#
        );
        *line = line.replacen(r#"{"key":"service.name""#, &marked, 1);
    }
    let report = crate::scenario::judge(lines.join("\n"), "");
    let finding = only(&report, Orphan, Cause::AnotherVersion);
    assert!(
        finding.cause_words.contains("0.27.1") && finding.cause_words.contains("0.33.0"),
        "{}",
        finding.cause_words
    );
}

#[test]
fn an_unsampled_parent_excuses_only_services_that_are_declared_to_sample() {
    let mut system = shop(2);
    let orders = 2;
    let below = system.below(orders);
    system.spans = system
        .spans
        .iter()
        .enumerate()
        .filter(|(place, _)| !below.contains(place))
        .map(|(_, span)| span.clone())
        .collect();
    // The spans of `orders` and below are gone for one of the calls.
    let finding = only(&system.judge(), BrokenEdge, Cause::SampledAway);
    assert_eq!((finding.count, finding.of), (1, 2));
    assert_healthy(&system.judge_with("[services]\nsampled = [\"orders\"]"));
}

#[test]
fn a_second_root_without_a_call_is_a_finding_of_its_own() {
    let mut system = shop(1);
    let span = system.add(Some(0), "web", "job", INTERNAL);
    system.spans[span].parent = 0;
    only(&system.judge(), SeveralRoots, Cause::ParentDropped);
}

#[test]
fn a_trace_that_starts_in_the_middle_is_found_if_entries_are_declared() {
    let mut system = shop(1);
    system.add(None, "stock", "GET /x", SERVER);
    assert_healthy(&system.judge());
    let finding = only(&system.judge_with("[services]\nentry = [\"web\"]"), UnexpectedRoot, Cause::UnknownCaller);
    assert_eq!(finding.service, "stock");
}
