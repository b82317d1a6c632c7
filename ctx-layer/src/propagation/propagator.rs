//! An OpenTelemetry propagator, for other libraries.

use std::sync::LazyLock;

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};

use super::{
    baggage_keys::BaggageKeys,
    boundary::Boundary,
    carriers::{OtelExtractor, OtelInjector},
    inbound, names,
    outbound::Outbound,
    outgoing::{self, PropagatorSettings},
    trust::Trust,
};
use crate::{Schema, context::read};

/// A propagator of trace context, registered fields and baggage, for
/// [`opentelemetry::global::set_text_map_propagator`].
///
/// Every library that uses OpenTelemetry's global propagator then propagates the fields. By default callers are
/// [external](Trust::external). Change this only if all callers are internal.
///
/// ```
/// use std::collections::HashMap;
/// use ctx_layer::{Schema, field::well_known::TENANT_ID};
/// use ctx_layer::propagation::{ContextPropagator, Trust};
/// use opentelemetry::{global, propagation::TextMapPropagator};
///
/// global::set_text_map_propagator(
///     ContextPropagator::new().schema(Schema::well_known()).trust(Trust::internal()),
/// );
///
/// let mut headers = HashMap::new();
/// TENANT_ID.in_scope("acme", || global::get_text_map_propagator(|it| it.inject(&mut headers)));
/// assert_eq!(headers["baggage"], "tenant_id=acme");
///
/// let cx = global::get_text_map_propagator(|it| it.extract(&headers));
/// let _guard = cx.attach();
/// assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
/// ```
///
/// It can be combined with others in a
/// [`TextMapCompositePropagator`](opentelemetry::propagation::TextMapCompositePropagator). Put it last, so that it sees
/// the trace that the others found.
#[derive(Clone, Debug)]
pub struct ContextPropagator {
    trust: Trust,
    outbound: Outbound,
    settings: PropagatorSettings,
    boundary: &'static Boundary,
}

impl ContextPropagator {
    /// Creates a propagator for external callers, with the fields of all schemas in use.
    pub const fn new() -> Self {
        ContextPropagator {
            trust: Trust::external(),
            outbound: Outbound::Everything,
            settings: outgoing::DEFAULTS,
            boundary: Boundary::propagator(),
        }
    }

    /// Sets how far callers are trusted. Defaults to [`Trust::external`].
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Sets how much context recipients get. Defaults to [`Outbound::Everything`].
    pub fn outbound(mut self, outbound: Outbound) -> Self {
        self.outbound = outbound;
        self
    }

    /// Sets the fields that are read. Defaults to those of all schemas in use.
    pub fn schema(mut self, schema: Schema) -> Self {
        self.settings.table = Some(BaggageKeys::of(&schema));
        self
    }

    /// Sets whether trace ids created here are random and are marked as such. Defaults to `true`.
    ///
    /// Set `false` if an id generator creates other ids, or if another propagator that comes after this one continues
    /// traces.
    pub fn random_trace_ids(mut self, yes: bool) -> Self {
        self.settings.random_trace_ids = yes;
        self
    }

    /// Sets the number of bytes to which `tracestate` is cut, at least 512. By default only the limit of 32 members
    /// applies.
    pub fn max_tracestate_len(mut self, bytes: usize) -> Self {
        self.settings.max_tracestate_len = bytes;
        self
    }

    /// Sets the boundary that counts. Defaults to [`Boundary::propagator`].
    pub fn boundary(mut self, boundary: &'static Boundary) -> Self {
        self.boundary = boundary;
        self
    }
}

impl Default for ContextPropagator {
    fn default() -> Self {
        Self::new()
    }
}

impl TextMapPropagator for ContextPropagator {
    fn inject(&self, injector: &mut dyn Injector) {
        // Not within the borrow of the current context, since injectors are foreign code.
        self.inject_context(&read(Context::clone).unwrap_or_default(), injector);
    }

    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        outgoing::inject(cx, &mut OtelInjector(injector), self.outbound, &self.settings, self.boundary);
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&read(Context::clone).unwrap_or_default(), extractor)
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let extract = |table: &BaggageKeys| {
            inbound::extract_onto(cx, &OtelExtractor(extractor), self.trust, table, self.boundary)
        };
        match &self.settings.table {
            Some(table) => extract(table),
            None => BaggageKeys::with_registered(extract),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 3]> =
            LazyLock::new(|| [names::TRACEPARENT, names::TRACESTATE, names::BAGGAGE].map(str::to_owned));
        FieldIter::new(&*FIELDS)
    }
}
