use opentelemetry::SpanId;

use crate::testing::captured::{CapturedEvent, CapturedMessage, CapturedSpan};

/// Notes of what is wrong, each at the line that it is about.
#[derive(Debug, Default)]
pub(in crate::testing) struct Marks {
    spans: Vec<(SpanId, String)>,
    /// By the events' numbers.
    events: Vec<(usize, String)>,
    /// By their text, which says all that there is of them.
    messages: Vec<(String, String)>,
    /// Lines that are missing under a span, or, without one, at the top.
    missing: Vec<(Option<SpanId>, String)>,
}

impl Marks {
    pub(in crate::testing) fn new() -> Self {
        Marks::default()
    }

    pub(in crate::testing) fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.events.is_empty() && self.messages.is_empty() && self.missing.is_empty()
    }

    /// Returns the number of lines that are marked.
    pub(in crate::testing) fn len(&self) -> usize {
        self.spans.len() + self.events.len() + self.messages.len() + self.missing.len()
    }

    pub(in crate::testing) fn span(mut self, span: &CapturedSpan, what: impl Into<String>) -> Self {
        self.spans.push((span.span_id(), what.into()));
        self
    }

    pub(in crate::testing) fn event(mut self, event: &CapturedEvent, what: impl Into<String>) -> Self {
        self.events.push((event.number, what.into()));
        self
    }

    pub(in crate::testing) fn message(mut self, message: &CapturedMessage, what: impl Into<String>) -> Self {
        self.messages.push((message.to_string(), what.into()));
        self
    }

    pub(in crate::testing) fn missing(mut self, under: Option<&CapturedSpan>, line: impl Into<String>) -> Self {
        self.missing.push((under.map(CapturedSpan::span_id), line.into()));
        self
    }

    /// Adds the marks of others.
    pub(in crate::testing) fn and(mut self, others: Marks) -> Self {
        self.spans.extend(others.spans);
        self.events.extend(others.events);
        self.messages.extend(others.messages);
        self.missing.extend(others.missing);
        self
    }

    pub(super) fn of_span(&self, span: &CapturedSpan) -> Option<String> {
        joined(self.spans.iter().filter(|(id, _)| *id == span.span_id()).map(|(_, what)| what))
    }

    pub(super) fn of_event(&self, event: &CapturedEvent) -> Option<String> {
        joined(self.events.iter().filter(|(number, _)| *number == event.number).map(|(_, what)| what))
    }

    pub(super) fn of_message(&self, message: &CapturedMessage) -> Option<String> {
        let message = message.to_string();
        joined(self.messages.iter().filter(|(known, _)| *known == message).map(|(_, what)| what))
    }

    pub(super) fn missing_under(&self, span: Option<&CapturedSpan>) -> impl Iterator<Item = &str> {
        let under = span.map(CapturedSpan::span_id);
        self.missing.iter().filter(move |(known, _)| *known == under).map(|(_, line)| line.as_str())
    }
}

fn joined<'a>(all: impl Iterator<Item = &'a String>) -> Option<String> {
    let all: Vec<&str> = all.map(String::as_str).collect();
    (!all.is_empty()).then(|| all.join("; "))
}
