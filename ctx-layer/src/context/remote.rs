//! The parts of a remote trace context that OpenTelemetry's spans do not keep: the random flag, members of `tracestate` that
//! its `TraceState` rejects, the order of baggage, the properties of fields.

use std::{fmt, sync::Arc};

use opentelemetry::{TraceId, trace::SpanContext};

use crate::field::{Entry, Shared};

/// Extra data of a remote span. Stored in the context beside the span, and so in those of its children in this process.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) trace_id: TraceId,
    pub(crate) flags: u8,
    /// The whole `tracestate`, if OpenTelemetry's type holds only a part of it.
    pub(crate) tracestate: Option<Arc<str>>,
    /// The keys of baggage that passes through, in the order of arrival.
    pub(crate) baggage: RemoteBaggage,
    pub(crate) properties: RemoteProperties,
}

/// Keys of baggage.
pub(crate) type RemoteBaggage = Option<Arc<[Arc<str>]>>;

/// Properties that were received with the values of fields, in the form in which they are sent. They belong to the value: a
/// value that is set in this process has none.
#[derive(Clone, Default)]
pub(crate) struct RemoteProperties(Option<Arc<[OfValue]>>);

/// A value, and its properties.
pub(crate) type OfValue = (Shared, Box<str>);

impl RemoteProperties {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn of(&self, entry: &Entry) -> &str {
        let all = self.0.as_deref().unwrap_or_default();
        all.iter().find(|(of, _)| std::ptr::eq(of.entry(), entry)).map_or("", |(_, properties)| properties)
    }
}

impl From<Vec<OfValue>> for RemoteProperties {
    fn from(all: Vec<OfValue>) -> Self {
        RemoteProperties((!all.is_empty()).then(|| all.into()))
    }
}

impl fmt::Debug for RemoteProperties {
    /// Writes only the number of properties: fields may be sensitive.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteProperties").field(&self.0.as_deref().map_or(0, <[_]>::len)).finish()
    }
}

impl Remote {
    /// Creates the data of a remote span that another propagator extracted.
    pub(crate) fn of_foreign(span: &SpanContext) -> Self {
        Remote {
            trace_id: span.trace_id(),
            flags: span.trace_flags().to_u8(),
            tracestate: None,
            baggage: None,
            properties: RemoteProperties::default(),
        }
    }
}
