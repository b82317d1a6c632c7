use opentelemetry::{SpanId, TraceId};

use super::{CapturedEvent, CapturedSpan};

/// The spans and events of one trace.
#[derive(Clone, Debug)]
pub struct CapturedTrace {
    trace_id: TraceId,
    spans: Vec<CapturedSpan>,
    events: Vec<CapturedEvent>,
}

impl CapturedTrace {
    /// Groups spans, in the order in which they started, by trace. Events without a trace are left out.
    pub(in crate::testing) fn group(spans: &[CapturedSpan], events: &[CapturedEvent]) -> Vec<Self> {
        let mut traces: Vec<CapturedTrace> = Vec::new();
        let mut of = |trace_id: TraceId, add: &mut dyn FnMut(&mut CapturedTrace)| {
            let known = traces.iter().position(|trace| trace.trace_id == trace_id);
            let at = known.unwrap_or_else(|| {
                traces.push(CapturedTrace { trace_id, spans: Vec::new(), events: Vec::new() });
                traces.len() - 1
            });
            add(&mut traces[at]);
        };
        for span in spans {
            of(span.trace_id(), &mut |trace| trace.spans.push(span.clone()));
        }
        for event in events {
            if let Some(trace_id) = event.trace_id() {
                of(trace_id, &mut |trace| trace.events.push(event.clone()));
            }
        }
        traces
    }

    /// Returns the id.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Returns the spans in the order in which they started.
    pub fn spans(&self) -> &[CapturedSpan] {
        &self.spans
    }

    /// Returns the events in the order in which they happened.
    pub fn events(&self) -> &[CapturedEvent] {
        &self.events
    }

    /// Returns the spans that begin the trace in this test: those without a parent, and those whose parent came with a message or
    /// a request from outside of the test.
    pub fn roots(&self) -> impl Iterator<Item = &CapturedSpan> {
        self.spans.iter().filter(|span| match span.parent_span_id() {
            None => true,
            Some(parent) => span.has_remote_parent() && !self.has(parent),
        })
    }

    /// Returns the spans whose parent should be in this test, and is not.
    pub fn orphans(&self) -> impl Iterator<Item = &CapturedSpan> {
        self.spans
            .iter()
            .filter(|span| span.parent_span_id().is_some_and(|parent| !span.has_remote_parent() && !self.has(parent)))
    }

    /// Returns the children of a span in the order in which they started.
    pub fn children_of<'a>(&'a self, parent: &CapturedSpan) -> impl Iterator<Item = &'a CapturedSpan> {
        let parent = parent.span_id();
        self.spans.iter().filter(move |span| span.parent_span_id() == Some(parent))
    }

    /// Returns the events in a span, in the order in which they happened.
    pub fn events_in<'a>(&'a self, span: &CapturedSpan) -> impl Iterator<Item = &'a CapturedEvent> {
        let span = span.span_id();
        self.events.iter().filter(move |event| event.span_id() == Some(span))
    }

    fn has(&self, span: SpanId) -> bool {
        self.spans.iter().any(|known| known.span_id() == span)
    }
}
