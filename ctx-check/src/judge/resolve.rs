//! From groups to findings: over all traces, why it is so. What one cause leads to is one finding.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::{
    trace::{EdgeKey, EdgeTally, Judge, RootTally, ServiceTally, Totals},
    words::{Words, what_to_do},
};
use crate::{
    finding::{Boundary, Cause, Consequence, Edge, Evidence, Example, Finding, FindingKind, Group, Key, Sign},
    intake::{Reading, ServiceFacts},
    model::{SpanId, TraceId},
    store::Name,
};

/// The result over all traces.
pub(crate) struct Verdict {
    pub(crate) findings: Vec<Finding>,
    pub(crate) services: HashMap<Name, ServiceTally, FixedState>,
    pub(crate) edges: Vec<(EdgeKey, EdgeTally, EdgeState)>,
    pub(crate) totals: Totals,
    /// The number of findings that found no room among the groups.
    pub(crate) left_out: u64,
}

/// The state of an edge after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EdgeState {
    /// Calls reach the other side.
    Connected,
    /// Some do not.
    Broken,
    /// The other side is outside of the system.
    External,
    /// All calls are excused.
    Excused,
}

/// A broken edge with its cause.
struct Broken {
    edge: EdgeKey,
    to: Option<Name>,
    cause: Cause,
    group: Group,
}

/// How many calls must meet a new trace of the other side for that to be the explanation.
const SHARE: f64 = 0.5;

impl Judge<'_> {
    /// Returns the verdict over all traces.
    pub(crate) fn finish(mut self, reading: &Reading) -> Verdict {
        let facts = self.facts;
        let groups = std::mem::take(&mut self.groups);
        let left_out = groups.left_out;
        let mut broken: Vec<Broken> = Vec::new();
        let mut skewed: Vec<(Name, Name, Group)> = Vec::new();
        let mut rest: Vec<(Key, Group)> = Vec::new();
        let mut excused: Vec<EdgeKey> = Vec::new();
        let mut unconsumed: Vec<(EdgeKey, Group)> = Vec::new();
        for (key, group) in groups.into_sorted() {
            match key {
                Key::Broken { from, peer, is_message, sign } => {
                    let edge = (from, peer, is_message);
                    match self.cause(edge, sign, facts) {
                        Some((to, Cause::StillQueued)) => {
                            unconsumed.push((edge, group));
                            let _ = to;
                        }
                        Some((to, cause)) => {
                            // Signs of the same cause are one finding.
                            match broken
                                .iter_mut()
                                .find(|known| known.edge == edge && known.to == to && known.cause == cause)
                            {
                                Some(known) => known.group.join(&group),
                                None => broken.push(Broken { edge, to, cause, group }),
                            }
                        }
                        None => excused.push(edge),
                    }
                }
                Key::Clock { from, to } => skewed.push((from, to, group)),
                _ => rest.push((key, group)),
            }
        }
        self.explain(&mut broken, &mut rest);
        let words = Words { strings: self.strings, require: &self.settings.require, rules: &self.settings.rules };
        let mut findings = Vec::new();
        for broken in &broken {
            findings.push(self.broken_finding(broken, &words, facts, reading));
        }
        for (edge, group) in &unconsumed {
            findings.push(self.unconsumed_finding(*edge, group, &words, reading));
        }
        findings.extend(self.clock_findings(skewed, facts, &words, reading));
        for (key, group) in &rest {
            findings.push(self.finding(*key, group, &words, facts, reading));
        }
        findings.sort_by(|a, b| {
            (a.severity, std::cmp::Reverse(a.count), &a.rule_id, a.identity()).cmp(&(
                b.severity,
                std::cmp::Reverse(b.count),
                &b.rule_id,
                b.identity(),
            ))
        });
        let is_broken = |edge: &EdgeKey| broken.iter().any(|broken| broken.edge == *edge);
        self.totals.unanswered = broken.iter().map(|broken| broken.group.count).sum();
        let mut edges: Vec<_> = self
            .edges
            .into_iter()
            .map(|(key, tally)| {
                let state = match &tally {
                    _ if is_broken(&key) => EdgeState::Broken,
                    tally if !tally.connected.is_empty() => EdgeState::Connected,
                    tally if tally.unanswered > 0 => EdgeState::External,
                    _ => EdgeState::Excused,
                };
                (key, tally, state)
            })
            .collect();
        edges.sort_by_key(|(key, ..)| *key);
        Verdict { findings, services: self.services, edges, totals: self.totals, left_out }
    }

    /// Returns what is on the other side of a broken edge, and why it is broken; `None` if the other side is no part of the system.
    fn cause(
        &self,
        edge: EdgeKey,
        sign: Sign,
        facts: &HashMap<Name, ServiceFacts, FixedState>,
    ) -> Option<(Option<Name>, Cause)> {
        let (from, peer, is_message) = edge;
        match sign {
            Sign::Linked(to) => return Some((Some(to), Cause::LinkInsteadOfParent)),
            Sign::OtherParent(to) => return Some((Some(to), Cause::HopBetween)),
            Sign::NoParent(to) => return Some((Some(to), Cause::ParentDropped)),
            Sign::Inner(to) => return Some((Some(to), Cause::SpanLost)),
            Sign::Nothing => {}
        }
        if is_message {
            return self.cause_of_message(from, peer, facts);
        }
        let Some(to) = self.targets.service(peer) else {
            return self.targets.is_own(peer).then_some((None, Cause::NotInstrumented));
        };
        if to == from
            && self.edges.get(&edge).is_none_or(|tally| tally.connected.is_empty())
            && !self.targets.is_own(peer)
        {
            return None; // A name that the service has itself, like `localhost` of a peer that was never seen.
        }
        let tally = self.edges.get(&edge);
        let roots = self.server_roots.get(&to);
        let has_roots = tally.zip(roots).is_some_and(|(tally, roots)| self.meets(tally, roots));
        let is_connected = tally.is_some_and(|tally| tally.connected.contains_key(&to));
        if has_roots {
            return Some((Some(to), self.why_new_trace(edge, to, is_connected, facts)));
        }
        let spans = facts.get(&to).map_or(0, |facts| facts.spans);
        let has_servers =
            is_connected || roots.is_some() || self.edges.values().any(|tally| tally.connected.contains_key(&to));
        Some((Some(to), if spans > 0 && has_servers { Cause::SampledAway } else { Cause::NotInstrumented }))
    }

    /// Returns `true` if new traces of the other side start during the calls.
    fn meets(&self, tally: &EdgeTally, roots: &RootTally) -> bool {
        tally.moments.share_with(&roots.moments, self.settings.tolerance.nanoseconds()) >= SHARE
    }

    fn why_new_trace(
        &self,
        edge: EdgeKey,
        to: Name,
        is_connected: bool,
        facts: &HashMap<Name, ServiceFacts, FixedState>,
    ) -> Cause {
        let (from, peer, is_message) = edge;
        let versions = |service: &Name| facts.get(service).map_or(0, |facts| facts.sdks.strings.len());
        if versions(&from) > 1 || versions(&to) > 1 {
            return Cause::AnotherVersion;
        }
        if is_connected {
            return Cause::HeaderStripped; // Some calls arrive: on one route, or through one proxy, the header is lost.
        }
        let edges = || self.edges.iter().filter(|(key, _)| key.2 == is_message);
        let is_sent = |from: Name, peer: Name| {
            edges().any(|(key, tally)| key.0 == from && key.1 != peer && !tally.connected.is_empty())
        };
        let is_read =
            |to: Name, from: Name| edges().any(|(key, tally)| key.0 != from && tally.connected.contains_key(&to));
        match (is_sent(from, peer), is_read(to, from)) {
            (true, true) => return Cause::HeaderStripped,
            (true, false) => return Cause::NoPropagatorInCallee,
            (false, true) => return Cause::NoPropagatorInCaller,
            (false, false) => {}
        }
        // Another edge of one of the two tells which of them it is.
        let is_silent = |tally: &EdgeTally| tally.unanswered > 0 && tally.connected.is_empty();
        let other_side = |key: &EdgeKey| if is_message { self.starts_anew(key.1) } else { self.targets.service(key.1) };
        let silent = || edges().filter(|(key, tally)| is_silent(tally) && **key != edge);
        if silent().any(|(key, _)| key.0 != from && other_side(key) == Some(to) && is_sent(key.0, key.1)) {
            return Cause::NoPropagatorInCallee;
        }
        if silent().any(|(key, _)| key.0 == from && other_side(key).is_some_and(|other| is_read(other, from))) {
            return Cause::NoPropagatorInCaller;
        }
        Cause::NoPropagator
    }

    /// Returns the service whose consumers of a queue start the most traces of their own; of equal ones, the first.
    fn starts_anew(&self, queue: Name) -> Option<Name> {
        let roots = self.consumer_roots.iter().filter(|((of, _), _)| *of == queue);
        roots
            .max_by_key(|((_, service), count)| (**count, std::cmp::Reverse(*service)))
            .map(|((_, service), _)| *service)
    }

    fn cause_of_message(
        &self,
        from: Name,
        queue: Name,
        facts: &HashMap<Name, ServiceFacts, FixedState>,
    ) -> Option<(Option<Name>, Cause)> {
        let is_declared = self
            .settings
            .queues
            .iter()
            .any(|declared| declared.own && declared.name.matches(self.strings.peers.get(queue)));
        if let Some(to) = self.starts_anew(queue) {
            let is_connected =
                self.edges.get(&(from, queue, true)).is_some_and(|tally| tally.connected.contains_key(&to));
            return Some((Some(to), self.why_new_trace((from, queue, true), to, is_connected, facts)));
        }
        let has_consumers = self.targets.consumers(queue).next().is_some();
        (has_consumers || is_declared).then_some((None, Cause::StillQueued))
    }

    /// Finds what is a consequence of a broken edge, and takes it out of the other findings.
    fn explain(&self, broken: &mut [Broken], rest: &mut Vec<(Key, Group)>) {
        let starts_anew = |broken: &Broken| {
            matches!(
                broken.cause,
                Cause::HeaderStripped
                    | Cause::NoPropagator
                    | Cause::NoPropagatorInCallee
                    | Cause::NoPropagatorInCaller
                    | Cause::AnotherVersion
                    | Cause::LinkInsteadOfParent
            )
        };
        for edge in broken.iter_mut().filter(|broken| starts_anew(broken)) {
            if edge.cause != Cause::LinkInsteadOfParent {
                edge.group.consequences[Consequence::Roots as usize] += edge.group.count;
            }
        }
        rest.retain(|(key, group)| {
            let (service, consequence) = match key {
                Key::UnexpectedRoot { service } => (*service, None),
                Key::MissingField { to, at: Boundary::Root, .. } => (*to, Some(Consequence::MissingFields)),
                _ => return true,
            };
            let edge = broken.iter_mut().find(|broken| broken.to == Some(service) && starts_anew(broken));
            match (edge, consequence) {
                (Some(edge), Some(consequence)) => {
                    edge.group.add_consequence(consequence, group.count);
                    false
                }
                (Some(_), None) => false,
                (None, _) => true,
            }
        });
    }

    fn broken_finding(
        &self,
        broken: &Broken,
        words: &Words<'_>,
        facts: &HashMap<Name, ServiceFacts, FixedState>,
        reading: &Reading,
    ) -> Finding {
        let (from, peer, is_message) = broken.edge;
        let calls =
            self.edges.get(&broken.edge).map_or(0, |tally| tally.unanswered + tally.connected.values().sum::<u64>());
        let via = words.peer(peer);
        let to = broken.to.map_or(via.to_owned(), |to| words.service(to).to_owned());
        let edge = Edge { from: words.service(from).to_owned(), to: to.clone(), via: via.to_owned() };
        let noun = if is_message { "messages" } else { "calls" };
        let message = format!(
            "{} of {calls} {noun} from `{}` to `{to}` do not continue its trace",
            broken.group.count, edge.from
        );
        let versions =
            broken.to.and_then(|to| facts.get(&to)).map(|facts| facts.sdks.strings.clone()).unwrap_or_default();
        let cause_words = words.of_edge(broken.cause, &edge, &versions, is_message);
        self.record(
            FindingKind::BrokenEdge,
            from,
            Some(edge),
            broken.cause,
            message,
            cause_words,
            calls,
            &broken.group,
            reading,
        )
    }

    fn unconsumed_finding(&self, edge: EdgeKey, group: &Group, words: &Words<'_>, reading: &Reading) -> Finding {
        let (from, queue, _) = edge;
        let queue = words.peer(queue).to_owned();
        let edge = Edge { from: words.service(from).to_owned(), to: queue.clone(), via: queue.clone() };
        let message = format!("{} messages of `{}` to `{queue}` have no consumer in the data", group.count, edge.from);
        let why = format!("they are still in the queue, or the consumers of `{queue}` do not export all their spans");
        self.record(FindingKind::Unconsumed, from, Some(edge), Cause::StillQueued, message, why, 0, group, reading)
    }

    /// One finding for each clock: that of the service that has the most edges at impossible times.
    fn clock_findings(
        &self,
        mut skewed: Vec<(Name, Name, Group)>,
        facts: &HashMap<Name, ServiceFacts, FixedState>,
        words: &Words<'_>,
        reading: &Reading,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        while !skewed.is_empty() {
            let mut services: Vec<Name> = skewed.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
            services.sort_unstable();
            services.dedup();
            let spans = |service: Name| facts.get(&service).map_or(0, |facts| facts.spans);
            // Of two services that are as likely, the one that has fewer spans.
            let best = services.into_iter().max_by_key(|service| {
                let edges = skewed.iter().filter(|(from, to, _)| from == service || to == service).count();
                let is_called = skewed.iter().filter(|(_, to, _)| to == service).count();
                (edges, is_called, std::cmp::Reverse(spans(*service)), std::cmp::Reverse(*service))
            });
            let Some(service) = best else { break };
            let (mine, others): (Vec<_>, Vec<_>) =
                skewed.into_iter().partition(|(from, to, _)| *from == service || *to == service);
            skewed = others;
            let mut group = Group::default();
            let mut ahead = Vec::new();
            for (from, to, of_edge) in &mine {
                group.join(of_edge);
                ahead.push(if *to == service { of_edge.offset() } else { -of_edge.offset() });
                let _ = from;
            }
            ahead.sort_unstable();
            let ahead = ahead[ahead.len() / 2];
            group.add_consequence(Consequence::ImpossibleTimes, group.count);
            let direction = if ahead < 0 { "behind" } else { "ahead" };
            let name = words.service(service);
            let message = format!("the clock of `{name}` is about {} {direction}", seconds(ahead.unsigned_abs()));
            let why = format!("{} spans of {} edges are at times that cannot be", group.count, mine.len());
            findings.push(self.record(
                FindingKind::ClockSkew,
                service,
                None,
                Cause::ClockSkew,
                message,
                why,
                0,
                &group,
                reading,
            ));
        }
        findings
    }

    fn finding(
        &self,
        key: Key,
        group: &Group,
        words: &Words<'_>,
        facts: &HashMap<Name, ServiceFacts, FixedState>,
        reading: &Reading,
    ) -> Finding {
        let no_facts = ServiceFacts::default();
        let said = words.of_key(key, group, |service| facts.get(&service).unwrap_or(&no_facts));
        let mut finding = self.record(
            said.kind,
            said.service,
            said.edge,
            said.cause,
            said.message,
            said.why,
            said.of,
            group,
            reading,
        );
        finding.field = said.field;
        if let Some(rule_id) = said.rule_id {
            finding.rule_id = rule_id;
        }
        finding
    }

    #[expect(clippy::too_many_arguments, reason = "they are the members of a record")]
    fn record(
        &self,
        kind: FindingKind,
        service: Name,
        edge: Option<Edge>,
        cause: Cause,
        message: String,
        cause_words: String,
        of: u64,
        group: &Group,
        reading: &Reading,
    ) -> Finding {
        let example = |evidence: &Evidence| Example {
            trace_id: if evidence.trace_id == TraceId::default() {
                String::new()
            } else {
                evidence.trace_id.to_string()
            },
            span_ids: evidence.spans.iter().filter(|id| **id != SpanId::NONE).map(ToString::to_string).collect(),
            file: reading.files.get(usize::from(evidence.place.file)).cloned().unwrap_or_default(),
            line: evidence.place.line,
        };
        let examples: Vec<Example> = group.examples.iter().map(example).collect();
        let first = examples.first();
        Finding {
            kind,
            rule_id: kind.rule_id().to_owned(),
            severity: kind.severity(),
            service: self.strings.services.get(service).to_owned(),
            edge,
            field: None,
            trace_id: first.map(|example| example.trace_id.clone()).unwrap_or_default(),
            span_ids: first.map(|example| example.span_ids.clone()).unwrap_or_default(),
            cause,
            message,
            cause_words,
            advice: what_to_do(cause).to_owned(),
            count: group.count,
            of,
            first_seen: group.first,
            last_seen: group.last,
            consequences: Consequence::ALL
                .into_iter()
                .map(|consequence| (consequence, group.consequences[consequence as usize]))
                .filter(|(_, count)| *count > 0)
                .collect(),
            examples,
        }
    }
}

/// Shows nanoseconds as a person would.
fn seconds(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000_000 => format!("{} \u{b5}s", nanoseconds / 1000),
        1_000_000..1_000_000_000 => format!("{} ms", nanoseconds / 1_000_000),
        1_000_000_000..600_000_000_000 => format!("{:.1} s", nanoseconds as f64 / 1e9),
        600_000_000_000..7_200_000_000_000 => format!("{:.0} min", nanoseconds as f64 / 60e9),
        _ => format!("{:.1} h", nanoseconds as f64 / 3600e9),
    }
}
