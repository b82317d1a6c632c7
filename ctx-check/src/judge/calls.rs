//! Calls and messages: which reached the other side, and what the traces of the others show.

use super::{
    targets::is_call,
    trace::{Judge, Trace},
    tree::Parent,
};
use crate::{
    finding::{Consequence, Key, Sign},
    model::Kind,
    settings::QueueMode,
    store::{Flags, Name, StoredSpan},
};

/// A call without its server, or a message without its consumer.
struct Open {
    number: u32,
    is_message: bool,
    /// The service that should have answered.
    target: Option<Name>,
    sign: Sign,
    other: Option<u32>,
    orphans: u64,
}

impl Judge<'_> {
    /// Judges calls and messages, and notes which spans without parents are explained by them.
    pub(super) fn calls(&mut self, trace: &mut Trace<'_>) {
        let tree = trace.tree;
        let mut open: Vec<Open> = Vec::new();
        for number in 0..tree.spans.len() as u32 {
            let span = &tree.spans[number as usize];
            if is_call(span) {
                open.extend(self.call(trace, number, span));
            } else if span.kind == Kind::Producer {
                open.extend(self.message(trace, number, span));
            } else if span.kind.is_entry()
                && let Some((_, parent)) = tree.parent(number)
                && !is_call(parent)
                && parent.kind != Kind::Producer
                && parent.service != span.service
            {
                // A caller whose client has no span.
                let edge = self.edges.entry((parent.service, Name::EMPTY, span.kind == Kind::Consumer)).or_default();
                *edge.connected.entry(span.service).or_default() += 1;
            }
        }
        if open.is_empty() {
            return;
        }
        self.find_signs(trace, &mut open);
        for call in &open {
            self.report(trace, call);
        }
    }

    fn call(&mut self, trace: &Trace<'_>, number: u32, span: &StoredSpan) -> Option<Open> {
        // A server without a kind is known by its service.
        let is_server = |child: &&StoredSpan| child.kind.is_entry() || child.service != span.service;
        let server = trace.tree.children(number).find(is_server);
        let target = self.targets.service(span.peer);
        let server = server
            .or_else(|| nested(trace, number, span).filter(|server| target.is_none_or(|it| it == server.service)));
        let edge = self.edges.entry((span.service, span.peer, false)).or_default();
        self.totals.calls += 1;
        if let Some(server) = server {
            *edge.connected.entry(server.service).or_default() += 1;
            return None;
        }
        if span.flags.has(Flags::FAILED) {
            edge.failed += 1;
            return None;
        }
        // The call inside of it is the one that is judged.
        let has_inner = trace.tree.children(number).any(|child| is_call(child) && child.service == span.service);
        let is_sampled = target.is_some_and(|target| self.declared.is_sampled(target));
        let is_exempt = has_inner || span.flags.has(Flags::EXEMPT) || self.targets.is_third_party(span.peer);
        if trace.is_at_edge || is_sampled || is_exempt {
            edge.excused += 1;
            return None;
        }
        Some(Open { number, is_message: false, target, sign: linked(trace, span), other: None, orphans: 0 })
    }

    fn message(&mut self, trace: &Trace<'_>, number: u32, span: &StoredSpan) -> Option<Open> {
        let queue = span.peer;
        let child = trace.tree.children(number).find(|child| child.kind.is_entry());
        // What sends messages that were created before, as an outbox's relay does, links to them and does not receive them.
        let is_sending = |kind| matches!(kind, Kind::Producer | Kind::Client);
        let link = trace.links.iter().find(|link| link.span_id == span.span_id && !is_sending(link.from_kind));
        let declared =
            self.settings.queues.iter().find(|declared| declared.name.matches(self.strings.peers.get(queue)));
        let mode = declared.map(|declared| declared.mode).unwrap_or_default();
        let edge = self.edges.entry((span.service, queue, true)).or_default();
        self.totals.calls += 1;
        if let Some(to) = child.map(|child| child.service).or(link.map(|link| link.from_service)) {
            *edge.connected.entry(to).or_default() += 1;
            let from = span.service;
            match (mode, child, link) {
                (QueueMode::Parent, None, Some(_)) => {
                    self.groups.add(Key::LinkNotParent { queue, from, to }, Trace::evidence(span, None));
                }
                (QueueMode::Link, Some(child), None) => {
                    self.groups.add(Key::ParentNotLink { queue, from, to }, Trace::evidence(span, Some(child)));
                }
                _ => {}
            }
            return None;
        }
        if span.flags.has(Flags::FAILED) {
            edge.failed += 1;
            return None;
        }
        // Where a format has no links, a consumer may have one.
        let is_unknown = span.flags.has(Flags::NO_LINKS) && mode != QueueMode::Parent;
        let is_sampled = self.targets.consumers(queue).any(|service| self.declared.is_sampled(service));
        if trace.is_at_edge || is_unknown || is_sampled || span.flags.has(Flags::EXEMPT) {
            edge.excused += 1;
            return None;
        }
        Some(Open { number, is_message: true, target: None, sign: Sign::Nothing, other: None, orphans: 0 })
    }

    /// Finds, for each span without its parent, the call that explains it.
    fn find_signs(&self, trace: &mut Trace<'_>, open: &mut [Open]) {
        let tree = trace.tree;
        let mut roots: Vec<u32> =
            (0..tree.spans.len() as u32).filter(|number| tree.parents[*number as usize] == Parent::Root).collect();
        roots.sort_by_key(|number| (tree.spans[*number as usize].start, tree.spans[*number as usize].span_id));
        let orphans = (0..tree.spans.len() as u32).filter(|number| tree.parents[*number as usize] == Parent::Missing);
        let mut candidates: Vec<u32> = roots.iter().skip(1).copied().chain(orphans).collect();
        // Entries first: a call has one of them, and any number of others.
        candidates.sort_by_key(|number| {
            let span = &tree.spans[*number as usize];
            (!span.kind.is_entry(), span.start, span.span_id)
        });
        for candidate in candidates {
            let span = &tree.spans[candidate as usize];
            let is_root = tree.parents[candidate as usize] == Parent::Root;
            if is_root && !span.kind.is_entry() {
                continue;
            }
            let best = open
                .iter_mut()
                .filter(|call| {
                    let is_free = match call.sign {
                        Sign::Nothing => true,
                        Sign::Inner(service) => !span.kind.is_entry() && service == span.service,
                        _ => false,
                    };
                    is_free && self.may_answer(call, &tree.spans[call.number as usize], span)
                })
                .min_by_key(|call| {
                    (call.target.is_none(), tree.spans[call.number as usize].start.abs_diff(span.start))
                });
            let Some(call) = best else { continue };
            call.sign = match (span.kind.is_entry(), is_root) {
                (true, true) => Sign::NoParent(span.service),
                (true, false) => Sign::OtherParent(span.service),
                (false, _) => Sign::Inner(span.service),
            };
            call.other.get_or_insert(candidate);
            call.orphans += u64::from(!is_root);
            trace.explained[candidate as usize] = Some(key(call, &tree.spans[call.number as usize]));
        }
    }

    /// Returns `true` if a span may be what a call caused.
    fn may_answer(&self, call: &Open, caller: &StoredSpan, span: &StoredSpan) -> bool {
        let tolerance = self.settings.tolerance.nanoseconds();
        if call.is_message {
            let is_of_queue = span.peer.is_empty() || span.peer == caller.peer || span.kind != Kind::Consumer;
            let mut consumers = self.targets.consumers(caller.peer).peekable();
            let is_consumer = if consumers.peek().is_some() {
                consumers.any(|service| service == span.service)
            } else {
                span.service != caller.service
            };
            return is_of_queue && is_consumer && span.start.saturating_add(tolerance) >= caller.start;
        }
        match call.target {
            Some(target) => target == span.service,
            // Nothing is known of the address: a server that starts during the call is what it caused.
            None => {
                span.kind.is_entry()
                    && span.service != caller.service
                    && span.start.saturating_add(tolerance) >= caller.start
                    && span.start <= caller.end.saturating_add(tolerance)
            }
        }
    }

    fn report(&mut self, trace: &Trace<'_>, call: &Open) {
        let span = &trace.tree.spans[call.number as usize];
        let other = call.other.map(|number| &trace.tree.spans[number as usize]);
        let edge = self.edges.entry((span.service, span.peer, call.is_message)).or_default();
        edge.unanswered += 1;
        if call.sign == Sign::Nothing {
            edge.moments.add(span.start, span.end);
        }
        if let Some(group) = self.groups.get(key(call, span)) {
            group.add(Trace::evidence(span, other));
            group.add_consequence(Consequence::Orphans, call.orphans);
            group.add_consequence(
                Consequence::Roots,
                u64::from(matches!(call.sign, Sign::NoParent(_) | Sign::Linked(_))),
            );
        }
    }
}

/// Returns the server of a call that has two client spans, one around the other, where the other one was injected: the span of a
/// library around that of its transport, for example.
fn nested<'t>(trace: &'t Trace<'_>, number: u32, span: &StoredSpan) -> Option<&'t StoredSpan> {
    let tree = trace.tree;
    let of_inner = tree.child_numbers(number).filter(|child| {
        let inner = &tree.spans[*child as usize];
        is_call(inner) && inner.service == span.service
    });
    let is_server = |child: &&StoredSpan| child.kind.is_entry() && child.service != span.service;
    if let Some(server) = of_inner.flat_map(|inner| tree.children(inner)).find(is_server) {
        return Some(server);
    }
    let (outer, parent) =
        tree.parent(number).filter(|(_, parent)| is_call(parent) && parent.service == span.service)?;
    // One server answers one call: with several calls inside, none of them is known to be it.
    let calls = tree.children(outer).filter(|child| is_call(child) && child.service == parent.service).count();
    tree.children(outer).find(is_server).filter(|_| calls == 1)
}

fn key(call: &Open, span: &StoredSpan) -> Key {
    Key::Broken { from: span.service, peer: span.peer, is_message: call.is_message, sign: call.sign }
}

fn linked(trace: &Trace<'_>, span: &StoredSpan) -> Sign {
    let link = trace.links.iter().find(|link| link.span_id == span.span_id && link.from_kind.is_entry());
    link.map_or(Sign::Nothing, |link| Sign::Linked(link.from_service))
}
