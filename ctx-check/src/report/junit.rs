//! The report as JUnit's XML, for CI: a test for each rule and each gate.

use std::fmt::Write as _;

use super::{Report, Violation};
use crate::finding::{FindingKind, Severity};

/// Returns what is shown of a string in XML 1.0, which has no control characters.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, letter| {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push('\t'),
            _ if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
        escaped
    })
}

/// Returns the report as JUnit's XML. A rule fails if it has findings that are no notes.
pub fn junit(report: &Report, violations: &[Violation]) -> String {
    let mut cases = String::new();
    let (mut tests, mut failures) = (0, 0);
    let mut case = |class: &str, name: &str, faults: &[(String, String)]| {
        tests += 1;
        let _ = write!(cases, "    <testcase classname=\"{}\" name=\"{}\" time=\"0\"", escaped(class), escaped(name));
        if faults.is_empty() {
            cases.push_str("/>\n");
            return;
        }
        failures += 1;
        cases.push_str(">\n");
        let messages: Vec<&str> = faults.iter().map(|(message, _)| message.as_str()).collect();
        let details: Vec<&str> = faults.iter().map(|(_, detail)| detail.as_str()).collect();
        let _ = writeln!(
            cases,
            "      <failure message=\"{}\" type=\"{}\">{}</failure>\n    </testcase>",
            escaped(&messages.join("; ")),
            escaped(name),
            escaped(&details.join("\n"))
        );
    };
    for kind in FindingKind::ALL {
        let faults: Vec<(String, String)> = report
            .findings
            .iter()
            .filter(|finding| finding.kind == kind && finding.severity != Severity::Note)
            .map(|finding| {
                let detail = format!(
                    "{}\nlikely cause: {}\n{}\ntrace {}",
                    finding.message, finding.cause_words, finding.advice, finding.trace_id
                );
                (finding.message.clone(), detail)
            })
            .collect();
        case("ctx-check", kind.rule_id(), &faults);
    }
    for violation in violations {
        case("ctx-check.gates", violation.gate, &[(violation.found.clone(), violation.found.clone())]);
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{tests}\" failures=\"{failures}\">\n  <testsuite name=\"ctx-check\" tests=\"{tests}\" failures=\"{failures}\">\n{cases}  </testsuite>\n</testsuites>\n"
    )
}
