//! Carriers of OpenTelemetry.

use opentelemetry::propagation::{Extractor, Injector};

use crate::propagation::carrier::{Carrier, CarrierMut};

/// A carrier around an OpenTelemetry `Extractor`.
#[allow(missing_debug_implementations)] // An `Extractor` need not have it.
#[derive(Clone, Copy)]
pub struct OtelExtractor<'a>(pub &'a dyn Extractor);

impl Carrier for OtelExtractor<'_> {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        // An extractor that supports only one value returns it from `get_all`.
        self.0.get_all(key).into_iter().flatten().for_each(|value| line(value.as_bytes()));
    }
}

/// A carrier around an OpenTelemetry `Injector`.
///
/// Injectors cannot remove values: those of another request stay unless they are overwritten.
#[allow(missing_debug_implementations)] // An `Injector` need not have it.
pub struct OtelInjector<'a>(pub &'a mut dyn Injector);

impl CarrierMut for OtelInjector<'_> {
    fn set(&mut self, key: &str, value: &str) {
        self.0.set(key, value.to_owned());
    }

    fn remove(&mut self, _key: &str) {}
}
