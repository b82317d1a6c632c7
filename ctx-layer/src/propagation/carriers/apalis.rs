//! Metadata of apalis' tasks.

use apalis_core::task::metadata::MetadataStore;

use crate::propagation::carrier::{Carrier, CarrierMut};

/// The metadata of a task, which apalis' backends store with it.
///
/// Other keys stay, `apalis_core.tracing.context` of apalis' own tracing layer among them.
impl Carrier for MetadataStore {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.as_map().lines(key, line);
    }
}

/// Unlike `MetadataStore::insert`, replaces the value of a key, so that a task can be pushed again in another context.
impl CarrierMut for MetadataStore {
    fn set(&mut self, key: &str, value: &str) {
        self.as_mut().set(key, value);
    }

    fn remove(&mut self, key: &str) {
        CarrierMut::remove(self.as_mut(), key);
    }
}
