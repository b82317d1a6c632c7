//! Required fields: which spans and log records lack them, and where they were lost.

use super::{
    trace::{Judge, Trace},
    tree::Parent,
};
use crate::{
    finding::{Boundary, Consequence, Evidence, Key},
    model::{Kind, SpanId},
    store::{Flags, Name},
};

impl Judge<'_> {
    pub(super) fn fields(&mut self, trace: &Trace<'_>) {
        let tree = trace.tree;
        // What is below a health check is exempt, too; what is below an exempt service is not.
        let mut is_below = vec![false; tree.spans.len()];
        let mut is_exempt = vec![false; tree.spans.len()];
        for number in &tree.order {
            let at = *number as usize;
            let span = &tree.spans[at];
            is_below[at] = tree.parent(*number).is_some_and(|(parent, _)| is_below[parent as usize])
                || span.flags.has(Flags::EXEMPT)
                || span.flags.has(Flags::RECEIVE);
            is_exempt[at] = is_below[at] || self.declared.is_exempt(span.service);
        }
        let needing = tree.order.iter().filter(|number| !is_exempt[**number as usize]).count() as u64;
        for field in 0..self.settings.require.len() as u8 {
            self.totals.needing += needing;
            self.field(trace, field, &is_exempt);
        }
    }

    fn field(&mut self, trace: &Trace<'_>, field: u8, is_exempt: &[bool]) {
        let tree = trace.tree;
        let bit = 1_u16 << field;
        // Where the field of a span was lost, if it lacks it.
        let mut lost: Vec<Option<Key>> = vec![None; tree.spans.len()];
        for number in &tree.order {
            let at = *number as usize;
            let span = &tree.spans[at];
            if is_exempt[at] || span.fields & bit != 0 {
                continue;
            }
            let to = span.service;
            let above = tree.parent(*number);
            let key = match above {
                Some((parent, _)) if lost[parent as usize].is_some() => lost[parent as usize],
                Some((_, parent)) => Some(Key::MissingField { field, from: parent.service, to, at: Boundary::Parent }),
                None if trace.explained[at].is_some() => trace.explained[at],
                None => {
                    let at = match tree.parents[at] {
                        Parent::Root if span.kind == Kind::Internal && self.serves(to) => Boundary::Task,
                        Parent::Root => Boundary::Root,
                        _ => Boundary::Orphan,
                    };
                    Some(Key::MissingField { field, from: Name::EMPTY, to, at })
                }
            };
            lost[at] = key;
            self.services.entry(to).or_default().missing[usize::from(field)] += 1;
            self.totals.missing += 1;
            self.lacks(key, Trace::evidence(span, above.map(|(_, parent)| parent)));
        }
        for log in trace.logs.iter().filter(|log| !log.is_event) {
            let span = tree.find(log.span_id);
            if span.is_some_and(|number| is_exempt[number as usize]) || log.fields == u16::MAX {
                continue;
            }
            self.totals.needing += 1;
            if log.fields & bit != 0 {
                continue;
            }
            let of_span = span.and_then(|number| lost[number as usize]);
            let key =
                of_span.unwrap_or(Key::MissingField { field, from: log.service, to: log.service, at: Boundary::Log });
            self.services.entry(log.service).or_default().missing[usize::from(field)] += 1;
            self.totals.missing += 1;
            let evidence = Evidence {
                time: log.time,
                trace_id: log.trace_id,
                spans: [log.span_id, SpanId::NONE],
                place: log.place,
            };
            self.lacks(Some(key), evidence);
        }
    }

    /// Returns `true` for a service that has spans of requests or messages.
    fn serves(&self, service: Name) -> bool {
        self.facts.get(&service).is_some_and(|facts| facts.entries > 0)
    }

    /// Adds to the finding of where the field was lost; if that is a broken edge, as its consequence.
    fn lacks(&mut self, key: Option<Key>, evidence: Evidence) {
        let Some(key) = key else { return };
        match self.groups.get(key) {
            Some(group) if matches!(key, Key::Broken { .. }) => group.add_consequence(Consequence::MissingFields, 1),
            Some(group) => group.add(evidence),
            None => {}
        }
    }
}
