//! The capture's window, and clocks.

use ctx_check::{
    FindingKind::{ClockSkew, ImpossibleTime, Orphan},
    finding::Cause,
};

use crate::{
    scenario::{CONSUMER, INTERNAL, SERVER, Scenario, assert_healthy, found, only},
    verdicts::shop,
};

#[test]
fn an_inferred_window_has_a_margin_if_it_is_long() {
    // Near the end of 200 seconds a root is still open, and its child is there.
    let mut system = Scenario::default();
    for second in 0..=200 {
        let root = system.add(None, "web", "GET /", SERVER);
        (system.spans[root].start, system.spans[root].end) = (second * 1000, second * 1000 + 50);
    }
    let child = system.add(Some(200), "web", "inner", INTERNAL);
    system.spans[child].parent = 12345;
    system.spans[child].trace = 77;
    assert_healthy(&system.judge());
    assert_eq!(system.judge().summary.excused_orphans, 1);
    // In the middle it is an orphan.
    (system.spans[child].start, system.spans[child].end) = (100_000, 100_010);
    only(&system.judge(), Orphan, Cause::SpanLost);
    // A short capture is taken as whole: its last second is no margin.
    let mut short = system.clone();
    short.spans.retain(|span| span.start < 5000 || span.trace == 77);
    let last = short.spans.len() - 1;
    (short.spans[last].start, short.spans[last].end) = (4990, 5000);
    only(&short.judge(), Orphan, Cause::SpanLost);
    // A given window has its margin.
    let to = "[capture]\nto = \"2026-09-21T13:33:25Z\"\ngrace = \"2s\"";
    assert_eq!(short.judge_with(to).summary.excused_orphans, 1, "{:?}", found(&short.judge_with(to)));
}

#[test]
fn a_host_whose_clock_is_off_does_not_move_the_window() {
    let mut system = Scenario::default();
    for second in 0..=200 {
        let root = system.add(None, "web", "GET /", SERVER);
        (system.spans[root].start, system.spans[root].end) = (second * 1000, second * 1000 + 50);
        let (_, server) = system.reach(root, "orders");
        system.spans[server].start += 3_600_000;
        system.spans[server].end += 3_600_000;
    }
    // A root of `web` that is still open at the end, by the clock of `web`.
    let child = system.add(None, "web", "inner", INTERNAL);
    (system.spans[child].start, system.spans[child].end, system.spans[child].parent) = (199_000, 199_010, 4711);
    let report = system.judge();
    let finding = only(&report, ClockSkew, Cause::ClockSkew);
    assert_eq!(finding.service, "orders");
    assert!(finding.message.contains("60 min ahead"), "{}", finding.message);
    assert_eq!(report.summary.excused_orphans, 1);
}

#[test]
fn skew_is_one_finding_for_the_host_that_is_off() {
    let mut system = Scenario::default();
    for _ in 0..5 {
        let web = system.add(None, "web", "GET /", SERVER);
        let (_, orders) = system.reach(web, "orders");
        let (_, stock) = system.reach(orders, "stock");
        system.add(Some(stock), "stock", "inner", INTERNAL);
    }
    for span in system.spans.iter_mut().filter(|span| span.service == "orders") {
        span.start -= 2000;
        span.end -= 2000;
    }
    let finding = only(&system.judge(), ClockSkew, Cause::ClockSkew);
    assert_eq!(finding.service, "orders");
    assert!(finding.message.contains("2.0 s behind"), "{}", finding.message);
    assert_healthy(&system.judge_with("tolerance = \"3s\""));
}

#[test]
fn asynchronous_children_and_slow_servers_are_no_skew() {
    let mut system = shop(1);
    let spawned = system.add(Some(0), "web", "spawned", INTERNAL);
    system.spans[spawned].end += 60_000;
    let message = system.send(0, "mails");
    let consumer = system.add(Some(message), "mailer", "process", CONSUMER);
    system.of_queue(consumer, "mails");
    system.spans[consumer].start += 5_000;
    system.spans[consumer].end += 9_000;
    // The client gave up, and the server went on.
    let (_, server) = system.reach(0, "orders");
    system.spans[server].end += 30_000;
    assert_healthy(&system.judge());
}

#[test]
fn an_end_before_the_start_and_a_child_before_its_parent_are_found() {
    let mut system = shop(1);
    let span = system.add(Some(0), "web", "inner", INTERNAL);
    system.spans[span].end = system.spans[span].start - 5;
    only(&system.judge(), ImpossibleTime, Cause::ClockSkew);
    system.spans[span].start -= 1000;
    system.spans[span].end = system.spans[span].start + 5;
    only(&system.judge(), ImpossibleTime, Cause::ClockSkew);
}
