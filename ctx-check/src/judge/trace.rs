//! Judging the traces of a partition, one by one.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::{
    capture::Window,
    moments::Moments,
    targets::Targets,
    tree::{Parent, Tree},
};
use crate::{
    finding::{Evidence, Groups, Key},
    intake::{ServiceFacts, Strings},
    model::{Kind, SpanId, TraceId},
    settings::Settings,
    store::{Flags, Name, Record, StoredLink, StoredLog, StoredSpan},
};

/// The counts of a service.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceTally {
    pub(crate) traces: u64,
    pub(crate) spans: u64,
    /// Spans without their parent, whatever excuses it.
    pub(crate) all_orphans: u64,
    pub(crate) orphans: u64,
    pub(crate) missing: [u64; 16],
    pub(crate) root_clients: u64,
    /// Traces in which it has more than 10 INTERNAL spans.
    pub(crate) many_internal: u64,
    /// Traces with more than 20 spans of less than 5 ms, some of which are its.
    pub(crate) many_short: u64,
}

/// The counts of an edge.
#[derive(Clone, Debug, Default)]
pub(crate) struct EdgeTally {
    /// The services that were reached.
    pub(crate) connected: HashMap<Name, u64, FixedState>,
    pub(crate) unanswered: u64,
    pub(crate) excused: u64,
    pub(crate) failed: u64,
    /// The times of calls that show nothing of the other side.
    pub(super) moments: Moments,
}

/// The traces that start with a server span of a service.
#[derive(Clone, Debug, Default)]
pub(crate) struct RootTally {
    pub(crate) count: u64,
    pub(super) moments: Moments,
}

/// The counts of everything.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) traces: u64,
    pub(crate) spans: u64,
    pub(crate) repeated: u64,
    pub(crate) orphans: u64,
    pub(crate) excused_orphans: u64,
    pub(crate) without_root: u64,
    pub(crate) mixed: u64,
    pub(crate) missing: u64,
    /// Spans and log records that need the required fields.
    pub(crate) needing: u64,
    pub(crate) unanswered: u64,
    pub(crate) calls: u64,
}

/// An edge: who, to which address or queue, by a message.
pub(crate) type EdgeKey = (Name, Name, bool);

/// Judges traces, and remembers what is needed to judge over all of them.
pub(crate) struct Judge<'a> {
    pub(super) settings: &'a Settings,
    pub(super) strings: &'a Strings,
    pub(super) window: &'a Window,
    pub(super) targets: &'a Targets,
    pub(super) facts: &'a HashMap<Name, ServiceFacts, FixedState>,
    pub(super) groups: Groups,
    pub(super) services: HashMap<Name, ServiceTally, FixedState>,
    pub(super) edges: HashMap<EdgeKey, EdgeTally, FixedState>,
    pub(super) server_roots: HashMap<Name, RootTally, FixedState>,
    /// Consumers of a queue that start traces without a link.
    pub(super) consumer_roots: HashMap<(Name, Name), u64, FixedState>,
    pub(super) totals: Totals,
    pub(super) declared: Declared,
    /// Traces in which nothing was found.
    healthy: Vec<TraceId>,
    tree: Tree,
}

/// The services that the settings say something about.
#[derive(Debug, Default)]
pub(super) struct Declared {
    entry: Vec<Name>,
    exempt: Vec<Name>,
    sampled: Vec<Name>,
    many_tenants: Vec<Name>,
}

impl Declared {
    fn new(settings: &Settings, strings: &Strings) -> Self {
        let matching = |patterns: &crate::settings::Patterns| -> Vec<Name> {
            strings.services.iter().filter(|(_, name)| patterns.matches(name)).map(|(name, _)| name).collect()
        };
        Self {
            entry: matching(&settings.services.entry),
            exempt: matching(&settings.services.exempt),
            sampled: matching(&settings.services.sampled),
            many_tenants: matching(&settings.services.many_tenants),
        }
    }

    pub(super) fn is_entry(&self, service: Name) -> bool {
        self.entry.contains(&service)
    }

    pub(super) fn is_exempt(&self, service: Name) -> bool {
        self.exempt.contains(&service)
    }

    pub(super) fn is_sampled(&self, service: Name) -> bool {
        self.sampled.contains(&service)
    }

    pub(super) fn has_many_tenants(&self, service: Name) -> bool {
        self.many_tenants.contains(&service)
    }
}

/// A trace that is being judged.
pub(super) struct Trace<'t> {
    pub(super) tree: &'t Tree,
    pub(super) links: &'t [StoredLink],
    pub(super) logs: &'t [StoredLog],
    /// Something of it may be outside of the capture.
    pub(super) is_at_edge: bool,
    /// For each span, the broken edge that explains why it has no parent.
    pub(super) explained: Vec<Option<Key>>,
}

impl Trace<'_> {
    /// Returns where a span and another one can be looked at.
    pub(super) fn evidence(span: &StoredSpan, other: Option<&StoredSpan>) -> Evidence {
        let spans = [span.span_id, other.map_or(SpanId::NONE, |other| other.span_id)];
        Evidence { time: span.start, trace_id: span.trace_id, spans, place: span.place }
    }
}

/// Spans of INTERNAL kind in a trace that a service may have: SPA-001.
const MOST_INTERNAL: u64 = 10;
/// Spans of less than 5 ms that a trace may have: SPA-005.
const MOST_SHORT: u64 = 20;
/// Healthy traces that are remembered.
const HEALTHY: usize = 5;
const SHORT: u64 = 5_000_000;

impl<'a> Judge<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        strings: &'a Strings,
        window: &'a Window,
        targets: &'a Targets,
        facts: &'a HashMap<Name, ServiceFacts, FixedState>,
        groups: Groups,
    ) -> Self {
        Self {
            declared: Declared::new(settings, strings),
            settings,
            strings,
            window,
            targets,
            facts,
            groups,
            services: HashMap::default(),
            edges: HashMap::default(),
            server_roots: HashMap::default(),
            consumer_roots: HashMap::default(),
            totals: Totals::default(),
            healthy: Vec::new(),
            tree: Tree::default(),
        }
    }

    /// Judges the traces of a partition.
    pub(crate) fn partition(&mut self, records: Vec<Record>) {
        let traces = Sorted::new(records);
        let (mut spans, mut logs, mut links) = (&*traces.spans, &*traces.logs, &*traces.links);
        loop {
            let first = [spans.first().map(|span| span.trace_id), logs.first().map(|log| log.trace_id)];
            let Some(trace) = first.into_iter().flatten().min() else { break };
            let of_spans = take(&mut spans, trace, |span| span.trace_id);
            let of_logs = take(&mut logs, trace, |log| log.trace_id);
            // Links to traces that are not there say nothing.
            links = &links[links.partition_point(|link| link.trace_id < trace)..];
            let of_links = take(&mut links, trace, |link| link.trace_id);
            self.trace(of_spans, of_logs, of_links);
        }
    }

    /// Returns some traces in which nothing was found.
    pub(crate) fn healthy(&self) -> Vec<TraceId> {
        self.healthy.clone()
    }

    fn trace(&mut self, spans: &[StoredSpan], logs: &[StoredLog], links: &[StoredLink]) {
        let before = self.groups.added;
        let most = self.settings.limits.spans_per_trace;
        let judged = &spans[..spans.len().min(most)];
        if let Some(first) = judged.first().filter(|_| judged.len() < spans.len()) {
            self.groups.add(Key::LargeTrace { service: first.service }, Trace::evidence(first, None));
        }
        let mut tree = std::mem::take(&mut self.tree);
        tree.build(judged);
        let is_at_edge = tree.spans.iter().any(|span| self.window.is_at_edge(span));
        let explained = vec![None; tree.spans.len()];
        let mut trace = Trace { tree: &tree, links, logs, is_at_edge, explained };
        self.count(&trace);
        self.calls(&mut trace);
        self.parents(&trace);
        self.tenants(&trace);
        if !self.settings.require.is_empty() {
            self.fields(&trace);
        }
        self.clocks(&trace);
        if self.groups.added == before && self.healthy.len() < HEALTHY && spans.len() > 1 {
            self.healthy.push(spans[0].trace_id);
        }
        self.tree = tree;
    }

    fn count(&mut self, trace: &Trace<'_>) {
        let tree = trace.tree;
        self.totals.spans += tree.spans.len() as u64;
        self.totals.traces += u64::from(!tree.spans.is_empty());
        self.totals.repeated += tree.repeated;
        let mut of_service: Vec<(Name, u64, u64, u64)> = Vec::new();
        let mut short = 0;
        for span in &tree.spans {
            let at = of_service.iter().position(|(service, ..)| *service == span.service).unwrap_or_else(|| {
                of_service.push((span.service, 0, 0, 0));
                of_service.len() - 1
            });
            let is_short = span.end.saturating_sub(span.start) < SHORT;
            let counts = &mut of_service[at];
            counts.1 += 1;
            counts.2 += u64::from(span.kind == Kind::Internal);
            counts.3 += u64::from(is_short);
            short += u64::from(is_short);
        }
        for (service, spans, internal, of_short) in of_service {
            let tally = self.services.entry(service).or_default();
            tally.traces += 1;
            tally.spans += spans;
            tally.many_internal += u64::from(internal > MOST_INTERNAL);
            tally.many_short += u64::from(short > MOST_SHORT && of_short > 0);
        }
        for span in &tree.same_id {
            let other = tree.find(span.span_id).map(|number| &tree.spans[number as usize]);
            self.groups.add(Key::SharedId { service: span.service }, Trace::evidence(span, other));
        }
        if let Some(span) = tree.circles().min_by_key(|span| (span.start, span.span_id)) {
            self.groups.add(Key::Circle { service: span.service }, Trace::evidence(span, None));
        }
    }

    /// Judges roots, and spans whose parents are not there.
    fn parents(&mut self, trace: &Trace<'_>) {
        let tree = trace.tree;
        let mut roots: Vec<u32> = Vec::new();
        for (number, parent) in tree.parents.iter().enumerate() {
            let span = &tree.spans[number];
            match parent {
                Parent::Span(_) => {}
                Parent::Root => roots.push(number as u32),
                Parent::Missing => {
                    let is_explained = trace.explained[number].is_some();
                    // An external caller may send a `traceparent`, too.
                    let is_from_outside = self.declared.is_entry(span.service) && span.kind == Kind::Server;
                    let is_excused = trace.is_at_edge || is_from_outside || self.declared.is_sampled(span.service);
                    let tally = self.services.entry(span.service).or_default();
                    tally.all_orphans += 1;
                    if is_excused && !is_explained {
                        self.totals.excused_orphans += 1;
                        continue;
                    }
                    tally.orphans += 1;
                    self.totals.orphans += 1;
                    if !is_explained {
                        let is_remote = match span.flags {
                            flags if flags.has(Flags::REMOTE) => Some(true),
                            flags if flags.has(Flags::LOCAL) => Some(false),
                            _ => None,
                        };
                        let kind = if span.kind.is_entry() { span.kind } else { Kind::Internal };
                        self.groups
                            .add(Key::Orphan { service: span.service, kind, is_remote }, Trace::evidence(span, None));
                    }
                }
            }
        }
        self.totals.without_root += u64::from(roots.is_empty() && !tree.spans.is_empty());
        roots.sort_by_key(|number| (tree.spans[*number as usize].start, tree.spans[*number as usize].span_id));
        for (at, number) in roots.iter().enumerate() {
            let span = &tree.spans[*number as usize];
            let first = &tree.spans[roots[0] as usize];
            match span.kind {
                Kind::Client => self.services.entry(span.service).or_default().root_clients += 1,
                Kind::Server => {
                    let tally = self.server_roots.entry(span.service).or_default();
                    tally.count += 1;
                    tally.moments.add(span.start, span.end);
                    let has_entry = !self.settings.services.entry.is_empty();
                    if has_entry && at == 0 && !self.declared.is_entry(span.service) && !span.flags.has(Flags::EXEMPT) {
                        self.groups.add(Key::UnexpectedRoot { service: span.service }, Trace::evidence(span, None));
                    }
                }
                Kind::Consumer if !span.flags.has(Flags(Flags::LINKS.0 | Flags::NO_LINKS.0 | Flags::RECEIVE.0)) => {
                    *self.consumer_roots.entry((span.peer, span.service)).or_default() += 1;
                }
                _ => {}
            }
            if at > 0 && trace.explained[*number as usize].is_none() {
                self.groups.add(
                    Key::Roots { service: span.service, first: first.service },
                    Trace::evidence(span, Some(first)),
                );
            }
        }
    }
}

/// The records of a partition, by trace.
struct Sorted {
    spans: Vec<StoredSpan>,
    logs: Vec<StoredLog>,
    links: Vec<StoredLink>,
}

impl Sorted {
    fn new(records: Vec<Record>) -> Self {
        let mut sorted = Self { spans: Vec::with_capacity(records.len()), logs: Vec::new(), links: Vec::new() };
        for record in records {
            match record {
                Record::Span(span) => sorted.spans.push(span),
                Record::Log(log) => sorted.logs.push(log),
                Record::Link(link) => sorted.links.push(link),
            }
        }
        // Complete orders: the verdict must not depend on the order of the input.
        let mut order: Vec<(TraceId, SpanId, u32)> =
            sorted.spans.iter().zip(0..).map(|(span, number)| (span.trace_id, span.span_id, number)).collect();
        let of_content = |number: u32| {
            let span = &sorted.spans[number as usize];
            (span.start, span.end, span.kind, span.service, span.name)
        };
        order.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| of_content(a.2).cmp(&of_content(b.2))));
        sorted.spans = order.into_iter().map(|(_, _, number)| sorted.spans[number as usize]).collect();
        sorted.logs.sort_unstable_by(|a, b| {
            (a.trace_id, a.time, a.span_id, &a.body).cmp(&(b.trace_id, b.time, b.span_id, &b.body))
        });
        sorted.links.sort_unstable_by_key(|link| {
            (link.trace_id, link.span_id, link.from_start, link.from_trace, link.from_span)
        });
        sorted.links.dedup();
        sorted
    }
}

fn take<'r, R>(records: &mut &'r [R], trace: TraceId, id: impl Fn(&R) -> TraceId) -> &'r [R] {
    let length = records.iter().take_while(|record| id(record) == trace).count();
    let (taken, rest) = records.split_at(length);
    *records = rest;
    taken
}

/// Calls `learn` with the spans of each trace of a partition, sorted by their ids.
pub(crate) fn each_trace(records: Vec<Record>, mut learn: impl FnMut(&[StoredSpan])) {
    let sorted = Sorted::new(records);
    let mut spans = &*sorted.spans;
    while let Some(first) = spans.first() {
        learn(take(&mut spans, first.trace_id, |span| span.trace_id));
    }
}
