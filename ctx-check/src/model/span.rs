//! A span, as the readers find it.

use std::borrow::Cow;

use super::{Attribute, SpanId, TraceId, attribute::find};

/// The kind of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Not given, or not known.
    #[default]
    Unspecified,
    /// Work inside a service.
    Internal,
    /// A request that is served.
    Server,
    /// A request to another service.
    Client,
    /// A message that is sent.
    Producer,
    /// A message that is handled.
    Consumer,
}

impl Kind {
    /// Returns the kind of OTLP's number.
    pub const fn from_number(number: u64) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }

    /// Returns the kind of a name: `SPAN_KIND_SERVER`, `SERVER` or `server`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.strip_prefix("SPAN_KIND_").unwrap_or(name);
        let known = [Self::Unspecified, Self::Internal, Self::Server, Self::Client, Self::Producer, Self::Consumer];
        known.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    /// Returns the name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }

    /// Returns `true` for a span that receives from another service.
    pub const fn is_entry(self) -> bool {
        matches!(self, Self::Server | Self::Consumer)
    }
}

/// The status of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Not set.
    #[default]
    Unset,
    /// Successful.
    Ok,
    /// Failed.
    Error,
}

/// An event of a span.
#[derive(Clone, Debug, Default)]
pub struct Event<'a> {
    /// When it happened, in nanoseconds since the Unix epoch.
    pub time: u64,
    /// The name.
    pub name: Cow<'a, str>,
    /// The attributes.
    pub attributes: Vec<Attribute<'a>>,
}

/// A link to another span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// The trace of the other span.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
}

/// A span.
#[derive(Clone, Debug, Default)]
pub struct Span<'a> {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// The parent; none for a root.
    pub parent_id: SpanId,
    /// OTLP's flags: the lower 8 bits are those of `traceparent`, bit 8 tells that bit 9 is known, bit 9 that the parent is remote.
    pub flags: Option<u32>,
    /// The kind.
    pub kind: Kind,
    /// The status.
    pub status: Status,
    /// The start, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// The end, in nanoseconds since the Unix epoch.
    pub end: u64,
    /// The name.
    pub name: Cow<'a, str>,
    /// The `tracestate`.
    pub trace_state: Cow<'a, str>,
    /// The attributes.
    pub attributes: Vec<Attribute<'a>>,
    /// The events.
    pub events: Vec<Event<'a>>,
    /// The links.
    pub links: Vec<Link>,
    /// The server's half of a span of Zipkin that has the id of the client's.
    pub is_shared: bool,
    /// `false` if the format has no links, so that their absence means nothing.
    pub has_links: bool,
}

impl Span<'_> {
    /// Returns the value of an attribute.
    pub fn get(&self, key: &str) -> Option<&str> {
        find(&self.attributes, key)
    }
}
