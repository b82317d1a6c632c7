use super::expected_trace::ExpectedTrace;
use crate::testing::captured::Value;

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
