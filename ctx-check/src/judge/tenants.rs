//! Tenants: one trace has one.

use super::{
    targets::is_call,
    trace::{Judge, Trace},
    tree::Tree,
};
use crate::{
    finding::{Consequence, Evidence, Key},
    model::SpanId,
    store::{Name, StoredSpan},
};

/// The tenant of a path: the first one, and the nearest, with the span that has it.
#[derive(Clone, Copy, Default)]
struct Path {
    first: Name,
    nearest: Name,
    holder: u32,
}

impl Judge<'_> {
    pub(super) fn tenants(&mut self, trace: &Trace<'_>) {
        let tree = trace.tree;
        if tree.spans.iter().all(|span| span.tenant.is_empty())
            && trace.logs.iter().all(|log| log.tenant.is_empty())
            && trace.links.is_empty()
        {
            return;
        }
        let mut paths = vec![Path::default(); tree.spans.len()];
        let mut is_mixed = false;
        for number in &tree.order {
            let span = &tree.spans[*number as usize];
            let above = tree.parent(*number).map(|(parent, _)| paths[parent as usize]).unwrap_or_default();
            let mut path = above;
            if !span.tenant.is_empty() && !self.declared.has_many_tenants(span.service) {
                // What changes back to the first tenant is the end of the same fault.
                if !above.nearest.is_empty() && span.tenant != above.nearest && span.tenant != above.first {
                    let holder = &tree.spans[above.holder as usize];
                    self.change(holder.service, span.service, Trace::evidence(span, Some(holder)), !is_mixed);
                    is_mixed = true;
                }
                path = Path {
                    first: if above.first.is_empty() { span.tenant } else { above.first },
                    nearest: span.tenant,
                    holder: *number,
                };
            }
            paths[*number as usize] = path;
        }
        is_mixed |= self.of_links(trace, &paths);
        if !is_mixed {
            is_mixed = self.of_siblings(tree);
        }
        is_mixed |= self.of_logs(trace, &paths);
        self.totals.mixed += u64::from(is_mixed);
    }

    fn change(&mut self, from: Name, to: Name, evidence: Evidence, is_first: bool) {
        if let Some(group) = self.groups.get(Key::TenantChange { from, to }) {
            group.add(evidence);
            group.add_consequence(Consequence::MixedTraces, u64::from(is_first));
        }
    }

    /// A consumer that is linked to the producer belongs to its tenant, too.
    fn of_links(&mut self, trace: &Trace<'_>, paths: &[Path]) -> bool {
        let mut is_mixed = false;
        for link in trace.links.iter().filter(|link| !link.from_tenant.is_empty()) {
            let Some(number) = trace.tree.find(link.span_id) else { continue };
            let path = paths[number as usize];
            if path.nearest.is_empty()
                || path.nearest == link.from_tenant
                || self.declared.has_many_tenants(link.from_service)
            {
                continue;
            }
            let target = &trace.tree.spans[number as usize];
            if is_call(target) {
                continue; // A link in the place of a parent is a finding of its own.
            }
            let evidence = Evidence {
                time: link.from_start,
                trace_id: link.from_trace,
                spans: [link.from_span, target.span_id],
                place: target.place,
            };
            self.change(target.service, link.from_service, evidence, true);
            is_mixed = true;
        }
        is_mixed
    }

    /// Two tenants, neither of which is above the other.
    fn of_siblings(&mut self, tree: &Tree) -> bool {
        let is_of_one = |span: &&StoredSpan| !span.tenant.is_empty() && !self.declared.has_many_tenants(span.service);
        let mut spans: Vec<&StoredSpan> = tree.spans.iter().filter(is_of_one).collect();
        spans.sort_by_key(|span| (span.start, span.span_id));
        let Some(first) = spans.first() else { return false };
        let Some(second) = spans.iter().find(|span| span.tenant != first.tenant) else { return false };
        let key = Key::MixedTenants { first: first.service, second: second.service };
        self.groups.add(key, Trace::evidence(second, Some(first)));
        true
    }

    fn of_logs(&mut self, trace: &Trace<'_>, paths: &[Path]) -> bool {
        let mut is_mixed = false;
        let mut first = Name::EMPTY;
        for log in
            trace.logs.iter().filter(|log| !log.tenant.is_empty() && !self.declared.has_many_tenants(log.service))
        {
            let span = trace.tree.find(log.span_id);
            let mut expected = span.map(|number| paths[number as usize].nearest).unwrap_or_default();
            if expected.is_empty() && span.is_none() {
                let known = trace.tree.spans.iter().map(|span| span.tenant).filter(|tenant| !tenant.is_empty());
                expected = match known.clone().find(|tenant| *tenant == log.tenant).or(known.min()) {
                    Some(tenant) => tenant,
                    None => *if first.is_empty() { &log.tenant } else { &first },
                };
                first = expected;
            }
            if !expected.is_empty() && expected != log.tenant {
                let spans = [log.span_id, SpanId::NONE];
                let evidence = Evidence { time: log.time, trace_id: log.trace_id, spans, place: log.place };
                self.groups.add(Key::TenantOfLog { service: log.service }, evidence);
                is_mixed = true;
            }
        }
        is_mixed
    }
}
