//! A sampler that decides by context fields.

use opentelemetry::{
    Context, KeyValue, TraceId,
    trace::{Link, SpanKind, TraceContextExt},
};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// A sampler that records all spans with one of several values of context fields, and asks another for the rest.
///
/// Spans have the fields as attributes when they are sampled. A span of a trace that is not recorded is recorded, too: a part
/// of the trace is more than nothing.
#[derive(Clone, Debug)]
pub(crate) struct FieldSampler {
    pub(crate) always: Vec<(String, String)>,
    pub(crate) otherwise: Sampler,
}

impl ShouldSample for FieldSampler {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let is_always = |attribute: &KeyValue| {
            let values = self.always.iter().filter(|(field, _)| field == attribute.key.as_str());
            values.into_iter().any(|(_, value)| attribute.value.as_str() == value.as_str())
        };
        if attributes.iter().any(is_always) {
            return SamplingResult {
                decision: SamplingDecision::RecordAndSample,
                attributes: Vec::new(),
                trace_state: parent.map(|cx| cx.span().span_context().trace_state().clone()).unwrap_or_default(),
            };
        }
        self.otherwise.should_sample(parent, trace_id, name, kind, attributes, links)
    }
}
