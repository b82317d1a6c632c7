//! The report as data.

use std::collections::BTreeMap;

use serde::Serialize;

use super::TraceView;
use crate::{
    finding::{Finding, Severity},
    rule::ServiceScore,
};

/// The findings, and all that was judged.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this form: 1. Members may be added to it.
    pub version: u32,
    /// The sums over everything.
    pub summary: Summary,
    /// The faults, the worst first.
    pub findings: Vec<Finding>,
    /// Each service.
    pub services: Vec<ServiceReport>,
    /// Each edge between services.
    pub edges: Vec<EdgeReport>,
    /// The instrumentation scores.
    pub scores: Vec<ServiceScore>,
    /// The fields with the most values.
    pub fields: Vec<FieldReport>,
    /// The problems of reading: the first 200.
    pub problems: Vec<ProblemReport>,
    /// A deviation that was read although the format forbids it.
    pub deviations: Vec<DeviationReport>,
    #[serde(skip)]
    pub(crate) traces: Vec<TraceView>,
}

/// The sums over everything.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// `true` if there is no finding but notes.
    pub is_healthy: bool,
    /// The files that were read.
    pub files: usize,
    /// Their bytes, decompressed or not as they are on disk.
    pub bytes: u64,
    /// Traces with spans.
    pub traces: u64,
    /// Spans, each once.
    pub spans: u64,
    /// Spans that came again.
    pub repeated_spans: u64,
    /// Log records.
    pub logs: u64,
    /// Metrics.
    pub metrics: u64,
    /// The first start of a span, in nanoseconds since the Unix epoch.
    pub first: u64,
    /// The last end of a span.
    pub last: u64,
    /// Spans whose parent is not there, excused ones left out.
    pub orphans: u64,
    /// Spans whose parent may be outside of the capture, or outside of the system.
    pub excused_orphans: u64,
    /// Traces without a root: they are found by their orphans.
    pub traces_without_root: u64,
    /// Calls and messages to other services.
    pub calls: u64,
    /// Those of broken edges.
    pub broken_calls: u64,
    /// Traces with several tenants.
    pub mixed_traces: u64,
    /// Spans and log records that lack a required field, once for each field.
    pub missing_fields: u64,
    /// Spans and log records that need one, once for each field.
    pub needing_fields: u64,
    /// Lines, spans and messages that could not be read.
    pub problems: u64,
    /// Bytes of spans that went to temporary files.
    pub spilled_bytes: u64,
    /// Findings that found no room, because there are too many kinds of them.
    pub findings_left_out: u64,
}

/// A service.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceReport {
    /// Its name.
    pub name: String,
    /// The worst of its findings, if there are any.
    pub worst: Option<Severity>,
    /// Its spans.
    pub spans: u64,
    /// The traces that it is in.
    pub traces: u64,
    /// Its log records.
    pub logs: u64,
    /// Its orphans, excused ones left out.
    pub orphans: u64,
    /// How many of its spans and log records lack each required field.
    pub missing: BTreeMap<String, u64>,
    /// The number of findings in it.
    pub findings: usize,
    /// Its instrumentation score.
    pub score: Option<f64>,
}

/// An edge.
#[derive(Clone, Debug, Serialize)]
pub struct EdgeReport {
    /// The service that calls or sends.
    pub from: String,
    /// The service that was reached; the address or queue if none is known.
    pub to: String,
    /// The address or queue.
    pub via: String,
    /// `true` for messages.
    pub is_message: bool,
    /// `connected`, `broken`, `external` or `excused`.
    pub state: &'static str,
    /// Calls that continue the trace.
    pub connected: u64,
    /// Calls that do not.
    pub broken: u64,
    /// Calls that failed before they could reach anything.
    pub failed: u64,
    /// Calls that are excused: at the edge of the capture, exempt, to others.
    pub excused: u64,
}

/// A field of a service.
#[derive(Clone, Debug, Serialize)]
pub struct FieldReport {
    /// The service.
    pub service: String,
    /// The field.
    pub field: String,
    /// About how many values it has.
    pub values: u64,
}

/// A part of the input that could not be read.
#[derive(Clone, Debug, Serialize)]
pub struct ProblemReport {
    /// The file.
    pub file: String,
    /// The line or message, from 1.
    pub line: u32,
    /// The byte in it, from 1; 0 if it is the whole of it.
    pub column: usize,
    /// The content that was found, and the expected one.
    pub what: String,
}

/// A deviation that was read although the format forbids it.
#[derive(Clone, Debug, Serialize)]
pub struct DeviationReport {
    /// Its name.
    pub name: &'static str,
    /// It in words.
    pub words: &'static str,
    /// How often.
    pub count: u64,
    /// The first file.
    pub file: String,
    /// The first line.
    pub line: u32,
}

impl Report {
    /// Returns the report as JSON.
    ///
    /// # Errors
    ///
    /// Never for a report of this crate.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}
