//! Reading context, as far as the caller is believed.

use std::{mem, sync::Arc};

use super::{
    Boundary, Carrier, Extracted, Trust,
    baggage::{self, Member},
    baggage_keys::BaggageKeys,
    boundary::{Cause, Count},
    dropped::{DropReason, Dropped, Invalid},
    names, span_context,
    traceparent::TraceParent,
    tracestate,
};
use crate::{
    context::{ContextFieldsExt, ContextRemoteExt, OfValue, Remote, RemoteBaggage, RemoteProperties},
    field::{Call, Declaration, Fields},
};
use opentelemetry::{
    Context, Key,
    baggage::{Baggage, BaggageExt},
    trace::{SpanContext, TraceContextExt},
};

/// Of one carrier no more problems are told, however long it is. All are counted.
const MAX_TOLD: usize = 64;

pub(super) fn extract(carrier: &(impl Carrier + ?Sized), trust: Trust, boundary: &'static Boundary) -> Extracted {
    let base = Context::new();
    let mut incoming = BaggageKeys::with_registered(|table| read_onto(&base, carrier, trust, Some(table), boundary));
    // Also where it says nothing: what is done for the message belongs to no other request.
    let fields = incoming.take_fields().replaced_by(Call::once());
    let (remote, is_continued, invalid) = (incoming.remote.clone(), incoming.is_continued, incoming.invalid);
    let dropped = mem::take(&mut incoming.dropped);
    Extracted { cx: incoming.into_context_on(&base, fields), remote, is_continued, invalid, dropped }
}

/// What a carrier says, on top of a context.
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

/// What a carrier says, for who sets more fields before a context is made of it.
#[cfg(feature = "http-server")]
pub(super) fn read(carrier: &(impl Carrier + ?Sized), trust: Trust, boundary: &'static Boundary) -> Incoming {
    let base = Context::new();
    if !trust.is_internal() {
        // Nothing of theirs is looked for among the fields.
        return read_onto(&base, carrier, trust, None, boundary);
    }
    BaggageKeys::with_registered(|table| read_onto(&base, carrier, trust, Some(table), boundary))
}

/// What a carrier says, as far as it is believed, and before a context is made of it: each value that a context gets costs
/// three allocations.
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
    /// Takes out the fields that are believed, over those of the context that is the base.
    pub(crate) fn take_fields(&mut self) -> Fields {
        mem::take(&mut self.fields)
    }

    /// Takes out the caller's span, where its trace is not continued: what to link to.
    #[cfg(feature = "http-server")]
    pub(crate) fn take_linked(&mut self) -> Option<SpanContext> {
        if self.is_continued { None } else { self.remote.take() }
    }

    /// The context, with these fields.
    #[cfg(feature = "http-server")]
    pub(crate) fn into_context(self, fields: Fields) -> Context {
        let fields = if fields.is_blank() { fields } else { fields.replaced_by(Call::once()) };
        self.into_context_on(&Context::new(), fields)
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

// What it returns is large, and moving it takes its time.
#[inline]
fn read_onto(
    base: &Context,
    carrier: &(impl Carrier + ?Sized),
    trust: Trust,
    table: Option<&BaggageKeys>,
    boundary: &'static Boundary,
) -> Incoming {
    let mut inbound = Inbound { boundary, trust, table, dropped: Vec::new() };
    let (parent, invalid) = match inbound.traceparent(carrier) {
        Some(Ok(parent)) => (Some(parent), None),
        Some(Err(invalid)) => (None, Some(invalid)),
        None => (None, None),
    };
    let mut told = Told::default();
    inbound.baggage(carrier, &mut told);
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

    let Told { fields, properties, others, order, .. } = told;
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
        // A propagator that was asked before this one may have found a trace.
        _ if order.is_some() || !properties.is_empty() || base.span().span_context().is_remote() => {
            Some(Remote { baggage: order, properties, ..Remote::of_foreign(base.span().span_context()) })
        }
        _ => base.remote().cloned(),
    };
    let fields = base.fields().clone().changed_by(fields, Call::once());
    Incoming { fields, others, memory, remote, is_continued, invalid, dropped: inbound.dropped }
}

/// What baggage says.
#[derive(Default)]
struct Told {
    /// Of a field that stands there several times the last value counts.
    fields: Fields,
    /// What stood behind the values of fields: nearly always nothing.
    properties: Vec<(&'static Declaration, Box<str>)>,
    others: Option<Baggage>,
    /// The keys of the others in the order in which they came, each with the length of its member.
    order: Vec<(Arc<str>, usize)>,
    /// The length of the others in a header.
    len: usize,
}

struct Inbound<'a> {
    boundary: &'static Boundary,
    trust: Trust,
    /// `None` where nothing is looked for.
    table: Option<&'a BaggageKeys>,
    dropped: Vec<Dropped>,
}

impl Inbound<'_> {
    #[cold]
    fn drop(&mut self, key: &str, reason: impl Into<DropReason>) {
        let dropped = Dropped::new(key, reason.into());
        self.boundary.dropped(&dropped, Cause::of(self.trust));
        if self.dropped.len() < MAX_TOLD {
            self.dropped.push(dropped);
        }
    }

    fn traceparent(&self, carrier: &(impl Carrier + ?Sized)) -> Option<Result<TraceParent, Invalid>> {
        let mut found = None;
        carrier.lines(names::TRACEPARENT, &mut |line| {
            found = Some(match found {
                None => TraceParent::parse(line).map_err(Invalid::TraceParent),
                // Trace Context, section 3.2: exactly one header, and no guessing which of them is meant.
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
            // Section 4.3: a failure to parse it must not affect the parsing of traceparent.
            self.drop(names::TRACESTATE, DropReason::TraceState(error));
            tracestate::TraceStateList::new()
        })
    }

    fn baggage(&mut self, carrier: &(impl Carrier + ?Sized), told: &mut Told) {
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
                Ok(member) => self.member(&member, told),
                Err(error) => self.drop(names::BAGGAGE, error),
            });
        });
    }

    fn member(&mut self, member: &Member<'_>, told: &mut Told) {
        let fields = self.table.map_or(&[][..], |table| table.find(member.key()));
        if fields.is_empty() {
            return self.other(member, told);
        }
        let value = member.value();
        for field in fields {
            if !field.policy().is_propagated() {
                self.drop(member.key(), DropReason::NotPropagated);
                continue;
            }
            match told.fields.set_from_baggage(field, &value, member.is_printable()) {
                Ok(()) => {
                    if !told.properties.is_empty() {
                        // Those of the value before go with it: a caller cannot make this grow.
                        told.properties.retain(|(of, _)| !std::ptr::eq(*of, *field));
                    }
                    if member.may_have_properties() {
                        let properties = member.properties();
                        if !properties.is_empty() {
                            told.properties.push((field, properties.into()));
                        }
                    }
                }
                Err(refused) => self.drop(member.key(), refused),
            }
        }
    }

    fn other(&mut self, member: &Member<'_>, told: &mut Told) {
        if !self.trust.passes_unregistered() {
            return self.drop(member.key(), DropReason::Unregistered);
        }
        let (value, properties) = (member.value(), member.properties());
        let with_semicolon = if properties.is_empty() { 0 } else { 1 + properties.len() };
        // With the `=`, and with the comma after it, which the last member has not.
        let len = member.key().len() + 1 + member.encoded_len() + with_semicolon + 1;
        let others = told.others.get_or_insert_default();
        // Few stand there twice, and only of those is looked for the place.
        let known = others.get(member.key()).and_then(|_| {
            let of_key = |(key, _): &(Arc<str>, usize)| **key == *member.key();
            told.order.iter().position(of_key)
        });
        let total = told.len - known.map_or(0, |at| told.order[at].1) + len;
        if known.is_none() && others.len() == baggage::MAX_MEMBERS || total > baggage::MAX_LEN + 1 {
            return self.drop(member.key(), DropReason::OverLimit);
        }
        let key: Arc<str> = match known {
            Some(at) => told.order[at].0.clone(),
            None => Arc::from(member.key()),
        };
        others.insert_with_metadata(Key::from(key.clone()), value.into_owned(), properties.into_owned());
        // OpenTelemetry's baggage has limits of its own, wider than these, and says nothing where it takes no more.
        if others.get(member.key()).is_none() {
            return self.drop(member.key(), DropReason::OverLimit);
        }
        told.len = total;
        match known {
            Some(at) => told.order[at].1 = len,
            None => told.order.push((key, len)),
        }
    }
}
