use std::fmt;

use opentelemetry::{SpanId, TraceId};

/// The direction of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The program wrote the context to a carrier.
    Sent,
    /// The program read the context from a carrier.
    Received,
}

/// The part of a message that this crate writes or reads: the headers of the context.
#[derive(Clone, Debug)]
pub struct CapturedMessage {
    pub(in crate::testing) direction: Direction,
    pub(in crate::testing) boundary: &'static str,
    pub(in crate::testing) headers: Vec<(String, String)>,
    pub(in crate::testing) ids: Option<(TraceId, SpanId)>,
}

impl CapturedMessage {
    /// Returns the direction.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Returns the name of the [`Boundary`](crate::propagation::Boundary).
    pub fn boundary(&self) -> &'static str {
        self.boundary
    }

    /// Returns the value of a header of the context, or `None` if it was not there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns all headers of the context in their order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the id of the trace of the span that was current.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.ids.map(|(trace_id, _)| trace_id)
    }

    /// Returns the id of the span that was current.
    pub fn span_id(&self) -> Option<SpanId> {
        self.ids.map(|(_, span_id)| span_id)
    }
}

impl fmt::Display for CapturedMessage {
    /// Writes the direction, the boundary and the headers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.direction == Direction::Sent { "sent by" } else { "received by" };
        write!(f, "{verb} {:?}:", self.boundary)?;
        if self.headers.is_empty() {
            return f.write_str(" no header");
        }
        self.headers().try_for_each(|(name, value)| write!(f, " {name}: {value};"))
    }
}
