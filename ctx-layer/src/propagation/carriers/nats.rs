//! Headers of NATS.

use async_nats::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};

use crate::propagation::carrier::{Carrier, CarrierMut};

impl Carrier for HeaderMap {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        // Names on NATS are case-sensitive, and other senders' may have another case.
        for (_, values) in self.iter().filter(|(name, _)| is_named(name, key)) {
            values.iter().for_each(|value| line(value.as_str().as_bytes()));
        }
    }
}

fn is_named(name: &HeaderName, key: &str) -> bool {
    let name: &str = name.as_ref();
    name.eq_ignore_ascii_case(key)
}

impl CarrierMut for HeaderMap {
    /// Ignores a key or value that is illegal in a header.
    fn set(&mut self, key: &str, value: &str) {
        let (Ok(name), Ok(value)) = (key.parse::<HeaderName>(), value.parse::<HeaderValue>()) else { return };
        if self.iter().any(|(known, _)| *known != name && is_named(known, key)) {
            self.remove(key);
        }
        self.insert(name, value);
    }

    fn remove(&mut self, key: &str) {
        // A map has no way to remove a header.
        if !self.iter().any(|(name, _)| is_named(name, key)) {
            return;
        }
        let mut kept = HeaderMap::new();
        for (name, values) in self.iter().filter(|(name, _)| !is_named(name, key)) {
            values.iter().for_each(|value| kept.append(name.clone(), value.clone()));
        }
        *self = kept;
    }
}
