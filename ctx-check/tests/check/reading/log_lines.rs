//! Log lines.

use crate::scenario::{found, judge};

#[test]
fn our_own_log_lines_are_read_in_all_presets() {
    for line in [
        r#"{"timestamp":"2026-11-27T12:34:56.123456Z","level":"WARN","target":"shop::orders","message":"not placed","order":1042,"tenant_id":"acme","span":{"name":"request"},"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","trace_flags":"01","service.name":"shop"}"#,
        r#"{"@timestamp":"2026-11-27T12:34:56.123456Z","log.level":"WARN","ecs.version":"8.11.0","message":"not placed","tenant_id":"acme","trace.id":"0af7651916cd43dd8448eb211c80319c","span.id":"b7ad6b7169203331","service.name":"shop"}"#,
        r#"{"time":"2026-11-27T12:34:56.123456Z","severity":"WARNING","message":"not placed","tenant_id":"acme","logging.googleapis.com/trace":"projects/my-project/traces/0af7651916cd43dd8448eb211c80319c","logging.googleapis.com/spanId":"b7ad6b7169203331","service.name":"shop"}"#,
        r#"{"Timestamp":"1795782896123456000","SeverityText":"WARN","SeverityNumber":13,"InstrumentationScope":{"Name":"shop::orders"},"Body":"not placed","Attributes":{"order":1042,"tenant_id":"acme"},"TraceId":"0af7651916cd43dd8448eb211c80319c","SpanId":"b7ad6b7169203331","TraceFlags":1,"Resource":{"service.name":"shop"}}"#,
    ] {
        let settings = "require = [\"tenant_id\"]";
        let report = judge(line, settings);
        assert_eq!(
            (report.summary.logs, report.findings.len(), report.problems.len()),
            (1, 0, 0),
            "{line} {:?}",
            found(&report)
        );
        let without = line.replace("tenant_id", "other");
        let finding = crate::scenario::only(
            &judge(&without, settings),
            ctx_check::FindingKind::MissingField,
            ctx_check::finding::Cause::OutsideOfContext,
        );
        assert_eq!(
            (&*finding.service, &*finding.trace_id, finding.first_seen),
            ("shop", "0af7651916cd43dd8448eb211c80319c", 1_795_782_896_123_456_000)
        );
        let two = format!("{line}\n{}", line.replace("acme", "globex"));
        assert_eq!(found(&judge(&two, "")), ["ctx/mixed-tenants | shop | replaced"], "{line}");
    }
}

#[test]
fn a_line_outside_of_a_trace_needs_no_fields() {
    let file = r#"{"timestamp":"2026-11-27T12:34:56Z","level":"INFO","message":"started","service.name":"shop"}"#;
    crate::scenario::assert_healthy(&judge(file, "require = [\"tenant_id\"]"));
}
