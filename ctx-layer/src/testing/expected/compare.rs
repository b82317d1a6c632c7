//! Comparing what is expected with what was captured.

use opentelemetry::SpanId;

use super::expected_trace::{ExpectedEvent, ExpectedSpan, ExpectedTrace};
use crate::testing::{
    captured::{CapturedEvent, CapturedSpan, CapturedTrace, Value},
    picture::Marks,
};

/// Returns marks at everything that differs.
pub(in crate::testing) fn compare(expected: &ExpectedTrace, spans: &[CapturedSpan], events: &[CapturedEvent]) -> Marks {
    let comparison = Comparison { spans, events };
    let traces = CapturedTrace::group(spans, &[]);
    // An orphan is at the top, too: it is expected nowhere else, and so is marked.
    let tops = traces.iter().flat_map(|trace| trace.roots().chain(trace.orphans()));
    let tops: Vec<_> = tops.filter_map(|top| spans.iter().find(|span| span.span_id() == top.span_id())).collect();
    let outside: Vec<_> = events.iter().filter(|event| event.trace_id().is_none()).collect();
    let mut linked = Vec::new();
    let mut marks = comparison.siblings(expected, &tops, &outside, None, &mut linked);
    if !expected.is_open {
        for top in comparison.unmatched(&expected.spans, &tops) {
            if !linked.contains(&top.span_id()) {
                marks = marks.span(top, "is not expected");
            }
        }
    }
    marks
}

struct Comparison<'a> {
    spans: &'a [CapturedSpan],
    events: &'a [CapturedEvent],
}

impl<'a> Comparison<'a> {
    /// Compares siblings, apart from those that are not expected. `linked` gets the spans that are found by a link.
    fn siblings(
        &self,
        expected: &ExpectedTrace,
        spans: &[&'a CapturedSpan],
        events: &[&CapturedEvent],
        under: Option<&CapturedSpan>,
        linked: &mut Vec<SpanId>,
    ) -> Marks {
        let mut marks = Marks::new();
        for (expected, found) in expected.spans.iter().zip(self.assign(&expected.spans, spans)) {
            marks = match found {
                Some(found) => marks.and(self.span(expected, found, linked)),
                None => marks.missing(under, ExpectedTrace::new().span(expected.clone()).to_string().trim()),
            };
        }
        let mut rest = events.to_vec();
        for expected in &expected.events {
            let best = rest.iter().enumerate().filter(|(_, event)| event.message() == expected.message);
            let best = best.min_by_key(|(_, event)| differing(&expected.fields, |name| event.field(name)).len());
            marks = match best.map(|(at, _)| at) {
                Some(at) => wrong_event(expected, rest.remove(at), marks),
                None => marks.missing(under, ExpectedTrace::new().event(expected.clone()).to_string().trim()),
            };
        }
        marks
    }

    /// Finds a span for each expected one: first those that fit, then those that have at least the name.
    fn assign(&self, expected: &[ExpectedSpan], spans: &[&'a CapturedSpan]) -> Vec<Option<&'a CapturedSpan>> {
        let mut rest = spans.to_vec();
        let mut found = vec![None; expected.len()];
        for is_exact in [true, false] {
            for (expected, found) in expected.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
                let named = rest.iter().enumerate().filter(|(_, span)| span.name() == expected.name);
                let rated = named.map(|(at, span)| (at, self.span(expected, span, &mut Vec::new()).len()));
                let best = rated.min_by_key(|(_, differences)| *differences);
                if let Some((at, _)) = best.filter(|(_, differences)| !is_exact || *differences == 0) {
                    *found = Some(rest.remove(at));
                }
            }
        }
        found
    }

    /// Returns the spans that none of the expected ones is.
    fn unmatched(&self, expected: &[ExpectedSpan], spans: &[&'a CapturedSpan]) -> Vec<&'a CapturedSpan> {
        let matched: Vec<_> = self.assign(expected, spans).into_iter().flatten().map(CapturedSpan::span_id).collect();
        spans.iter().filter(|span| !matched.contains(&span.span_id())).copied().collect()
    }

    fn span(&self, expected: &ExpectedSpan, found: &'a CapturedSpan, linked: &mut Vec<SpanId>) -> Marks {
        let wrong = differing(&expected.fields, |name| found.field(name));
        let mut marks = wrong.into_iter().fold(Marks::new(), |marks, what| marks.span(found, what));
        let links: Vec<_> = self.spans.iter().filter(|span| span.links_to(found)).collect();
        for (expected, by_link) in expected.linked.iter().zip(self.assign(&expected.linked, &links)) {
            marks = match by_link {
                Some(by_link) => {
                    linked.push(by_link.span_id());
                    marks.and(self.span(expected, by_link, linked))
                }
                None => marks.span(found, format!("no span {:?} links to it", expected.name)),
            };
        }
        let Some(inner) = &expected.inner else { return marks };
        let children: Vec<_> = self.spans.iter().filter(|span| span.is_child_of(found)).collect();
        let events: Vec<_> = self.events.iter().filter(|event| event.is_in(found)).collect();
        marks = marks.and(self.siblings(inner, &children, &events, Some(found), linked));
        if !inner.is_open {
            for child in self.unmatched(&inner.spans, &children) {
                // A consumer may be a child and have a link.
                if !linked.contains(&child.span_id()) {
                    marks = marks.span(child, "is not expected");
                }
            }
        }
        marks
    }
}

fn wrong_event(expected: &ExpectedEvent, found: &CapturedEvent, marks: Marks) -> Marks {
    let wrong = differing(&expected.fields, |name| found.field(name));
    wrong.into_iter().fold(marks, |marks, what| marks.event(found, what))
}

fn differing<'v>(expected: &[(String, Value)], found: impl Fn(&str) -> Option<&'v Value>) -> Vec<String> {
    let differing = expected.iter().filter_map(|(name, expected)| match found(name) {
        Some(found) if found == expected => None,
        Some(found) => Some(format!("{name} is {found}, expected {expected}")),
        None => Some(format!("{name} is missing, expected {expected}")),
    });
    differing.collect()
}
