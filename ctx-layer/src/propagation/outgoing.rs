//! Writing context, as far as it may leave the process.

use std::collections::HashSet;

use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    trace::TraceContextExt,
};

use super::{
    baggage::{BaggageError, BaggageWriter},
    baggage_keys::BaggageKeys,
    boundary::{Boundary, Cause, Count},
    carrier::CarrierMut,
    dropped::{DropReason, Dropped},
    names,
    outbound::Outbound,
    span_context,
    traceparent::TraceParent,
    tracestate::{TraceStateError, TraceStateList},
};
use crate::{
    buffers,
    context::{ContextValueExt, Remote, fields_in, read},
    field::{Declaration, Entry, Fields, Refused, Sensitivity},
};

/// The settings of a propagator.
#[derive(Clone, Debug)]
pub(super) struct PropagatorSettings {
    /// `true` if trace ids created here are random.
    pub(super) random_trace_ids: bool,
    pub(super) max_tracestate_len: usize,
    /// `None` for the fields of all schemas in use.
    pub(super) table: Option<BaggageKeys>,
}

pub(super) const DEFAULTS: PropagatorSettings =
    PropagatorSettings { random_trace_ids: true, max_tracestate_len: usize::MAX, table: None };

impl Boundary {
    /// Writes the current context to a carrier. See [`inject`](super::inject).
    pub fn inject(&'static self, carrier: &mut (impl CarrierMut + ?Sized), outbound: Outbound) {
        // Not within the borrow of the current context, since carriers are foreign code. Where the context cannot be
        // read, there is nothing to send, and values of another request are removed from the carrier.
        let cx = read(Context::clone).unwrap_or_default();
        inject(&cx, carrier, outbound, &DEFAULTS, self);
    }
}

pub(super) fn inject(
    cx: &Context,
    carrier: &mut (impl CarrierMut + ?Sized),
    outbound: Outbound,
    settings: &PropagatorSettings,
    boundary: &'static Boundary,
) {
    #[cfg(feature = "testing")]
    if super::witness::sent(carrier, boundary, |carrier| write(cx, carrier, outbound, settings, boundary)) {
        return;
    }
    write(cx, carrier, outbound, settings, boundary);
}

fn write(
    cx: &Context,
    carrier: &mut (impl CarrierMut + ?Sized),
    outbound: Outbound,
    settings: &PropagatorSettings,
    boundary: &'static Boundary,
) {
    let remote = cx.remote();
    trace(cx, remote, carrier, outbound, settings, boundary);
    if outbound != Outbound::Everything {
        return carrier.remove(names::BAGGAGE);
    }
    let writer = BaggageWriter::reusing(buffers::take_text());
    let mut sender = Sender { writer, boundary, is_exposed: carrier.is_exposed() };
    sender.send(cx, remote, settings);
    if sender.writer.is_empty() {
        // Baggage that is in the carrier belongs to another request: a header that is passed on, or a variable of this
        // process.
        carrier.remove(names::BAGGAGE);
    } else {
        carrier.set(names::BAGGAGE, sender.writer.as_str());
    }
    buffers::give_back(sender.writer.into_memory().into_bytes());
}

fn trace(
    cx: &Context,
    remote: Option<&Remote>,
    carrier: &mut (impl CarrierMut + ?Sized),
    outbound: Outbound,
    settings: &PropagatorSettings,
    boundary: &'static Boundary,
) {
    let span = cx.span();
    let span = span.span_context();
    // Context received with another trace does not apply to this one.
    let remote = remote.filter(|remote| remote.trace_id == span.trace_id());
    let flags = span_context::flags(span, remote, settings.random_trace_ids);
    let Some(parent) = TraceParent::new(span.trace_id().to_bytes(), span.span_id().to_bytes(), flags) else {
        // A service without spans passes the received headers on unchanged, as far as the recipient may have them.
        if outbound == Outbound::TraceParentOnly {
            carrier.remove(names::TRACESTATE);
        }
        return boundary.count(Count::WithoutTrace);
    };
    boundary.count(Count::Injected);
    carrier.set(names::TRACEPARENT, &parent.to_text());
    let is_any = *span.trace_state() != opentelemetry::trace::TraceState::NONE
        || remote.is_some_and(|remote| remote.tracestate.is_some());
    if !is_any || outbound == Outbound::TraceParentOnly {
        return carrier.remove(names::TRACESTATE);
    }
    let mut list = TraceStateList::new();
    if span_context::tracestate(span, remote, &mut list) > 0 {
        boundary
            .dropped(&Dropped::new(names::TRACESTATE, DropReason::TraceState(TraceStateError::Value)), Cause::Program);
    }
    list.cut(settings.max_tracestate_len);
    if list.is_empty() {
        carrier.remove(names::TRACESTATE);
    } else {
        carrier.set(names::TRACESTATE, list.as_str());
    }
}

struct Sender {
    writer: BaggageWriter,
    boundary: &'static Boundary,
    is_exposed: bool,
}

impl Sender {
    fn send(&mut self, cx: &Context, remote: Option<&Remote>, settings: &PropagatorSettings) {
        let fields = fields_in(cx);
        for (_, entry) in fields.entries() {
            if self.may_leave(entry.declaration()) {
                self.field(entry, remote);
            }
        }
        let baggage = cx.baggage();
        if baggage.is_empty() {
            return;
        }
        let mut others = |table: &BaggageKeys| self.others(&fields, baggage, remote, table);
        match &settings.table {
            Some(table) => others(table),
            None => BaggageKeys::with_registered(others),
        }
    }

    /// Writes received baggage in its order, then what was added here: the map has no order.
    fn others(&mut self, fields: &Fields, baggage: &Baggage, remote: Option<&Remote>, table: &BaggageKeys) {
        let order = remote.and_then(|remote| remote.baggage.as_deref()).unwrap_or_default();
        let mut count = 0;
        for key in order {
            if let Some((value, metadata)) = baggage.get_with_metadata(key) {
                count += 1;
                self.other(key, value.as_str(), metadata.as_str(), fields, table);
            }
        }
        if count == baggage.len() {
            return;
        }
        let came: HashSet<&str> = order.iter().map(|key| &**key).collect();
        let mut added: Vec<_> = baggage.iter().filter(|(key, _)| !came.contains(key.as_str())).collect();
        added.sort_unstable_by_key(|(key, _)| key.as_str());
        for (key, (value, metadata)) in added {
            self.other(key.as_str(), value.as_str(), metadata.as_str(), fields, table);
        }
    }

    fn other(&mut self, key: &str, value: &str, properties: &str, fields: &Fields, table: &BaggageKeys) {
        let known = table.find(key);
        // The program's own value was written before.
        let is_set = fields.entries().any(|(_, entry)| {
            let declaration = entry.declaration();
            declaration.baggage_key() == key && (declaration.policy().is_propagated() || !known.is_empty())
        });
        if !is_set && known.iter().all(|declaration| self.may_leave(declaration)) {
            // A recipient that has the field would refuse the value, which the sender would not notice.
            let refused =
                |declaration: &&'static Declaration| Fields::new().set_from_baggage(declaration, value, false).err();
            if let Some(refused) = known.iter().filter_map(refused).find(|refused| *refused != Refused::NotFromBaggage)
            {
                return self.boundary.dropped(&Dropped::new(key, refused.into()), Cause::Program);
            }
            let written = self.writer.push_text(key, value, properties);
            self.note(key, written);
        }
    }

    /// Returns `true` if a field's value may be written to this carrier.
    fn may_leave(&self, declaration: &Declaration) -> bool {
        let policy = declaration.policy();
        let is_public = policy.sensitivity() == Sensitivity::Public;
        policy.is_propagated() && (is_public || policy.is_propagated_in_plaintext() && !self.is_exposed)
    }

    fn field(&mut self, entry: &Entry, remote: Option<&Remote>) {
        let properties = remote.map_or("", |remote| remote.properties.of(entry));
        let key = entry.declaration().baggage_key();
        let sent = match entry.to_send() {
            Ok(sent) => sent,
            // A recipient that has the field would refuse the value, which the sender would not notice.
            Err(refused) => return self.boundary.dropped(&Dropped::new(key, refused.into()), Cause::Program),
        };
        // The key is a token, since the declaration checked it.
        let written = if properties.is_empty() {
            self.writer.push_known(key, sent.as_str())
        } else {
            self.writer.push_text(key, sent.as_str(), properties)
        };
        self.note(key, written);
    }

    #[inline]
    fn note(&self, key: &str, written: Result<(), BaggageError>) {
        if let Err(error) = written {
            self.boundary.dropped(&Dropped::new(key, error.into()), Cause::Program);
        }
    }
}
