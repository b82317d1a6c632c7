//! Comparing with a report from before.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

use super::Report;

/// A report from before: the output of `--format json`.
#[derive(Debug)]
pub struct Baseline {
    spans: u64,
    findings: BTreeMap<String, Old>,
}

#[derive(Debug)]
struct Old {
    count: u64,
    message: String,
}

/// Why a file is no baseline.
#[derive(Debug)]
pub struct BaselineError(String);

impl fmt::Display for BaselineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BaselineError {}

/// The differences between two reports.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Findings that were not there.
    pub new: Vec<String>,
    /// Findings whose share of the spans grew by more than a tenth.
    pub worse: Vec<String>,
    /// Findings that are gone.
    pub gone: Vec<String>,
}

impl Comparison {
    /// Returns `true` if something is new or got worse.
    pub fn is_worse(&self) -> bool {
        !self.new.is_empty() || !self.worse.is_empty()
    }
}

#[derive(Deserialize)]
struct OldReport {
    version: u32,
    summary: OldSummary,
    findings: Vec<OldFinding>,
}

#[derive(Deserialize)]
struct OldSummary {
    spans: u64,
}

#[derive(Deserialize)]
struct OldFinding {
    rule_id: String,
    service: String,
    edge: Option<OldEdge>,
    field: Option<String>,
    cause: String,
    count: u64,
    message: String,
}

#[derive(Deserialize)]
struct OldEdge {
    from: String,
    to: String,
    via: String,
}

impl Baseline {
    /// Reads a report that was written with `--format json`.
    ///
    /// # Errors
    ///
    /// If it is no such report, or one of another version.
    pub fn parse(json: &str) -> Result<Self, BaselineError> {
        let report: OldReport = serde_json::from_str(json)
            .map_err(|error| BaselineError(format!("expected the output of `--format json`: {error}")))?;
        if report.version != 1 {
            return Err(BaselineError(format!("found a report of version {}, expected 1", report.version)));
        }
        let identity = |finding: &OldFinding| {
            let edge =
                finding.edge.as_ref().map_or(String::new(), |edge| format!("{}>{}@{}", edge.from, edge.to, edge.via));
            let field = finding.field.as_deref().unwrap_or_default();
            format!("{}|{}|{edge}|{field}|{}", finding.rule_id, finding.service, finding.cause)
        };
        let findings = report
            .findings
            .into_iter()
            .map(|finding| (identity(&finding), Old { count: finding.count, message: finding.message }))
            .collect();
        Ok(Self { spans: report.summary.spans, findings })
    }

    /// Compares a report with this one, by the shares of the spans: captures need not be of one size.
    pub fn compare(&self, report: &Report) -> Comparison {
        let share = |count: u64, spans: u64| count as f64 / spans.max(1) as f64;
        let mut comparison = Comparison::default();
        let mut seen = Vec::new();
        for finding in &report.findings {
            let identity = finding.identity();
            match self.findings.get(&identity) {
                None => comparison.new.push(finding.message.clone()),
                Some(old) => {
                    let (before, now) = (share(old.count, self.spans), share(finding.count, report.summary.spans));
                    if now > before * 1.1 {
                        comparison
                            .worse
                            .push(format!("{} (was: {} of {} spans)", finding.message, old.count, self.spans));
                    }
                }
            }
            seen.push(identity);
        }
        comparison.gone = self
            .findings
            .iter()
            .filter(|(identity, _)| !seen.contains(identity))
            .map(|(_, old)| old.message.clone())
            .collect();
        comparison
    }
}
