//! The report for a terminal.

use std::fmt::Write as _;

use super::{Comparison, Report};
use crate::finding::Severity;

/// Colours of a terminal, or none.
struct Paint(bool);

impl Paint {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Names come from the input: control characters and those that turn the direction of writing are shown as their numbers.
pub(super) fn plain(text: &str) -> String {
    let is_hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.chars().any(is_hidden) {
        return text.to_owned();
    }
    text.chars().fold(String::new(), |mut plain, letter| {
        if is_hidden(letter) {
            let _ = write!(plain, "\\u{{{:x}}}", u32::from(letter));
        } else {
            plain.push(letter);
        }
        plain
    })
}

/// Findings that are shown in full.
const FINDINGS: usize = 40;

/// Returns the report as text of lines for a terminal, with colours if `colours` is `true`.
pub fn table(report: &Report, comparison: Option<&Comparison>, colours: bool) -> String {
    let paint = Paint(colours);
    let summary = &report.summary;
    let mut out = String::new();
    let verdict = if summary.is_healthy {
        paint.paint("1;32", "healthy")
    } else {
        paint.paint(
            "1;31",
            &format!(
                "{} findings",
                report.findings.iter().filter(|finding| finding.severity != Severity::Note).count()
            ),
        )
    };
    let _ = writeln!(
        out,
        "{verdict}: {} traces, {} spans, {} log records, {} services, {} files",
        summary.traces,
        summary.spans,
        summary.logs,
        report.services.len(),
        summary.files
    );
    for (number, finding) in report.findings.iter().enumerate().take(FINDINGS) {
        let (code, word) = match finding.severity {
            Severity::Error => ("31", "error"),
            Severity::Warning => ("33", "warning"),
            Severity::Note => ("36", "note"),
        };
        let _ = writeln!(
            out,
            "\n{:>3} {} {} [{}]",
            number + 1,
            paint.paint(code, word),
            plain(&finding.message),
            plain(&finding.rule_id)
        );
        if !finding.cause_words.is_empty() {
            let _ = writeln!(out, "    why  {}", plain(&finding.cause_words));
        }
        let _ = writeln!(out, "    do   {}", finding.advice);
        for (consequence, count) in &finding.consequences {
            let _ = writeln!(out, "    so   {count} {}", consequence.words());
        }
        for example in finding.examples.iter().take(2) {
            let spans = if example.span_ids.is_empty() {
                String::new()
            } else {
                format!(" spans {}", example.span_ids.join(", "))
            };
            let trace =
                if example.trace_id.is_empty() { "no trace".to_owned() } else { format!("trace {}", example.trace_id) };
            let place =
                if example.line > 0 { format!(" ({}:{})", plain(&example.file), example.line) } else { String::new() };
            let _ = writeln!(out, "    see  {}", paint.paint("2", &format!("{trace}{spans}{place}")));
        }
    }
    if report.findings.len() > FINDINGS {
        let _ = writeln!(out, "\n    ... and {} more: --format json has all", report.findings.len() - FINDINGS);
    }

    if !report.services.is_empty() {
        let rows: Vec<Vec<String>> = report
            .services
            .iter()
            .map(|service| {
                let worst = match service.worst {
                    None => "healthy",
                    Some(Severity::Error) => "error",
                    Some(Severity::Warning) => "warning",
                    Some(Severity::Note) => "note",
                };
                let missing: Vec<String> =
                    service.missing.iter().map(|(field, count)| format!("{field} {count}")).collect();
                vec![
                    plain(&service.name),
                    worst.to_owned(),
                    service.traces.to_string(),
                    service.spans.to_string(),
                    service.logs.to_string(),
                    service.orphans.to_string(),
                    plain(&missing.join(", ")),
                    service.score.map_or_else(|| "-".to_owned(), |score| format!("{score:.0}")),
                ]
            })
            .collect();
        out.push('\n');
        write_rows(&mut out, &["service", "verdict", "traces", "spans", "logs", "orphans", "missing", "score"], &rows);
    }
    if !report.edges.is_empty() {
        let rows: Vec<Vec<String>> = report
            .edges
            .iter()
            .map(|edge| {
                let via = if edge.via.is_empty() || edge.via == edge.to { String::new() } else { plain(&edge.via) };
                vec![
                    plain(&edge.from),
                    if edge.is_message { "~>" } else { "->" }.to_owned(),
                    plain(&edge.to),
                    via,
                    edge.state.to_owned(),
                    edge.connected.to_string(),
                    edge.broken.to_string(),
                    (edge.failed + edge.excused).to_string(),
                ]
            })
            .collect();
        out.push('\n');
        write_rows(&mut out, &["from", "", "to", "via", "edge", "connected", "broken", "excused"], &rows);
    }
    let incomplete = report.scores.iter().any(|score| !score.is_complete);
    if incomplete {
        let mut rules: Vec<&str> = report
            .scores
            .iter()
            .flat_map(|score| score.rules.iter().filter(|rule| rule.outcome == crate::rule::Outcome::NotComputed))
            .map(|rule| rule.rule_id)
            .collect();
        rules.sort_unstable();
        rules.dedup();
        let _ =
            writeln!(out, "\nThe instrumentation score might not be complete: {} were not computed.", rules.join(", "));
    }
    if summary.excused_orphans > 0 {
        let _ = writeln!(
            out,
            "\n{} orphans are excused: at the edge of the capture, or called from outside.",
            summary.excused_orphans
        );
    }
    for deviation in &report.deviations {
        let _ = writeln!(
            out,
            "\n{} times {} ({}:{})",
            deviation.count,
            deviation.words,
            plain(&deviation.file),
            deviation.line
        );
    }
    if let Some(comparison) = comparison {
        for (title, code, entries) in
            [("new", "31", &comparison.new), ("worse", "31", &comparison.worse), ("gone", "32", &comparison.gone)]
        {
            for entry in entries {
                let _ = writeln!(out, "{} {}", paint.paint(code, title), plain(entry));
            }
        }
    }
    if summary.problems > 0 {
        let _ = writeln!(out, "\n{} lines, spans or messages could not be read:", summary.problems);
        for problem in report.problems.iter().take(10) {
            let _ = writeln!(
                out,
                "    {}:{}:{}: {}",
                plain(&problem.file),
                problem.line,
                problem.column,
                plain(&problem.what)
            );
        }
    }
    out
}

fn write_rows(out: &mut String, head: &[&str], rows: &[Vec<String>]) {
    // Columns without content are left out.
    let used: Vec<usize> = (0..head.len()).filter(|column| rows.iter().any(|row| !row[*column].is_empty())).collect();
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).chain([head[column].len()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut write = |cells: Vec<&str>| {
        let mut line = String::new();
        for column in &used {
            let cell = cells[*column];
            let is_number = cell.bytes().all(|byte| byte.is_ascii_digit()) && !cell.is_empty();
            let blanks = " ".repeat(widths[*column] - cell.chars().count());
            let cell = if is_number { format!("{blanks}{cell}") } else { format!("{cell}{blanks}") };
            line.push_str(&cell);
            line.push_str("  ");
        }
        let _ = writeln!(out, "{}", line.trim_end());
    };
    write(head.to_vec());
    for row in rows {
        write(row.iter().map(String::as_str).collect());
    }
}
