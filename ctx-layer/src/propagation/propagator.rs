//! The propagator that other libraries know.

use std::sync::LazyLock;

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};

use super::{
    Boundary, OtelExtractor, OtelInjector, Outbound, Trust,
    baggage_keys::BaggageKeys,
    inbound, names,
    outgoing::{self, PropagatorSettings},
};
use crate::{Schema, context::read};

/// Carries trace context, registered fields and baggage as [`opentelemetry::global::set_text_map_propagator`] wants it.
///
/// With it, every library that asks OpenTelemetry for the propagator carries the fields. By default callers are
/// [external](Trust::external): say otherwise only where all of them are one's own.
///
/// ```
/// use std::collections::HashMap;
/// use ctx_layer::{Schema, field::well_known::TENANT_ID, propagation::{ContextPropagator, Trust}};
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
/// It combines with others in a
/// [`TextMapCompositePropagator`](opentelemetry::propagation::TextMapCompositePropagator). Put it last, so that it sees
/// which trace they found.
#[derive(Clone, Debug)]
pub struct ContextPropagator {
    trust: Trust,
    outbound: Outbound,
    settings: PropagatorSettings,
    boundary: &'static Boundary,
}

impl ContextPropagator {
    /// A propagator for external callers, which knows the fields of all schemas in use.
    pub const fn new() -> Self {
        ContextPropagator {
            trust: Trust::external(),
            outbound: Outbound::Everything,
            settings: outgoing::DEFAULTS,
            boundary: Boundary::propagator(),
        }
    }

    /// Sets how far callers are believed. Defaults to [`Trust::external`].
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Sets how much recipients get. Defaults to [`Outbound::Everything`].
    pub fn outbound(mut self, outbound: Outbound) -> Self {
        self.outbound = outbound;
        self
    }

    /// Sets the fields that are read. Defaults to those of all schemas that layers use.
    pub fn schema(mut self, schema: Schema) -> Self {
        self.settings.table = Some(BaggageKeys::of(&schema));
        self
    }

    /// Whether traces that are started here have random ids, and may say so. Defaults to `true`.
    ///
    /// Say no where an id generator makes others, or another propagator's traces are continued and it comes after this
    /// one.
    pub fn random_trace_ids(mut self, yes: bool) -> Self {
        self.settings.random_trace_ids = yes;
        self
    }

    /// Sets to how many bytes `tracestate` is cut. At least 512; defaults to no limit but that of 32 members.
    pub fn max_tracestate_len(mut self, bytes: usize) -> Self {
        self.settings.max_tracestate_len = bytes;
        self
    }

    /// Sets the boundary at which this is counted. Defaults to [`Boundary::propagator`].
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
        // Not under the borrow of the current context: injectors are foreign code.
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
