use std::fmt;

use crate::testing::captured::Value;

/// Traces as a test expects them. Written by [`trace!`](crate::testing::trace!).
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is asserted before it is passed to `assert_trace`"]
pub struct ExpectedTrace {
    pub(super) spans: Vec<ExpectedSpan>,
    pub(super) events: Vec<ExpectedEvent>,
    /// There may be other spans.
    pub(super) is_open: bool,
}

impl ExpectedTrace {
    /// Creates an expectation of nothing.
    pub fn new() -> Self {
        ExpectedTrace::default()
    }

    /// Expects a span.
    pub fn span(mut self, span: ExpectedSpan) -> Self {
        self.spans.push(span);
        self
    }

    /// Expects an event. There may be others, too.
    pub fn event(mut self, event: ExpectedEvent) -> Self {
        self.events.push(event);
        self
    }

    /// Allows other spans.
    pub fn and_others(self) -> Self {
        ExpectedTrace { is_open: true, ..self }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        for event in &self.events {
            write!(f, "{:indent$}event {:?}", "", event.message)?;
            write_fields(f, &event.fields)?;
            writeln!(f)?;
        }
        for span in &self.spans {
            write!(f, "{:indent$}", "")?;
            write_span(f, span, indent)?;
            writeln!(f)?;
        }
        if self.is_open { writeln!(f, "{:indent$}..", "") } else { Ok(()) }
    }
}

fn write_fields(f: &mut fmt::Formatter<'_>, fields: &[(String, Value)]) -> fmt::Result {
    fields.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
}

fn write_span(f: &mut fmt::Formatter<'_>, span: &ExpectedSpan, indent: usize) -> fmt::Result {
    write!(f, "{:?}", span.name)?;
    write_fields(f, &span.fields)?;
    for linked in &span.linked {
        f.write_str(" -> ")?;
        write_span(f, linked, indent)?;
    }
    match &span.inner {
        None => Ok(()),
        Some(inner) if inner.spans.is_empty() && inner.events.is_empty() && !inner.is_open => f.write_str(" {}"),
        Some(inner) => {
            f.write_str(" {\n")?;
            inner.write(f, indent + 2)?;
            write!(f, "{:indent$}}}", "")
        }
    }
}

impl fmt::Display for ExpectedTrace {
    /// Writes it in the form of [`trace!`](crate::testing::trace!).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 2)
    }
}

/// A span as a test expects it. Written by [`trace!`](crate::testing::trace!).
#[derive(Clone, Debug)]
#[must_use = "nothing is asserted before it is passed to `assert_trace`"]
pub struct ExpectedSpan {
    pub(super) name: String,
    pub(super) fields: Vec<(String, Value)>,
    /// `None` if it may have anything in it.
    pub(super) inner: Option<ExpectedTrace>,
    /// The spans that link to it.
    pub(super) linked: Vec<ExpectedSpan>,
}

impl ExpectedSpan {
    /// Creates a span with this name, which may have anything in it.
    pub fn new(name: impl Into<String>) -> Self {
        ExpectedSpan { name: name.into(), fields: Vec::new(), inner: None, linked: Vec::new() }
    }

    /// Expects a field. It may have others, too.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// Expects these children, and no others, and at least these events.
    pub fn containing(self, inner: ExpectedTrace) -> Self {
        ExpectedSpan { inner: Some(inner), ..self }
    }

    /// Expects a span that links to this one, in any trace.
    pub fn linked_by(mut self, other: ExpectedSpan) -> Self {
        self.linked.push(other);
        self
    }
}

/// An event as a test expects it. Written by [`trace!`](crate::testing::trace!).
#[derive(Clone, Debug)]
#[must_use = "nothing is asserted before it is passed to `assert_trace`"]
pub struct ExpectedEvent {
    pub(super) message: String,
    pub(super) fields: Vec<(String, Value)>,
}

impl ExpectedEvent {
    /// Creates an event with this message.
    pub fn new(message: impl Into<String>) -> Self {
        ExpectedEvent { message: message.into(), fields: Vec::new() }
    }

    /// Expects a field. It may have others, too.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }
}
