//! The forms of the report.

use ctx_check::{
    FindingKind, Report,
    report::{Baseline, Gates, Share, html, junit, markdown, sarif, table},
};

use crate::scenario::{SERVER, Scenario};

/// Names that would be markup, colours or commands where they are not escaped.
const HOSTILE: &str = "<script>alert(1)</script>\u{1b}[31m|`x`@everyone</td>\u{202e}]]>&\"'\n\u{2028}{{data}}";

fn broken() -> Scenario {
    let mut system = Scenario::default();
    for number in 0..3 {
        let web = system.add(None, "web", "GET /", SERVER);
        let (_, orders) = system.reach(web, "orders");
        system.reach(orders, "stock");
        if number == 0 {
            system.tear_off(orders);
        }
    }
    system
}

fn hostile() -> Report {
    let mut system = broken();
    for span in &mut system.spans {
        span.name = HOSTILE.to_owned();
        span.service = span.service.replace("orders", HOSTILE);
        for (_, value) in &mut span.attributes {
            *value = value.replace("orders", HOSTILE);
        }
    }
    system.set(0, HOSTILE, "ada@example.com");
    let mut report = system.judge();
    report.problems.push(ctx_check::report::ProblemReport {
        file: HOSTILE.to_owned(),
        line: 1,
        column: 1,
        what: HOSTILE.to_owned(),
    });
    report.summary.problems = 1;
    report
}

#[test]
fn json_has_one_record_for_each_finding() {
    let json: serde_json::Value =
        serde_json::from_str(&broken().judge().json().expect("it is JSON")).expect("it is JSON");
    assert_eq!(json["version"], 1);
    let finding = &json["findings"][0];
    for (key, value) in [
        ("kind", "broken_edge"),
        ("rule_id", "ctx/broken-edge"),
        ("severity", "error"),
        ("service", "web"),
        ("cause", "header_stripped"),
    ] {
        assert_eq!(finding[key], value, "{key}");
    }
    assert_eq!(finding["edge"], serde_json::json!({ "from": "web", "to": "orders", "via": "orders" }));
    assert_eq!(finding["trace_id"].as_str().map(str::len), Some(32));
    assert_eq!(finding["span_ids"][0].as_str().map(str::len), Some(16));
    assert_eq!((finding["count"].as_u64(), finding["of"].as_u64()), (Some(1), Some(3)));
    assert_eq!(finding["examples"][0]["file"], "file");
    assert!(finding["cause_words"].as_str().is_some_and(|words| words.contains("traceparent")));
}

#[test]
fn the_table_shows_the_verdict_the_cause_and_what_to_do() {
    let shown = table(&broken().judge(), None, false);
    for expected in [
        "1 findings: 4 traces, 15 spans, 0 log records, 3 services, 1 files",
        "error 1 of 3 calls from `web` to `orders` do not continue its trace [ctx/broken-edge]",
        "why  `traceparent` is removed between `web` and `orders`",
        "do   let `traceparent`, `tracestate` and `baggage` pass",
        "web     ->  orders  broken             2       1",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    assert!(!shown.contains('\u{1b}') && table(&broken().judge(), None, true).contains('\u{1b}'));
}

#[test]
fn hostile_names_are_text_in_every_form() {
    let report = hostile();
    let shown = table(&report, None, false);
    assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{2028}']) || !shown.contains('\u{1b}'), "{shown}");
    assert!(shown.contains("\\u{1b}[31m"), "{shown}");
    let shown = markdown(&report, &[], None);
    assert!(!shown.contains("<script") && !shown.contains("@everyone") && !shown.contains("`x`"), "{shown}");
    let shown = junit(&report, &[]);
    assert!(!shown.contains("<script") && !shown.contains('\u{1b}'), "{shown}");
    assert_eq!(
        shown.matches("<testcase").count(),
        shown.matches("</testcase>").count() + shown.matches("time=\"0\"/>").count()
    );
    let page = html(&report);
    assert_eq!(page.matches("<script").count(), 2, "a name ends or starts a script");
    assert_eq!(page.matches("</script>").count(), 2);
    serde_json::from_str::<serde_json::Value>(&report.json().expect("it is JSON")).expect("it is JSON");
    let _ = sarif(&report);
}

#[test]
fn the_page_refers_to_nothing_outside() {
    let page = html(&broken().judge());
    for reference in
        ["src=", "@import", "fetch(", "XMLHttpRequest", "WebSocket", "innerHTML", "eval(", "document.write"]
    {
        assert!(!page.contains(reference), "{reference}");
    }
    assert_eq!(page.matches("url(").count(), page.matches("url(#").count());
    let addresses: Vec<&str> = page.match_indices("http").map(|(at, _)| &page[at..(at + 30).min(page.len())]).collect();
    let allowed = |address: &&str| {
        address.starts_with("http://www.w3.org/2000/svg")
            || address.starts_with("http-equiv")
            || !address.contains("://")
    };
    assert!(addresses.iter().all(allowed), "{addresses:?}");
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn sarif_has_the_members_that_code_scanning_needs() {
    let sarif = sarif(&broken().judge());
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"ctx/broken-edge".into(), &"error".into()));
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "file");
    assert!(result["partialFingerprints"]["ctxCheck/v1"].is_string());
    let ids: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|rule| rule["id"].as_str())
        .collect();
    assert_eq!(ids.len(), FindingKind::ALL.len());
    assert!(ids.contains(&"ctx/broken-edge"));
}

#[test]
fn junit_fails_the_rules_that_have_findings() {
    let shown = junit(&broken().judge(), &[]);
    assert!(shown.contains("<testsuites tests=\"17\" failures=\"1\">"), "{shown}");
    assert!(shown.contains("name=\"ctx/broken-edge\" time=\"0\">"), "{shown}");
}

#[test]
fn gates_hold_or_say_what_was_found() {
    let report = broken().judge_with("require = [\"tenant_id\"]");
    let check =
        |gates: Gates| gates.check(&report, None).into_iter().map(|violation| violation.gate).collect::<Vec<_>>();
    assert_eq!(check(Gates::default()), [""; 0]);
    assert_eq!(check(Gates { max_broken: Some(Share::Part(0.15)), ..Gates::default() }), ["--max-broken"]);
    assert_eq!(check(Gates { max_broken: Some(Share::Part(0.2)), ..Gates::default() }), [""; 0]);
    assert_eq!(check(Gates { max_broken: Some(Share::Number(1)), ..Gates::default() }), [""; 0]);
    assert_eq!(check(Gates { max_orphans: Some(Share::Number(0)), ..Gates::default() }), [""; 0]);
    assert_eq!(check(Gates { max_missing: Some(Share::Number(14)), ..Gates::default() }), ["--require"]);
    assert_eq!(check(Gates { max_missing: Some(Share::Part(1.0)), ..Gates::default() }), [""; 0]);
    assert_eq!(check(Gates { no_mixed: true, no_sensitive: true, no_problems: true, ..Gates::default() }), [""; 0]);
    assert_eq!(check(Gates { min_score: Some(100.0), ..Gates::default() }), ["--min-score"; 3]);
    for (text, expected) in
        [("5", Some(Share::Number(5))), ("0.5%", Some(Share::Part(0.005))), ("x", None), ("101%", None), ("-1", None)]
    {
        assert_eq!(Share::parse(text).ok(), expected, "{text}");
    }
}

#[test]
fn a_baseline_shows_what_is_new_worse_and_gone() {
    let report = broken().judge();
    let baseline = Baseline::parse(&report.json().expect("it is JSON")).expect("it is one");
    let same = baseline.compare(&report);
    assert!(!same.is_worse() && same.gone.is_empty(), "{same:?}");

    let mut worse = broken();
    worse.tear_off(7);
    let comparison = baseline.compare(&worse.judge());
    assert_eq!((comparison.new.len(), comparison.worse.len(), comparison.gone.len()), (0, 1, 0), "{comparison:?}");

    let mut other = broken();
    other.spans[2].trace = other.spans[1].trace;
    other.spans[3].trace = other.spans[1].trace;
    other.spans[4].trace = other.spans[1].trace;
    other.spans[2].parent = 999;
    let comparison = baseline.compare(&other.judge());
    assert_eq!((comparison.new.len(), comparison.worse.len(), comparison.gone.len()), (1, 0, 1), "{comparison:?}");
    assert!(comparison.is_worse());
    assert!(Baseline::parse("{}").is_err() && Baseline::parse("[").is_err());
}
