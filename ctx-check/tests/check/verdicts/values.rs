//! Values: sensitive ones, sizes, cardinality, own rules.

use ctx_check::{
    FindingKind::{Cardinality, HeaderSize, OwnRule, SensitiveValue},
    finding::Cause,
};

use crate::{
    scenario::{INTERNAL, SERVER, Scenario, assert_healthy, found, only},
    verdicts::shop,
};

#[test]
fn sensitive_values_are_found_where_they_are() {
    let mut system = shop(1);
    system.set(0, "user.email", "ada@example.com");
    system.set(2, "db.password", "hunter2");
    system.log(0, &[("card", "4111 1111 1111 1111x")]);
    let file = system.lines().join("\n");
    let found_here = found(&crate::scenario::judge(&file, ""));
    assert_eq!(found_here, ["ctx/sensitive-value | orders | recorded", "ctx/sensitive-value | web | recorded"]);
    let allowed = "[sensitive]\nallow = [\"user.email\", \"*password\"]";
    assert_healthy(&crate::scenario::judge(&file, allowed));
    assert_healthy(&crate::scenario::judge(&file, "[sensitive]\nbuiltin = false"));
    // Own patterns and hashes: the SHA-256 of `hunter2`.
    let own = "[sensitive]\nbuiltin = false\npatterns = { order = \"^hunter[0-9]$\" }";
    only(&crate::scenario::judge(&file, own), SensitiveValue, Cause::Recorded);
    let hashes =
        "[sensitive]\nbuiltin = false\nhashes = [\"f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7\"]";
    only(&crate::scenario::judge(&file, hashes), SensitiveValue, Cause::Recorded);
}

#[test]
fn headers_that_need_not_be_passed_on_are_found() {
    let mut system = shop(1);
    system.set(0, "http.request.header.baggage", &"k=v,".repeat(2048));
    assert_healthy(&system.judge());
    system.set(0, "http.request.header.baggage", &"k=v,".repeat(2049));
    only(&system.judge(), HeaderSize, Cause::Unbounded);
    assert_healthy(&system.judge_with("[limits]\nbaggage = 10000"));

    let state = |members: usize| (0..members).map(|number| format!("v{number}=1")).collect::<Vec<_>>().join(",");
    for (members, is_found) in [(32, false), (33, true)] {
        let line = shop(1).lines().join("\n").replacen(
            r#""kind""#,
            &format!(r#""traceState":"{}","kind""#, state(members)),
            1,
        );
        assert_eq!(!crate::scenario::judge(line, "").findings.is_empty(), is_found, "{members}");
    }
}

#[test]
fn too_many_values_are_found() {
    let mut system = shop(1);
    for number in 0..20 {
        let span = system.add(Some(0), "web", &format!("GET /orders/{number}"), INTERNAL);
        system.set(span, "plan", &format!("plan {number}"));
    }
    let finding = only(&system.judge_with("[limits]\nspan_names = 20"), Cardinality, Cause::Unbounded);
    assert_eq!((finding.field.as_deref(), finding.count), (Some("span name"), 22));
    let finding =
        only(&system.judge_with("[[field]]\nname = \"plan\"\nmax_distinct = 19"), Cardinality, Cause::Unbounded);
    assert_eq!((finding.field.as_deref(), finding.count), (Some("plan"), 20));
    assert_healthy(&system.judge_with("[[field]]\nname = \"plan\"\nmax_distinct = 20"));
}

#[test]
fn own_rules_are_reported_beside_the_score() {
    let mut system = shop(2);
    let rule = "[[rule]]\nid = \"SHOP-1\"\ndescription = \"orders have a region\"\non = \"span\"\nservice = \"orders\"\nname = \"GET*\"\nrequire = [\"region\"]\nmatches = { region = \"eu-*\" }\n";
    let report = system.judge_with(rule);
    let finding = only(&report, OwnRule, Cause::Rule);
    assert_eq!((&*finding.rule_id, finding.count), ("SHOP-1", 4));
    let scores: Vec<_> = report.scores.iter().map(|score| score.score).collect();
    for span in 0..system.spans.len() {
        system.set(span, "region", "eu-1");
    }
    let healthy = system.judge_with(rule);
    assert_healthy(&healthy);
    assert_eq!(scores, healthy.scores.iter().map(|score| score.score).collect::<Vec<_>>());
}

#[test]
fn the_name_of_a_package_in_a_command_line_is_no_email_address() {
    let mut system = Scenario::default();
    let path = "gjs /usr/share/extensions/icons@desktop.example.com/icons.js";
    system.resources.insert("web".to_owned(), vec![("process.command_line".to_owned(), path.to_owned())]);
    let web = system.add(None, "web", "GET /", SERVER);
    assert_healthy(&system.judge());
    system.set(web, "user", "icons@desktop.example.com");
    only(&system.judge(), SensitiveValue, Cause::Recorded);
}
