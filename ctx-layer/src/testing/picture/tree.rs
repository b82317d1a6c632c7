//! Traces as trees of lines.

use std::time::SystemTime;

use opentelemetry::trace::{SpanKind, Status};

use super::Marks;
use crate::testing::captured::{CapturedEvent, CapturedSpan, CapturedTrace};

/// A line of a tree.
#[derive(Debug)]
pub(in crate::testing) struct Line {
    /// The branches before the text.
    pub(in crate::testing) branches: String,
    pub(in crate::testing) text: String,
    pub(in crate::testing) is_event: bool,
    /// A note of what is wrong with it.
    pub(in crate::testing) mark: Option<String>,
    /// It should be there, and is not.
    pub(in crate::testing) is_missing: bool,
}

/// How spans and events are written.
pub(in crate::testing) trait Text {
    fn span(&self, span: &CapturedSpan, trace: &CapturedTrace) -> String;

    fn event(&self, event: &CapturedEvent) -> String;

    /// Returns `true` if siblings are sorted by their text, and not by time.
    fn is_sorted(&self) -> bool;
}

/// Returns the beginning of a span's line: its name, and its kind if that says something.
pub(in crate::testing) fn name_and_kind(span: &CapturedSpan) -> String {
    match span.kind() {
        SpanKind::Internal => span.name().to_owned(),
        kind => format!("{} ({})", span.name(), format!("{kind:?}").to_lowercase()),
    }
}

/// Returns what a span's line says of its status, which is nothing if it is not set.
pub(in crate::testing) fn status(span: &CapturedSpan) -> String {
    match span.status() {
        Status::Unset => String::new(),
        Status::Ok => " status=ok".to_owned(),
        Status::Error { description } => format!(" status=error({description:?})"),
    }
}

/// Returns the lines of a trace.
pub(in crate::testing) fn lines(trace: &CapturedTrace, text: &dyn Text, marks: &Marks) -> Vec<Line> {
    let tree = Tree { trace, text, marks };
    // An orphan is shown as the beginning of a tree of its own, which it is.
    let tops: Vec<_> = trace.roots().chain(trace.orphans()).map(|span| tree.node_of(span)).collect();
    // Events in spans that are not in this test.
    let lost = trace.events().iter().filter(|event| !trace.spans().iter().any(|span| event.is_in(span)));
    let tops = tops.into_iter().chain(lost.map(|event| tree.node_of_event(event))).collect();
    let mut lines = Vec::new();
    tree.push_all(tops, None, "", &mut lines);
    lines
}

struct Tree<'a> {
    trace: &'a CapturedTrace,
    text: &'a dyn Text,
    marks: &'a Marks,
}

struct Node<'a> {
    time: SystemTime,
    text: String,
    what: What<'a>,
}

enum What<'a> {
    Span(&'a CapturedSpan),
    Event(&'a CapturedEvent),
    Missing,
}

impl<'a> Tree<'a> {
    fn node_of(&self, span: &'a CapturedSpan) -> Node<'a> {
        Node { time: span.start(), text: self.text.span(span, self.trace), what: What::Span(span) }
    }

    fn node_of_event(&self, event: &'a CapturedEvent) -> Node<'a> {
        Node { time: event.time(), text: self.text.event(event), what: What::Event(event) }
    }

    /// Appends siblings, and what is below each of them. `under` is their parent.
    fn push_all(&self, mut nodes: Vec<Node<'a>>, under: Option<&CapturedSpan>, branches: &str, lines: &mut Vec<Line>) {
        // Both sorts are stable: what happened at the same time stays in the order in which it was captured.
        if self.text.is_sorted() {
            nodes.sort_by(|one, other| one.text.cmp(&other.text));
        } else {
            nodes.sort_by_key(|node| node.time);
        }
        // What is missing at the top belongs to no trace, and is shown after all of them.
        let missing = under.into_iter().flat_map(|under| self.marks.missing_under(Some(under)));
        let missing =
            missing.map(|line| Node { time: SystemTime::UNIX_EPOCH, text: line.to_owned(), what: What::Missing });
        nodes.extend(missing);
        let last = nodes.iter().rposition(|node| !matches!(node.what, What::Event(_)));
        for (at, Node { text, what, .. }) in nodes.into_iter().enumerate() {
            let is_event = matches!(what, What::Event(_));
            // A line goes down past an event if a span comes after it.
            let (branch, below) = match (is_event, last) {
                (false, Some(last)) if at == last => ("└─ ", "   "),
                (false, _) => ("├─ ", "│  "),
                (true, Some(last)) if at < last => ("│  · ", ""),
                (true, _) => ("   · ", ""),
            };
            // Directly under a span, an event needs no branch of its own.
            let branch = if is_event && last.is_none_or(|last| at > last) { "· " } else { branch };
            let (mark, is_missing) = match what {
                What::Span(span) => (self.marks.of_span(span), false),
                What::Event(event) => (self.marks.of_event(event), false),
                What::Missing => (Some("is expected here, and missing".to_owned()), true),
            };
            lines.push(Line { branches: format!("{branches}{branch}"), text, is_event, mark, is_missing });
            if let What::Span(span) = what {
                let spans = self.trace.children_of(span).map(|child| self.node_of(child));
                let events = self.trace.events_in(span).map(|event| self.node_of_event(event));
                let below = format!("{branches}{below}");
                self.push_all(spans.chain(events).collect(), Some(span), &below, lines);
            }
        }
    }
}
