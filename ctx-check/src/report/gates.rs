//! Gates: what must hold for the exit status to be 0.

use std::fmt;

use super::{Comparison, Report};
use crate::finding::{FindingKind, Severity};

/// A limit: a number, or a share of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Share {
    /// At most so many.
    Number(u64),
    /// At most this share, from 0 to 1.
    Part(f64),
}

impl Share {
    /// Parses `5` or `0.1%`.
    ///
    /// # Errors
    ///
    /// For anything else, with what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("found {text:?}, expected a number like 5 or a share like 0.1%");
        match text.strip_suffix('%') {
            Some(percent) => match percent.trim().parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Part(percent / 100.0)),
                _ => Err(wrong()),
            },
            None => text.parse().map(Self::Number).map_err(|_| wrong()),
        }
    }

    fn is_over(self, count: u64, of: u64) -> bool {
        match self {
            Self::Number(limit) => count > limit,
            Self::Part(part) => count as f64 > part * of as f64,
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Part(part) => write!(f, "{}%", part * 100.0),
        }
    }
}

/// The conditions that must hold.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    /// The orphans that there may be.
    pub max_orphans: Option<Share>,
    /// The calls and messages that may not continue their trace.
    pub max_broken: Option<Share>,
    /// The spans and log records that may lack a required field.
    pub max_missing: Option<Share>,
    /// No trace has two tenants.
    pub no_mixed: bool,
    /// No sensitive value.
    pub no_sensitive: bool,
    /// Everything could be read.
    pub no_problems: bool,
    /// No finding that is at least as bad.
    pub fail_on: Option<Severity>,
    /// The least instrumentation score of each service.
    pub min_score: Option<f64>,
    /// Nothing got worse than in the baseline.
    pub no_worse: bool,
}

/// A gate that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The option of the command.
    pub gate: &'static str,
    /// The number that was found, and the limit.
    pub found: String,
}

impl Gates {
    /// Returns the gates that do not hold.
    pub fn check(&self, report: &Report, comparison: Option<&Comparison>) -> Vec<Violation> {
        let summary = &report.summary;
        let mut violations = Vec::new();
        let mut fail = |gate, found| violations.push(Violation { gate, found });
        let mut limit = |gate, limit: Option<Share>, count, of, what: &str| {
            if let Some(limit) = limit.filter(|limit| limit.is_over(count, of)) {
                fail(gate, format!("{count} of {of} {what}, and at most {limit} may be"));
            }
        };
        limit("--max-orphans", self.max_orphans, summary.orphans, summary.spans, "spans are orphans");
        limit(
            "--max-broken",
            self.max_broken,
            summary.broken_calls,
            summary.calls,
            "calls and messages do not continue their trace",
        );
        let missing = summary.missing_fields;
        limit(
            "--require",
            self.max_missing,
            missing,
            summary.needing_fields,
            "required fields of spans and log records are missing",
        );
        let of_kind =
            |kinds: &[FindingKind]| report.findings.iter().filter(|finding| kinds.contains(&finding.kind)).count();
        let mixed = of_kind(&[FindingKind::MixedTenants, FindingKind::TenantChange]);
        if self.no_mixed && mixed > 0 {
            fail("--no-mixed", format!("{} traces have several tenants", summary.mixed_traces.max(1)));
        }
        let sensitive = of_kind(&[FindingKind::SensitiveValue]);
        if self.no_sensitive && sensitive > 0 {
            fail("--no-sensitive", format!("{sensitive} kinds of sensitive values"));
        }
        if self.no_problems && summary.problems > 0 {
            fail("--no-problems", format!("{} lines, spans or messages could not be read", summary.problems));
        }
        if let Some(severity) = self.fail_on {
            let bad = report.findings.iter().filter(|finding| finding.severity <= severity).count();
            if bad > 0 {
                fail("--fail-on", format!("{bad} findings"));
            }
        }
        if let Some(least) = self.min_score {
            for score in &report.scores {
                if let Some(found) = score.score.filter(|score| *score < least) {
                    fail("--min-score", format!("`{}` has a score of {found:.1}", score.service));
                }
            }
        }
        if let Some(comparison) = comparison.filter(|comparison| self.no_worse && comparison.is_worse()) {
            fail(
                "--no-worse",
                format!("{} findings are new and {} got worse", comparison.new.len(), comparison.worse.len()),
            );
        }
        violations
    }
}
