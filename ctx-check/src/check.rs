//! The whole way: read, judge, report.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    io::{self, Read},
};

use crate::{
    finding::{Cause, Example, Finding, FindingKind, Severity},
    intake::{Intake, Reading, Strings},
    judge::{EdgeState, EdgeTally, Judge, Targets, Verdict, Window, each_trace},
    model::TraceId,
    reader::{self, Place, ReadLimits},
    report::{
        DeviationReport, EdgeReport, FieldReport, LogView, ProblemReport, Report, ServiceReport, SpanView, Summary,
        TraceView,
    },
    rule::scores,
    settings::Settings,
    store::{Name, Partitions, Record},
};

/// Reads telemetry, and judges it.
///
/// ```
/// use ctx_check::{Check, Settings};
///
/// let settings = Settings { require: vec!["tenant_id".to_owned()], ..Settings::default() };
/// let mut check = Check::new(&settings)?;
/// let line = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
///     "scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"GET /orders",
///     "kind":2,"startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}"#;
/// check.read("traces.jsonl", line.as_bytes());
/// let report = check.finish()?;
/// assert_eq!(report.findings[0].message, "1 spans and log records lack `tenant_id`, from `shop` on");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Check<'s> {
    settings: &'s Settings,
    intake: Intake<'s>,
    limits: ReadLimits,
}

/// Why nothing could be judged.
#[derive(Debug)]
pub enum CheckError {
    /// A pattern of the settings is no regular expression.
    Pattern(regex::Error),
    /// The temporary files could not be created, written or read.
    Temporary(io::Error),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(error) => write!(f, "a pattern of `sensitive.patterns` is no regular expression: {error}"),
            Self::Temporary(error) => {
                write!(
                    f,
                    "the temporary files in {}: {error}: set TMPDIR to a folder with room",
                    std::env::temp_dir().display()
                )
            }
        }
    }
}

impl std::error::Error for CheckError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Pattern(error) => Some(error),
            Self::Temporary(error) => Some(error),
        }
    }
}

/// Spans of traces from which the services behind addresses are learned, before anything is judged.
const LEARNED: usize = 200_000;
/// Traces that the page shows, and their spans.
const SHOWN_TRACES: usize = 40;
const SHOWN_SPANS: usize = 60_000;
const SHOWN_OF_TRACE: usize = 20_000;

impl<'s> Check<'s> {
    /// Creates a check.
    ///
    /// # Errors
    ///
    /// If a pattern of the settings is no regular expression.
    pub fn new(settings: &'s Settings) -> Result<Self, CheckError> {
        let intake = Intake::new(settings).map_err(CheckError::Pattern)?;
        Ok(Self { settings, intake, limits: ReadLimits { document: settings.limits.document << 20 } })
    }

    /// Reads a stream of any format. `name` is what reports show. What cannot be read is in the report.
    pub fn read(&mut self, name: &str, stream: impl Read) {
        let file = self.file(name);
        let mut counted = Counted { stream, bytes: 0 };
        reader::read(&mut counted, file, &self.limits, &mut self.intake);
        self.intake.reading.bytes += counted.bytes;
    }

    /// Reads one message of OTLP: an export request in JSON or Protocol Buffers. `number` is that of the message.
    pub fn read_message(&mut self, name: &str, message: &[u8], number: u32) {
        let file = match self.intake.reading.files.iter().position(|known| known == name) {
            Some(known) => known as u16,
            None => self.file(name),
        };
        self.intake.reading.bytes += message.len() as u64;
        reader::read_message(message, Place { file, line: number }, &mut self.intake);
    }

    /// Notes that a file could not be opened.
    pub fn unreadable(&mut self, name: &str, error: &io::Error) {
        let place = Place { file: self.file(name), line: 0 };
        let problem = reader::Problem { place, column: 0, what: format!("the file cannot be opened: {error}") };
        reader::Sink::problem(&mut self.intake, problem);
    }

    fn file(&mut self, name: &str) -> u16 {
        let files = &mut self.intake.reading.files;
        if files.len() < usize::from(u16::MAX) {
            files.push(name.to_owned());
        }
        (files.len() - 1) as u16
    }

    /// Returns the number of spans that were read.
    pub fn spans(&self) -> u64 {
        self.intake.reading.spans
    }

    /// Judges what was read.
    ///
    /// # Errors
    ///
    /// If the temporary files could not be written or read.
    pub fn finish(mut self) -> Result<Report, CheckError> {
        self.intake.failed().map_err(CheckError::Temporary)?;
        let Intake { strings, mut partitions, groups, reading, services: facts, cardinality, metrics, .. } =
            self.intake;
        let window = Window::new(&self.settings.capture, &facts);
        let mut targets = Targets::default();
        let mut learned = 0;
        partitions
            .each_until(|records| {
                learned += records.len();
                each_trace(records, |spans| targets.learn(spans));
                learned < LEARNED
            })
            .map_err(CheckError::Temporary)?;
        targets.settle(self.settings, &strings);
        let mut judge = Judge::new(self.settings, &strings, &window, &targets, &facts, groups);
        partitions.each(&mut |records| judge.partition(records)).map_err(CheckError::Temporary)?;
        let healthy = judge.healthy();
        let Verdict { mut findings, services: tallies, edges, totals, left_out } = judge.finish(&reading);
        findings.extend(many_values(self.settings, &strings, &cardinality));
        findings.sort_by_key(|finding| finding.severity);
        let traces = shown(&findings, &healthy, &mut partitions, &strings).map_err(CheckError::Temporary)?;

        let mut names: Vec<(Name, &str)> =
            strings.services.iter().filter(|(name, _)| facts.contains_key(name)).collect();
        names.sort_by_key(|(_, name)| *name);
        let of_metrics: BTreeSet<Name> =
            metrics.by_name.values().flat_map(|metric| metric.services.iter().copied()).collect();
        names.retain(|(name, _)| {
            of_metrics.contains(name) || facts.get(name).is_some_and(|facts| facts.spans + facts.logs > 0)
        });
        let scores = scores(&names, &facts, &tallies, &metrics.by_name);
        let services = names
            .iter()
            .zip(&scores)
            .map(|((name, service), score)| {
                let of_it: Vec<&Finding> = findings.iter().filter(|finding| is_of(finding, service)).collect();
                let tally = tallies.get(name).cloned().unwrap_or_default();
                let missing = self.settings.require.iter().cloned().zip(tally.missing);
                ServiceReport {
                    name: (*service).to_owned(),
                    worst: of_it.iter().map(|finding| finding.severity).min(),
                    spans: tally.spans,
                    traces: tally.traces,
                    logs: facts.get(name).map_or(0, |facts| facts.logs),
                    orphans: tally.orphans,
                    missing: missing.filter(|(_, count)| *count > 0).collect(),
                    findings: of_it.len(),
                    score: score.score,
                }
            })
            .collect();
        let mut edges: Vec<EdgeReport> = edges
            .iter()
            .flat_map(|(key, tally, state)| edge_reports(*key, tally, *state, &strings, &findings))
            .collect();
        edges.sort_by(|a, b| (&a.from, &a.to, &a.via, a.is_message).cmp(&(&b.from, &b.to, &b.via, b.is_message)));
        let of_spans = || facts.values().filter(|facts| facts.spans > 0);
        let summary = Summary {
            is_healthy: findings.iter().all(|finding| finding.severity == Severity::Note),
            files: reading.files.len(),
            bytes: reading.bytes,
            traces: totals.traces,
            spans: totals.spans,
            repeated_spans: totals.repeated,
            logs: reading.logs,
            metrics: reading.metrics,
            first: of_spans().map(|facts| facts.first).min().unwrap_or_default(),
            last: of_spans().map(|facts| facts.last).max().unwrap_or_default(),
            orphans: totals.orphans,
            excused_orphans: totals.excused_orphans,
            traces_without_root: totals.without_root,
            calls: totals.calls,
            broken_calls: totals.unanswered,
            mixed_traces: totals.mixed,
            missing_fields: totals.missing,
            needing_fields: totals.needing,
            problems: reading.problem_count,
            spilled_bytes: partitions.spilled() as u64,
            findings_left_out: left_out,
        };
        Ok(Report {
            version: 1,
            summary,
            edges,
            findings,
            services,
            scores,
            fields: fields(&cardinality, &strings),
            problems: problems(&reading),
            deviations: deviations(&reading),
            traces,
        })
    }
}

/// Counts what is read.
struct Counted<R> {
    stream: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(into)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

fn is_of(finding: &Finding, service: &str) -> bool {
    let is_of_edge = finding.edge.as_ref().is_some_and(|edge| edge.from == service || edge.to == service);
    finding.service == service || is_of_edge
}

/// Findings of fields and span names with too many values.
fn many_values(settings: &Settings, strings: &Strings, cardinality: &crate::intake::Cardinality) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |service: Name, field: &str, values: u64, limit: u64, advice: &str| {
        if values > limit {
            let service = strings.services.get(service).to_owned();
            findings.push(Finding {
                kind: FindingKind::Cardinality,
                rule_id: FindingKind::Cardinality.rule_id().to_owned(),
                severity: FindingKind::Cardinality.severity(),
                message: format!("`{field}` of `{service}` has about {values} values, and the limit is {limit}"),
                service,
                edge: None,
                field: Some(field.to_owned()),
                trace_id: String::new(),
                span_ids: Vec::new(),
                cause: Cause::Unbounded,
                cause_words: "values that are different for each request, like ids, are part of it".to_owned(),
                advice: advice.to_owned(),
                count: values,
                of: 0,
                first_seen: 0,
                last_seen: 0,
                consequences: Vec::new(),
                examples: Vec::new(),
            });
        }
    };
    for (service, names) in cardinality.names() {
        let advice = "name spans by their route or operation, and record values as attributes";
        add(service, "span name", names, settings.limits.span_names, advice);
    }
    for (service, field, values) in cardinality.fields() {
        if let Some(declared) = settings.fields.iter().find(|declared| declared.name == field) {
            add(service, field, values, declared.max_distinct, "limit the values, or raise `max_distinct`");
        }
    }
    findings.sort_by_key(Finding::identity);
    findings
}

fn edge_reports(
    (from, peer, is_message): (Name, Name, bool),
    tally: &EdgeTally,
    state: EdgeState,
    strings: &Strings,
    findings: &[Finding],
) -> Vec<EdgeReport> {
    let from = strings.services.get(from).to_owned();
    let via = if peer.is_empty() { String::new() } else { strings.peers.get(peer).to_owned() };
    let shown = if peer.is_empty() { "(no address)" } else { &via };
    let of_edge = |finding: &&Finding| finding.edge.as_ref().is_some_and(|edge| edge.from == from && edge.via == shown);
    let broken: BTreeMap<String, u64> = findings
        .iter()
        .filter(|finding| finding.kind == FindingKind::BrokenEdge)
        .filter(of_edge)
        .filter_map(|finding| finding.edge.as_ref().map(|edge| (edge.to.clone(), finding.count)))
        .fold(BTreeMap::new(), |mut sum, (to, count)| {
            *sum.entry(to).or_default() += count;
            sum
        });
    let mut connected: BTreeMap<String, u64> =
        tally.connected.iter().map(|(to, count)| (strings.services.get(*to).to_owned(), *count)).collect();
    for to in broken.keys() {
        connected.entry(to.clone()).or_default();
    }
    if connected.is_empty() {
        connected.insert(shown.to_owned(), 0);
    }
    let mut rest = Some((tally.failed, tally.excused));
    connected
        .into_iter()
        .map(|(to, connected)| {
            let broken = if state == EdgeState::Broken { broken.get(&to).copied().unwrap_or_default() } else { 0 };
            // What reached nothing is on the first of the edges.
            let (failed, excused) = rest.take().unwrap_or_default();
            let state = match state {
                EdgeState::Broken if broken > 0 => "broken",
                EdgeState::Broken | EdgeState::Connected => "connected",
                EdgeState::External => "external",
                EdgeState::Excused => "excused",
            };
            EdgeReport {
                from: from.clone(),
                to,
                via: via.clone(),
                is_message,
                state,
                connected,
                broken,
                failed,
                excused,
            }
        })
        .collect()
}

/// Fields that are shown.
const FIELDS: usize = 30;

fn fields(cardinality: &crate::intake::Cardinality, strings: &Strings) -> Vec<FieldReport> {
    let report = |(service, field, values): (Name, &str, u64)| FieldReport {
        service: strings.services.get(service).to_owned(),
        field: field.to_owned(),
        values,
    };
    let mut fields: Vec<FieldReport> = cardinality.fields().map(report).collect();
    fields.sort_by(|a, b| (b.values, &a.service, &a.field).cmp(&(a.values, &b.service, &b.field)));
    fields.truncate(FIELDS);
    fields
}

fn file(reading: &Reading, place: Place) -> String {
    reading.files.get(usize::from(place.file)).cloned().unwrap_or_default()
}

fn problems(reading: &Reading) -> Vec<ProblemReport> {
    let report = |problem: &reader::Problem| ProblemReport {
        file: file(reading, problem.place),
        line: problem.place.line,
        column: problem.column,
        what: problem.what.clone(),
    };
    reading.problems.iter().map(report).collect()
}

fn deviations(reading: &Reading) -> Vec<DeviationReport> {
    let report = |(deviation, (count, place)): (&reader::Deviation, &(u64, Place))| DeviationReport {
        name: deviation.name(),
        words: deviation.words(),
        count: *count,
        file: file(reading, *place),
        line: place.line,
    };
    reading.deviations.iter().map(report).collect()
}

/// Collects the traces that the page shows: examples of the findings, in turn, and some healthy ones.
fn shown(
    findings: &[Finding],
    healthy: &[TraceId],
    partitions: &mut Partitions,
    strings: &Strings,
) -> io::Result<Vec<TraceView>> {
    let parse = |example: &Example| TraceId::parse(&example.trace_id);
    let mut wanted: Vec<TraceId> = Vec::new();
    for round in 0..5 {
        wanted.extend(findings.iter().filter_map(|finding| finding.examples.get(round).and_then(parse)));
    }
    let mut seen = HashSet::new();
    wanted.retain(|trace| seen.insert(*trace));
    wanted.truncate(SHOWN_TRACES - healthy.len().min(SHOWN_TRACES / 8));
    wanted.extend(healthy.iter().take(SHOWN_TRACES / 8).filter(|trace| !seen.contains(*trace)));
    let mut found: HashMap<TraceId, Vec<Record>> = wanted.iter().map(|trace| (*trace, Vec::new())).collect();
    let mut one_of_each: BTreeMap<usize, TraceId> = BTreeMap::new();
    for trace in &wanted {
        one_of_each.insert(partitions.number(*trace), *trace);
    }
    for trace in one_of_each.into_values() {
        partitions.of_trace(trace, &mut |records| {
            for record in records {
                if let Some(records) = found.get_mut(&record.trace_id()) {
                    records.push(record);
                }
            }
        })?;
    }
    let mut room = SHOWN_SPANS;
    let mut views = Vec::new();
    for trace in wanted {
        let view = view(trace, found.remove(&trace).unwrap_or_default(), room.min(SHOWN_OF_TRACE), strings);
        room -= view.spans.len();
        if !view.spans.is_empty() || !view.logs.is_empty() {
            views.push(view);
        }
    }
    Ok(views)
}

fn view(trace: TraceId, records: Vec<Record>, room: usize, strings: &Strings) -> TraceView {
    let mut view = TraceView { trace_id: trace.to_string(), spans: Vec::new(), logs: Vec::new(), left_out: 0 };
    for record in records {
        match record {
            Record::Span(span) => view.spans.push(SpanView {
                span_id: span.span_id,
                parent_id: span.parent_id,
                service: strings.services.get(span.service).to_owned(),
                name: strings.names.get(span.name).to_owned(),
                tenant: strings.tenants.get(span.tenant).to_owned(),
                peer: strings.peers.get(span.peer).to_owned(),
                kind: span.kind,
                status: span.status,
                start: span.start,
                end: span.end,
            }),
            Record::Log(log) => view.logs.push(LogView {
                span_id: log.span_id,
                service: strings.services.get(log.service).to_owned(),
                tenant: strings.tenants.get(log.tenant).to_owned(),
                body: log.body,
                time: log.time,
                severity: log.severity,
                is_event: log.is_event,
            }),
            Record::Link(_) => {}
        }
    }
    view.spans.sort_by_key(|span| (span.start, span.span_id));
    view.spans.dedup_by_key(|span| (span.span_id, span.start, span.end, span.service.clone()));
    view.logs.sort_by_key(|log| (log.time, log.span_id));
    view.left_out = view.spans.len().saturating_sub(room);
    view.spans.truncate(room);
    view.logs.truncate(room);
    view
}
