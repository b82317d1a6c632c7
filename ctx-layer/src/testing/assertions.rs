//! Assertions, each of which fails with a picture.

use std::fmt;

use opentelemetry::SpanId;

use super::{
    captured::{CapturedSpan, FieldName, Value},
    expected::{ExpectedTrace, compare},
    picture::Marks,
    telemetry::Telemetry,
};
use crate::propagation::percent_decoded;

/// # Assertions
///
/// Each panics if what it says is not the case, and shows what was captured, with marks at the lines that are wrong.
impl Telemetry {
    /// Asserts that every span and every event has a field, with this value.
    ///
    /// # Panics
    /// Panics if one does not, and if there is neither a span nor an event: then nothing would be asserted.
    #[track_caller]
    pub fn assert_field_everywhere(&self, field: impl FieldName, value: impl Into<Value>) {
        let (name, value) = (field.as_name(), value.into());
        self.assert_everywhere(format_args!("every span and event has {name}={value}"), name, |found| match found {
            Some(found) if *found == value => None,
            Some(found) => Some(format!("{name} is {found}")),
            None => Some(format!("{name} is missing")),
        });
    }

    /// Asserts that every span and every event has a field, with any value.
    ///
    /// # Panics
    /// Panics if one does not, and if there is neither a span nor an event.
    #[track_caller]
    pub fn assert_field_present_everywhere(&self, field: impl FieldName) {
        let name = field.as_name();
        self.assert_everywhere(format_args!("every span and event has {name}"), name, |found| {
            found.is_none().then(|| format!("{name} is missing"))
        });
    }

    /// Asserts that no span and no event has a field.
    ///
    /// # Panics
    /// Panics if one does, and if there is neither a span nor an event.
    #[track_caller]
    pub fn assert_field_nowhere(&self, field: impl FieldName) {
        let name = field.as_name();
        self.assert_everywhere(format_args!("no span and no event has {name}"), name, |found| {
            found.map(|found| format!("{name} is {found}"))
        });
    }

    #[track_caller]
    fn assert_everywhere(
        &self,
        expected: fmt::Arguments<'_>,
        name: &str,
        wrong: impl Fn(Option<&Value>) -> Option<String>,
    ) {
        let (spans, events) = (self.spans(), self.events());
        if spans.is_empty() && events.is_empty() {
            self.fail(format_args!("{expected}, but there is neither a span nor an event"), Marks::new());
        }
        let mut marks = Marks::new();
        for span in &spans {
            marks = wrong(span.field(name)).into_iter().fold(marks, |marks, what| marks.span(span, what));
        }
        for event in &events {
            marks = wrong(event.field(name)).into_iter().fold(marks, |marks, what| marks.event(event, what));
        }
        if !marks.is_empty() {
            self.fail(format_args!("{expected}, but {} do not fit", marks.len()), marks);
        }
    }

    /// Asserts that each trace is connected: it has one root, and no span whose parent is not there.
    ///
    /// A span whose parent came with a request from outside of the test is a root.
    ///
    /// # Panics
    /// Panics if one is not, and if there is no span.
    #[track_caller]
    pub fn assert_connected(&self) {
        let traces = self.traces();
        let mut marks = Marks::new();
        for trace in &traces {
            for orphan in trace.orphans() {
                marks = marks.span(orphan, "its parent is not in this test");
            }
            if trace.roots().count() > 1 {
                marks = trace.roots().fold(marks, |marks, root| marks.span(root, "one of several roots"));
            }
        }
        if traces.iter().all(|trace| trace.spans().is_empty()) {
            self.fail("each trace is connected, but there is no span", marks);
        }
        if !marks.is_empty() {
            self.fail("each trace is connected: it has one root, and each other span has its parent", marks);
        }
    }

    /// Asserts that there is one trace, and that it is [connected](Self::assert_connected).
    #[track_caller]
    pub fn assert_one_trace(&self) {
        self.trace();
        self.assert_connected();
    }

    /// Asserts that the one span `child` is a child of the one span `parent`.
    #[track_caller]
    pub fn assert_child(&self, child: &str, parent: &str) {
        let (child, parent) = (self.span(child), self.span(parent));
        if !child.is_child_of(&parent) {
            let is = match self.named(child.parent_span_id()) {
                Some(other) => format!("is a child of {other:?}"),
                None if child.parent_span_id().is_some() => "has a parent that is not in this test".to_owned(),
                None => "has no parent".to_owned(),
            };
            let marks = Marks::new().span(&child, is).span(&parent, "is expected as its parent");
            self.fail(format_args!("{:?} is a child of {:?}", child.name(), parent.name()), marks);
        }
    }

    /// Asserts that the one span `from` links to the one span `to`.
    #[track_caller]
    pub fn assert_link(&self, from: &str, to: &str) {
        let (from, to) = (self.span(from), self.span(to));
        if !from.links_to(&to) {
            let links: Vec<_> = from.links().iter().map(|link| self.named(Some(link.span_id()))).collect();
            let is = match links.as_slice() {
                _ if from.is_child_of(&to) => "is a child, and does not link".to_owned(),
                [] => "links to nothing".to_owned(),
                links => format!("links to {}", links.iter().flatten().cloned().collect::<Vec<_>>().join(", ")),
            };
            let marks = Marks::new().span(&from, is).span(&to, "is expected as the end of a link");
            self.fail(format_args!("{:?} links to {:?}", from.name(), to.name()), marks);
        }
    }

    fn named(&self, span: Option<SpanId>) -> Option<String> {
        let span = span?;
        self.spans().iter().find(|known| known.span_id() == span).map(|known| known.name().to_owned())
    }

    /// Asserts that no trace has two values of a field, such as two tenants. Spans and events without the field are not looked at.
    ///
    /// # Panics
    /// Panics if one has, and if neither a span nor an event has the field: then nothing would be asserted.
    #[track_caller]
    pub fn assert_not_mixed(&self, field: impl FieldName) {
        let name = field.as_name();
        let (mut marks, mut is_any) = (Marks::new(), false);
        for trace in self.traces() {
            let of_spans = trace.spans().iter().filter_map(|span| span.field(name));
            let mut values = of_spans.chain(trace.events().iter().filter_map(|event| event.field(name)));
            let Some(first) = values.next() else { continue };
            is_any = true;
            if values.all(|value| value == first) {
                continue;
            }
            for span in trace.spans() {
                marks = span.field(name).into_iter().fold(marks, |marks, value| marks.span(span, value.to_string()));
            }
            for event in trace.events() {
                marks = event.field(name).into_iter().fold(marks, |marks, value| marks.event(event, value.to_string()));
            }
        }
        if !is_any {
            self.fail(format_args!("no trace has two values of {name}, but nothing has one"), marks);
        }
        if !marks.is_empty() {
            self.fail(format_args!("no trace has two values of {name}"), marks);
        }
    }

    /// Asserts that a value is nowhere: in no name, message, field, link, log record, label of a measurement, and in no header that was sent.
    ///
    /// Strings are searched for it, also after decoding percent-encoded headers. For what is sensitive.
    ///
    /// # Panics
    /// Panics if it is somewhere, and if it is empty.
    #[track_caller]
    pub fn assert_absent(&self, value: &str) {
        assert!(!value.is_empty(), "an empty value is everywhere: pass the sensitive value");
        let mut marks = Marks::new();
        let within = |found: &Value| found.contains(value);
        for span in self.spans() {
            let field = span.fields().find(|(_, found)| within(found)).map(|(name, _)| name.to_owned());
            if let Some(name) = field {
                marks = marks.span(&span, format!("the value is in {name}"));
            } else if span.name().contains(value) {
                marks = marks.span(&span, "the value is in the name");
            } else if let opentelemetry::trace::Status::Error { description } = span.status()
                && description.contains(value)
            {
                marks = marks.span(&span, "the value is in the status");
            }
        }
        for event in self.events() {
            let field = event.fields().find(|(_, found)| within(found)).map(|(name, _)| name.to_owned());
            if let Some(name) = field {
                marks = marks.event(&event, format!("the value is in {name}"));
            } else if event.message().contains(value) {
                marks = marks.event(&event, "the value is in the message");
            }
        }
        for message in self.sent() {
            let header =
                message.headers().find(|(_, found)| found.contains(value) || percent_decoded(found).contains(value));
            if let Some((name, _)) = header {
                marks = marks.message(&message, format!("the value is in {name}"));
            }
        }
        for log in self.logs() {
            // Nearly always the record of an event, which is marked already.
            if marks.is_empty() && (log.body().contains(value) || log.fields().any(|(_, found)| within(found))) {
                marks = marks.missing(None, format!("the log record {:?} has the value", log.body()));
            }
        }
        for measurement in self.measurements() {
            if let Some((name, _)) = measurement.fields().find(|(_, found)| within(found)) {
                let line = format!("the label {name} of {:?} has the value", measurement.instrument());
                marks = marks.missing(None, line);
            }
        }
        if !marks.is_empty() {
            self.fail("a sensitive value is nowhere", marks);
        }
    }

    /// Asserts that a header was sent with this value, in any message.
    #[track_caller]
    pub fn assert_sent(&self, header: &str, value: &str) {
        let sent = self.sent();
        if !sent.iter().any(|message| message.header(header) == Some(value)) {
            let marks = sent.iter().fold(Marks::new(), |marks, message| {
                marks.message(message, message.header(header).map_or("is without it", |_| "has another value"))
            });
            self.fail(format_args!("the header {header}: {value} is sent"), marks);
        }
    }

    /// Asserts that a header was sent in no message.
    #[track_caller]
    pub fn assert_not_sent(&self, header: &str) {
        let sent = self.sent();
        let with = sent.iter().filter(|message| message.header(header).is_some());
        let marks = with.fold(Marks::new(), |marks, message| marks.message(message, "has it"));
        if !marks.is_empty() {
            self.fail(format_args!("the header {header} is not sent"), marks);
        }
    }

    /// Asserts that every span has ended.
    #[track_caller]
    pub fn assert_all_ended(&self) {
        let spans = self.spans();
        let open = spans.iter().filter(|span| span.is_open());
        let marks = open.fold(Marks::new(), |marks, span| marks.span(span, "has not ended"));
        if !marks.is_empty() {
            self.fail("every span has ended", marks);
        }
    }

    /// Asserts that the traces are these, as written by [`trace!`](crate::testing::trace!), and no others.
    ///
    /// ```
    /// use ctx_layer::{field::well_known::TENANT_ID, testing::{self, trace}};
    /// use tracing::{info, info_span};
    ///
    /// let telemetry = testing::capture();
    /// TENANT_ID.in_scope("acme", || {
    ///     info_span!("GET /orders/{id}", attempts = 2).in_scope(|| {
    ///         info_span!("load").in_scope(|| info!(rows = 3, "loaded"));
    ///     });
    /// });
    /// telemetry.assert_trace(trace! {
    ///     "GET /orders/{id}" tenant_id="acme" attempts=2 { "load" { event "loaded" rows=3 } }
    /// });
    /// ```
    #[track_caller]
    pub fn assert_trace(&self, expected: ExpectedTrace) {
        let marks = compare(&expected, &self.spans(), &self.events());
        if !marks.is_empty() {
            self.fail(format_args!("the traces are\n\n{expected}\nbut {} lines differ", marks.len()), marks);
        }
    }

    /// Returns the spans that begin a trace, of all traces.
    pub fn roots(&self) -> Vec<CapturedSpan> {
        self.traces().iter().flat_map(|trace| trace.roots().cloned().collect::<Vec<_>>()).collect()
    }
}
