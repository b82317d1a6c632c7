//! Reading context, as far as the caller is trusted.

use std::{mem, sync::Arc};

use super::{
    baggage::{self, Member},
    baggage_keys::BaggageKeys,
    boundary::{Boundary, Cause, Count},
    carrier::Carrier,
    dropped::{DropReason, Dropped, Invalid},
    extracted::Extracted,
    names, span_context,
    traceparent::TraceParent,
    tracestate,
    trust::Trust,
};
use crate::{
    context::{ContextFieldsExt, ContextValueExt, OfValue, Remote, RemoteBaggage, RemoteProperties},
    field::{Call, Declaration, Fields},
};
use opentelemetry::{
    Context, Key,
    baggage::{Baggage, BaggageExt},
    trace::{SpanContext, TraceContextExt},
};

/// The maximum number of problems reported per carrier. All problems are counted.
const MAX_REPORTED: usize = 64;

impl Boundary {
    /// Reads context from a carrier. See [`extract`](super::extract).
    pub fn extract(&'static self, carrier: &(impl Carrier + ?Sized), trust: Trust) -> Extracted {
        extract(carrier, trust, self)
    }

    /// Reads context from a carrier, for callers that set more fields before a context is created.
    #[cfg(feature = "_received")]
    pub(crate) fn read(&'static self, carrier: &(impl Carrier + ?Sized), trust: Trust) -> Incoming {
        read(carrier, trust, self)
    }
}

fn extract(carrier: &(impl Carrier + ?Sized), trust: Trust, boundary: &'static Boundary) -> Extracted {
    let base = Context::new();
    let mut incoming = BaggageKeys::with_registered(|table| read_onto(&base, carrier, trust, Some(table), boundary));
    // Even if the carrier is empty: work for the message belongs to no other request.
    let fields = incoming.take_fields().replaced_by(Call::once());
    let (remote, is_continued, invalid) = (incoming.remote.clone(), incoming.is_continued, incoming.invalid);
    let dropped = mem::take(&mut incoming.dropped);
    Extracted { cx: incoming.into_context_on(&base, fields), remote, is_continued, invalid, dropped }
}

/// Reads a carrier on top of a context.
pub(super) fn extract_onto(
    base: &Context,
    carrier: &(impl Carrier + ?Sized),
    trust: Trust,
    table: &BaggageKeys,
    boundary: &'static Boundary,
) -> Context {
    let mut incoming = read_onto(base, carrier, trust, Some(table), boundary);
    let fields = incoming.take_fields();
    incoming.into_context_on(base, fields)
}

/// Reads a carrier, for callers that set more fields before a context is created.
#[cfg(feature = "_received")]
fn read(carrier: &(impl Carrier + ?Sized), trust: Trust, boundary: &'static Boundary) -> Incoming {
    let base = Context::new();
    if !trust.is_internal() {
        // No field is read from an external caller, so no key is looked up.
        return read_onto(&base, carrier, trust, None, boundary);
    }
    BaggageKeys::with_registered(|table| read_onto(&base, carrier, trust, Some(table), boundary))
}

/// A carrier's trusted content, before a context is created from it: each value in a context costs three allocations.
pub(crate) struct Incoming {
    fields: Fields,
    others: Option<Baggage>,
    memory: Option<Remote>,
    remote: Option<SpanContext>,
    is_continued: bool,
    invalid: Option<Invalid>,
    dropped: Vec<Dropped>,
}

impl Incoming {
    /// Takes the trusted fields, on top of those of the base context.
    pub(crate) fn take_fields(&mut self) -> Fields {
        mem::take(&mut self.fields)
    }

    /// Takes the caller's span, to be linked to, if its trace is not continued.
    #[cfg(feature = "_received")]
    pub(crate) fn take_linked(&mut self) -> Option<SpanContext> {
        if self.is_continued { None } else { self.remote.take() }
    }

    /// Creates the context, with these fields.
    #[cfg(feature = "http-server")]
    pub(crate) fn into_context(self, fields: Fields) -> Context {
        let fields = if fields.is_blank() { fields } else { fields.replaced_by(Call::once()) };
        self.into_context_on(&Context::new(), fields)
    }

    /// Creates the context of a message, with these fields. Even without any, work in it belongs to no other request.
    #[cfg(feature = "messaging")]
    pub(crate) fn into_context_of_message(self, fields: Fields) -> Context {
        self.into_context_on(&Context::new(), fields.replaced_by(Call::once()))
    }

    /// Returns `true` if spans in the context belong to the caller's trace.
    #[cfg(feature = "messaging")]
    pub(crate) fn is_continued(&self) -> bool {
        self.is_continued
    }

    fn into_context_on(self, base: &Context, fields: Fields) -> Context {
        let mut cx = if self.memory.is_some() || !fields.is_same(base.fields()) {
            base.with_carried(fields, self.memory)
        } else {
            base.clone()
        };
        if let Some(others) = self.others {
            cx = cx.with_baggage(others);
        }
        match self.remote {
            Some(span) if self.is_continued => cx.with_remote_span_context(span),
            _ => cx,
        }
    }
}

// Inlined, since moving the large return value is slow.
#[inline]
fn read_onto(
    base: &Context,
    carrier: &(impl Carrier + ?Sized),
    trust: Trust,
    table: Option<&BaggageKeys>,
    boundary: &'static Boundary,
) -> Incoming {
    #[cfg(feature = "testing")]
    super::witness::received(carrier, boundary);
    let mut inbound = Inbound { boundary, trust, table, dropped: Vec::new() };
    let (parent, invalid) = match inbound.traceparent(carrier) {
        Some(Ok(parent)) => (Some(parent), None),
        Some(Err(invalid)) => (None, Some(invalid)),
        None => (None, None),
    };
    let mut received = ReceivedBaggage::default();
    inbound.baggage(carrier, &mut received);
    let mut remote = None;
    let mut unheld = None;
    // Without a valid traceparent there is no tracestate (Trace Context, section 4.3).
    if let Some(parent) = &parent {
        let (span, list) = span_context::span_context(parent, inbound.tracestate(carrier));
        remote = Some(span);
        unheld = list;
    }
    let is_continued = remote.is_some() && !trust.links_only();
    match (&remote, invalid) {
        (Some(_), _) => boundary.count(if is_continued { Count::Continued } else { Count::Linked }),
        (None, Some(why)) => boundary.invalid(why, Cause::of(trust)),
        (None, None) => boundary.missing(trust),
    }

    let ReceivedBaggage { fields, properties, others, order, .. } = received;
    let of_value = |(of, properties)| Some((fields.shared(of)?, properties));
    let properties: Vec<OfValue> = properties.into_iter().filter_map(of_value).collect();
    let properties = RemoteProperties::from(properties);
    let order: RemoteBaggage = (!order.is_empty()).then(|| order.into_iter().map(|(key, _)| key).collect());
    let memory = match (&remote, parent) {
        (Some(span), Some(parent)) if is_continued => Some(Remote {
            trace_id: span.trace_id(),
            flags: parent.flags(),
            tracestate: unheld.map(|list| list.as_str().into()),
            baggage: order,
            properties,
        }),
        // Another propagator, called before this one, may have found a trace.
        _ if order.is_some() || !properties.is_empty() || base.span().span_context().is_remote() => {
            Some(Remote { baggage: order, properties, ..Remote::of_foreign(base.span().span_context()) })
        }
        _ => base.remote().cloned(),
    };
    let fields = base.fields().clone().changed_by(fields, Call::once());
    Incoming { fields, others, memory, remote, is_continued, invalid, dropped: inbound.dropped }
}

/// Received baggage.
#[derive(Default)]
struct ReceivedBaggage {
    /// The last value of each field.
    fields: Fields,
    /// Properties of fields, which are rare.
    properties: Vec<(&'static Declaration, Box<str>)>,
    others: Option<Baggage>,
    /// The other keys in the order received, each with the length of its member.
    order: Vec<(Arc<str>, usize)>,
    /// The length of the other members in a header.
    len: usize,
}

struct Inbound<'a> {
    boundary: &'static Boundary,
    trust: Trust,
    /// `None` if no field is looked up.
    table: Option<&'a BaggageKeys>,
    dropped: Vec<Dropped>,
}

impl Inbound<'_> {
    #[cold]
    fn drop(&mut self, key: &str, reason: impl Into<DropReason>) {
        let dropped = Dropped::new(key, reason.into());
        self.boundary.dropped(&dropped, Cause::of(self.trust));
        if self.dropped.len() < MAX_REPORTED {
            self.dropped.push(dropped);
        }
    }

    fn traceparent(&self, carrier: &(impl Carrier + ?Sized)) -> Option<Result<TraceParent, Invalid>> {
        let mut found = None;
        carrier.lines(names::TRACEPARENT, &mut |line| {
            found = Some(match found {
                None => TraceParent::parse(line).map_err(Invalid::TraceParent),
                // Exactly one header is allowed (Trace Context, section 3.2). Choosing one of several would be a guess.
                Some(_) => Err(Invalid::Repeated),
            });
        });
        found
    }

    fn tracestate(&mut self, carrier: &(impl Carrier + ?Sized)) -> tracestate::TraceStateList {
        let mut parser = None;
        carrier.lines(names::TRACESTATE, &mut |line| {
            parser.get_or_insert_with(tracestate::TraceStateParser::default).line(line);
        });
        let Some(parser) = parser else { return tracestate::TraceStateList::new() };
        parser.finish().unwrap_or_else(|error| {
            // A failure to parse it must not affect the traceparent (section 4.3).
            self.drop(names::TRACESTATE, DropReason::TraceState(error));
            tracestate::TraceStateList::new()
        })
    }

    fn baggage(&mut self, carrier: &(impl Carrier + ?Sized), received: &mut ReceivedBaggage) {
        if !self.trust.is_internal() {
            let mut is_any = false;
            carrier.lines(names::BAGGAGE, &mut |line| is_any |= !line.is_empty());
            if is_any {
                self.drop(names::BAGGAGE, DropReason::Untrusted);
            }
            return;
        }
        carrier.lines(names::BAGGAGE, &mut |line| {
            baggage::members(line).for_each(|member| match member {
                Ok(member) => self.member(&member, received),
                Err(error) => self.drop(names::BAGGAGE, error),
            });
        });
    }

    fn member(&mut self, member: &Member<'_>, received: &mut ReceivedBaggage) {
        let fields = self.table.map_or(&[][..], |table| table.find(member.key()));
        if fields.is_empty() {
            return self.other(member, received);
        }
        let value = member.value();
        for field in fields {
            if !field.policy().is_propagated() {
                self.drop(member.key(), DropReason::NotPropagated);
                continue;
            }
            match received.fields.set_from_baggage(field, &value, member.is_printable()) {
                Ok(()) => {
                    if !received.properties.is_empty() {
                        // The properties of the previous value go with it, so that a caller cannot make this grow.
                        received.properties.retain(|(of, _)| !std::ptr::eq(*of, *field));
                    }
                    if member.may_have_properties() {
                        let properties = member.properties();
                        if !properties.is_empty() {
                            received.properties.push((field, properties.into()));
                        }
                    }
                }
                Err(refused) => self.drop(member.key(), refused),
            }
        }
    }

    fn other(&mut self, member: &Member<'_>, received: &mut ReceivedBaggage) {
        if !self.trust.passes_unregistered() {
            return self.drop(member.key(), DropReason::Unregistered);
        }
        let (value, properties) = (member.value(), member.properties());
        let with_semicolon = if properties.is_empty() { 0 } else { 1 + properties.len() };
        // Includes the `=`, and the comma after the member, which the last one does not have.
        let len = member.key().len() + 1 + member.encoded_len() + with_semicolon + 1;
        let others = received.others.get_or_insert_default();
        // Only duplicates need the search, and they are rare.
        let known = others.get(member.key()).and_then(|_| {
            let of_key = |(key, _): &(Arc<str>, usize)| **key == *member.key();
            received.order.iter().position(of_key)
        });
        let total = received.len - known.map_or(0, |at| received.order[at].1) + len;
        if known.is_none() && others.len() == baggage::MAX_MEMBERS || total > baggage::MAX_LEN + 1 {
            return self.drop(member.key(), DropReason::OverLimit);
        }
        let key: Arc<str> = match known {
            Some(at) => received.order[at].0.clone(),
            None => Arc::from(member.key()),
        };
        others.insert_with_metadata(Key::from(key.clone()), value.into_owned(), properties.into_owned());
        // OpenTelemetry's baggage has wider limits of its own, and ignores what exceeds them.
        if others.get(member.key()).is_none() {
            return self.drop(member.key(), DropReason::OverLimit);
        }
        received.len = total;
        match known {
            Some(at) => received.order[at].1 = len,
            None => received.order.push((key, len)),
        }
    }
}
