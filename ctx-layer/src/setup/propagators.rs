//! The global propagator, by the settings.

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapCompositePropagator, TextMapPropagator, text_map_propagator::FieldIter},
};

use super::settings::{PropagatorName, Settings, SettingsProblem};
use crate::{Schema, propagation::ContextPropagator};

/// Creates the propagator of the settings. `None` is one that reads and writes nothing.
pub(crate) fn propagator(
    settings: &Settings,
    schema: &Schema,
) -> Result<Option<TextMapCompositePropagator>, Vec<SettingsProblem>> {
    let names = &settings.observability.propagators;
    let mut problems = Vec::new();
    let mut propagators: Vec<Box<dyn TextMapPropagator + Send + Sync>> = Vec::new();
    let has = |name: PropagatorName| names.contains(&name);
    if has(PropagatorName::None) {
        if names.len() > 1 {
            problems.push(problem(settings, "\"none\" beside others", "\"none\" alone, or the others"));
        }
        return if problems.is_empty() { Ok(None) } else { Err(problems) };
    }
    for name in names {
        match name {
            #[cfg(feature = "setup-b3")]
            PropagatorName::B3 => propagators.push(b3(false)),
            #[cfg(feature = "setup-b3")]
            PropagatorName::B3Multi => propagators.push(b3(true)),
            #[cfg(feature = "setup-xray")]
            PropagatorName::XRay => {
                propagators.push(Box::new(opentelemetry_aws::trace::XrayPropagator::new()));
            }
            #[cfg(not(feature = "setup-b3"))]
            PropagatorName::B3 | PropagatorName::B3Multi => {
                problems.push(problem(settings, name.as_str(), "the feature `setup-b3` of `ctx-layer` for it"));
            }
            #[cfg(not(feature = "setup-xray"))]
            PropagatorName::XRay => {
                problems.push(problem(settings, name.as_str(), "the feature `setup-xray` of `ctx-layer` for it"));
            }
            PropagatorName::TraceContext | PropagatorName::Baggage | PropagatorName::None => {}
        }
    }
    // Last, so that it sees the trace that the others found.
    let (has_trace, has_baggage) = (has(PropagatorName::TraceContext), has(PropagatorName::Baggage));
    let inner = ContextPropagator::new().schema(schema.clone());
    match (has_trace, has_baggage) {
        (true, true) => propagators.push(Box::new(inner)),
        (true, false) => propagators.push(Box::new(Only { inner, keys: &["traceparent", "tracestate"] })),
        (false, true) => propagators.push(Box::new(Only { inner, keys: &["baggage"] })),
        (false, false) => {}
    }
    if problems.is_empty() { Ok(Some(TextMapCompositePropagator::new(propagators))) } else { Err(problems) }
}

#[cfg(feature = "setup-b3")]
#[allow(deprecated, reason = "the exporter beside it is deprecated; no other crate has the propagator")]
fn b3(has_several_headers: bool) -> Box<dyn TextMapPropagator + Send + Sync> {
    use opentelemetry_zipkin::{B3Encoding, Propagator};

    Box::new(Propagator::with_encoding(match has_several_headers {
        true => B3Encoding::MultipleHeader,
        false => B3Encoding::SingleHeader,
    }))
}

fn problem(settings: &Settings, found: &str, expected: &str) -> SettingsProblem {
    SettingsProblem::new(settings.origin("observability.propagators").clone(), found, expected)
}

/// A propagator that reads and writes some of its headers.
#[derive(Debug)]
struct Only {
    inner: ContextPropagator,
    keys: &'static [&'static str],
}

impl TextMapPropagator for Only {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        self.inner.inject_context(cx, &mut OnlyKeys { inner: injector, keys: self.keys });
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        self.inner.extract_with_context(cx, &OnlyKeys { inner: extractor, keys: self.keys })
    }

    fn fields(&self) -> FieldIter<'_> {
        self.inner.fields()
    }
}

struct OnlyKeys<T> {
    inner: T,
    keys: &'static [&'static str],
}

impl Injector for OnlyKeys<&mut dyn Injector> {
    fn set(&mut self, key: &str, value: String) {
        if self.keys.contains(&key) {
            self.inner.set(key, value);
        }
    }
}

impl Extractor for OnlyKeys<&dyn Extractor> {
    fn get(&self, key: &str) -> Option<&str> {
        self.inner.get(key).filter(|_| self.keys.contains(&key))
    }

    fn keys(&self) -> Vec<&str> {
        self.inner.keys().into_iter().filter(|key| self.keys.contains(key)).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        self.inner.get_all(key).filter(|_| self.keys.contains(&key))
    }
}
