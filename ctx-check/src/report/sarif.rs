//! The report as SARIF 2.1.0, for code scanning.

use serde_json::{Value, json};

use super::Report;
use crate::finding::{Finding, FindingKind, Severity};

/// Returns the report as SARIF 2.1.0.
pub fn sarif(report: &Report) -> Value {
    let mut rules: Vec<Value> = FindingKind::ALL
        .iter()
        .map(|kind| json!({ "id": kind.rule_id(), "shortDescription": { "text": kind.words() } }))
        .collect();
    for finding in report.findings.iter().filter(|finding| finding.kind == FindingKind::OwnRule) {
        if rules.iter().all(|rule| rule["id"] != finding.rule_id) {
            rules.push(json!({ "id": finding.rule_id, "shortDescription": { "text": finding.cause_words } }));
        }
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "ctx-check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    // A finding of a service as a whole is in no line; code scanning wants a place all the same.
    let locations: Vec<Value> = finding
        .examples
        .iter()
        .filter(|example| example.line > 0)
        .take(1)
        .map(|example| {
            json!({
                "physicalLocation": {
                    "artifactLocation": { "uri": uri(&example.file) },
                    "region": { "startLine": example.line },
                },
                "logicalLocations": [{ "name": finding.service, "kind": "module" }],
            })
        })
        .collect();
    json!({
        "ruleId": finding.rule_id,
        "level": level,
        "message": { "text": format!("{}. Likely cause: {}. {}.", finding.message, finding.cause_words, capital(&finding.advice)) },
        "locations": locations,
        "partialFingerprints": { "ctxCheck/v1": finding.identity() },
        "properties": {
            "count": finding.count,
            "cause": finding.cause.name(),
            "traceIds": finding.examples.iter().map(|example| &example.trace_id).collect::<Vec<_>>(),
        },
    })
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A relative reference of RFC 3986, or an absolute path.
fn uri(file: &str) -> String {
    file.bytes().fold(String::new(), |mut uri, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
        uri
    })
}
