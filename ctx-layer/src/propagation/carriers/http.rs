//! HTTP headers.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector};

use crate::propagation::{
    carrier::{Carrier, CarrierMut},
    names,
};

static TRACEPARENT: HeaderName = HeaderName::from_static(names::TRACEPARENT);
static TRACESTATE: HeaderName = HeaderName::from_static(names::TRACESTATE);
static BAGGAGE: HeaderName = HeaderName::from_static(names::BAGGAGE);

/// Returns the `HeaderName` of a common key without parsing it.
fn known(key: &str) -> Option<&'static HeaderName> {
    match key {
        names::TRACEPARENT => Some(&TRACEPARENT),
        names::TRACESTATE => Some(&TRACESTATE),
        names::BAGGAGE => Some(&BAGGAGE),
        _ => None,
    }
}

impl Carrier for HeaderMap {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        let values = match known(key) {
            Some(name) => self.get_all(name),
            None => self.get_all(key),
        };
        values.iter().for_each(|value| line(value.as_bytes()));
    }
}

impl CarrierMut for HeaderMap {
    /// Ignores a key or value that is illegal in a header, and a header that exceeds the map's capacity.
    fn set(&mut self, key: &str, value: &str) {
        let Ok(value) = HeaderValue::from_str(value) else { return };
        match known(key) {
            Some(name) => drop(self.try_insert(name, value)),
            None => {
                if let Ok(name) = HeaderName::from_bytes(key.as_bytes()) {
                    drop(self.try_insert(name, value));
                }
            }
        }
    }

    fn remove(&mut self, key: &str) {
        match known(key) {
            Some(name) => HeaderMap::remove(self, name),
            None => HeaderMap::remove(self, key),
        };
    }
}

/// A wrapper with which OpenTelemetry propagators read HTTP headers, all lines of each header.
///
/// `Debug` shows the headers' names only, since values may be sensitive.
#[derive(Clone, Copy)]
pub struct HeaderExtractor<'a>(pub &'a HeaderMap);

impl fmt::Debug for HeaderExtractor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HeaderExtractor").field(&HeaderNames(self.0)).finish()
    }
}

/// A `Debug` wrapper that shows the names of headers only.
pub(crate) struct HeaderNames<'a>(pub(crate) &'a HeaderMap);

impl fmt::Debug for HeaderNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Extractor for HeaderExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        // A line that is not a string counts: of two lines, the other one is not the only one.
        let lines = self.0.get_all(key).iter();
        let values: Vec<_> = lines.map(|line| std::str::from_utf8(line.as_bytes()).unwrap_or_default()).collect();
        (!values.is_empty()).then_some(values)
    }
}

/// A wrapper with which OpenTelemetry propagators write HTTP headers.
///
/// `Debug` shows the headers' names only, since values may be sensitive.
pub struct HeaderInjector<'a>(pub &'a mut HeaderMap);

impl fmt::Debug for HeaderInjector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HeaderInjector").field(&HeaderNames(self.0)).finish()
    }
}

impl Injector for HeaderInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        CarrierMut::set(self.0, key, &value);
    }

    fn reserve(&mut self, additional: usize) {
        // Fails only for tens of thousands of headers, and then setting fails as well.
        let _ = self.0.try_reserve(additional);
    }
}
