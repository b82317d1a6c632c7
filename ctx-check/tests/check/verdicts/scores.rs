//! The score of the instrumentation-score specification.

use crate::{
    scenario::{CLIENT, INTERNAL, Scenario},
    verdicts::shop,
};

#[test]
fn the_rules_of_the_specification_are_scored_by_its_formula() {
    let report = shop(1).judge();
    let score = report.scores.iter().find(|score| score.service == "web").expect("it is scored");
    let outcome =
        |id: &str| score.rules.iter().find(|rule| rule.rule_id == id).map(|rule| format!("{:?}", rule.outcome));
    // No `service.instance.id`: RES-001 (20) of RES-001, RES-004, RES-005, SPA-001, SPA-002, SPA-004, SPA-005 is broken.
    assert_eq!(outcome("RES-001").as_deref(), Some("Failed"));
    assert_eq!(outcome("SPA-002").as_deref(), Some("Passed"));
    assert_eq!(outcome("MET-001").as_deref(), Some("NotApplicable"));
    assert_eq!(outcome("SPA-003").as_deref(), Some("NotComputed"));
    let expected = f64::from(30 + 40 + 20 + 20 + 30 + 30) / f64::from(20 + 30 + 40 + 20 + 20 + 30 + 30) * 100.0;
    assert!((score.score.expect("it has a score") - expected).abs() < 1e-9, "{score:?}");
    assert!(!score.is_complete);
}

#[test]
fn each_rule_of_the_specification_can_fail() {
    let line = |resource: &str, scope: &str| {
        format!(
            r#"{{"resource{0}":[{{"resource":{{"attributes":[{resource}]}},"scope{0}":[{{{scope}}}]}}]}}"#,
            "Metrics"
        )
    };
    let text = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let service = text("service.name", "web");
    let metric = |name: &str, unit: &str, bounds: &str| {
        format!(
            r#""metrics":[{{"name":"{name}","unit":"{unit}","histogram":{{"dataPoints":[{{"explicitBounds":[{bounds}]}}]}}}}]"#
        )
    };
    let metrics = [
        line(&service, &metric("duration", "s", "1,2")),
        line(&service, &metric("duration", "ms", "1,3")),
        line(&service, &metric("sent_bytes", "By", "1")),
        line(&service, &metric("http.route", "", "1")),
    ]
    .join("\n");
    let debug = |time: &str| {
        let resource = format!("{service},{}", text("deployment.environment.name", "production"));
        line(
            &resource,
            &format!(r#""logRecords":[{{"timeUnixNano":"{time}","severityNumber":5}},{{"timeUnixNano":"{time}"}}]"#),
        )
        .replace("Metrics", "Logs")
    };
    let logs = [debug("1790000000000000000"), debug("1799999999999999999")].join("\n");
    let pods = ["a", "b"].map(|pod| {
        let resource = format!(
            "{service},{},{},{}",
            text("service.instance.id", "1"),
            text("k8s.pod.name", pod),
            text("http.route", "/")
        );
        line(&resource, r#""spans":[]"#).replace("Metrics", "Spans")
    });
    let mut system = Scenario::default();
    let call = system.add(None, "web", "GET", CLIENT);
    system.spans[call].end = system.spans[call].start + 100;
    for _ in 0..21 {
        let inner = system.add(Some(call), "web", "inner", INTERNAL);
        system.spans[inner].end = system.spans[inner].start + 1;
    }
    system.spans[5].parent = 4711;
    system.set(1, "service.name", "web");
    let file = format!("{metrics}\n{logs}\n{}\n{}", pods.join("\n"), system.lines().join("\n"));
    let report = crate::scenario::judge(file, "");
    let score = report.scores.iter().find(|score| score.service == "web").expect("it is scored");
    let failed: Vec<&str> =
        score.rules.iter().filter(|rule| format!("{:?}", rule.outcome) == "Failed").map(|rule| rule.rule_id).collect();
    assert_eq!(
        failed,
        [
            "LOG-001", "LOG-002", "MET-002", "MET-003", "MET-004", "MET-005", "MET-006", "RES-001", "RES-002",
            "RES-003", "RES-004", "SPA-001", "SPA-002", "SPA-004", "SPA-005"
        ]
    );
    let unnamed = crate::scenario::judge(system.lines().join("\n").replace("service.name", "service.nam"), "");
    let failed = unnamed.scores[0]
        .rules
        .iter()
        .any(|rule| rule.rule_id == "RES-005" && format!("{:?}", rule.outcome) == "Failed");
    assert!(failed, "{:?}", unnamed.scores[0]);
}
