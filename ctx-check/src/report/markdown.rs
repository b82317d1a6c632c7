//! The report as Markdown, for a pull request.

use std::fmt::Write as _;

use super::{Comparison, Report, Violation, table::plain};
use crate::finding::Severity;

/// Returns what a name is shown as: no name is markup, and none calls a user of the forge.
fn escaped(text: &str) -> String {
    plain(text).chars().fold(String::new(), |mut escaped, letter| {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '@' => escaped.push_str("&#64;"),
            '`' => escaped.push('\''),
            '|' | '\\' | '*' | '_' | '[' | ']' | '#' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            _ => escaped.push(letter),
        }
        escaped
    })
}

/// Returns the report as Markdown.
pub fn markdown(report: &Report, violations: &[Violation], comparison: Option<&Comparison>) -> String {
    let summary = &report.summary;
    let mut out = String::new();
    let bad = report.findings.iter().filter(|finding| finding.severity != Severity::Note).count();
    let title = if summary.is_healthy {
        "Context propagation: healthy".to_owned()
    } else {
        format!("Context propagation: {bad} findings")
    };
    let _ = writeln!(out, "## {title}\n");
    let _ = writeln!(
        out,
        "{} traces, {} spans, {} log records of {} services; {} of {} calls do not continue their trace, {} orphans.\n",
        summary.traces,
        summary.spans,
        summary.logs,
        report.services.len(),
        summary.broken_calls,
        summary.calls,
        summary.orphans
    );
    for violation in violations {
        let _ = writeln!(out, "- **failed** `{}`: {}", violation.gate, escaped(&violation.found));
    }
    if let Some(comparison) = comparison {
        for (word, entries) in [("new", &comparison.new), ("worse", &comparison.worse), ("gone", &comparison.gone)] {
            for entry in entries {
                let _ = writeln!(out, "- **{word}** {}", escaped(entry));
            }
        }
    }
    if !report.findings.is_empty() {
        out.push_str("\n| | finding | likely cause | do | trace |\n|---|---|---|---|---|\n");
        for finding in report.findings.iter().take(50) {
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let _ = writeln!(
                out,
                "| {severity} | {} ({}) | {} | {} | {} |",
                escaped(&finding.message),
                escaped(&finding.rule_id),
                escaped(&finding.cause_words),
                escaped(&finding.advice),
                if finding.trace_id.is_empty() { String::new() } else { format!("`{}`", finding.trace_id) }
            );
        }
        if report.findings.len() > 50 {
            let _ = writeln!(out, "\n... and {} more.", report.findings.len() - 50);
        }
    }
    if !report.scores.is_empty() {
        out.push_str("\n| service | spans | orphans | instrumentation score |\n|---|---|---|---|\n");
        for (service, score) in report.services.iter().zip(&report.scores) {
            let shown = score.score.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}, {}", score.category));
            let _ = writeln!(out, "| {} | {} | {} | {shown} |", escaped(&service.name), service.spans, service.orphans);
        }
        if report.scores.iter().any(|score| !score.is_complete) {
            out.push_str("\nThe scores might not be complete: some rules of the specification were not computed.\n");
        }
    }
    out
}
