//! Maps of strings.

use std::{
    collections::{BTreeMap, HashMap},
    hash::BuildHasher,
};

use crate::propagation::carrier::{Carrier, CarrierMut};

impl<S: BuildHasher> Carrier for HashMap<String, String, S> {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        lines(self, key, line);
    }
}

impl<S: BuildHasher> CarrierMut for HashMap<String, String, S> {
    fn set(&mut self, key: &str, value: &str) {
        if self.keys().any(|known| known.eq_ignore_ascii_case(key) && known != key) {
            CarrierMut::remove(self, key);
        }
        self.insert(key.to_owned(), value.to_owned());
    }

    fn remove(&mut self, key: &str) {
        self.retain(|known, _| !known.eq_ignore_ascii_case(key));
    }
}

impl Carrier for BTreeMap<String, String> {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        lines(self, key, line);
    }
}

impl CarrierMut for BTreeMap<String, String> {
    fn set(&mut self, key: &str, value: &str) {
        if self.keys().any(|known| known.eq_ignore_ascii_case(key) && known != key) {
            CarrierMut::remove(self, key);
        }
        self.insert(key.to_owned(), value.to_owned());
    }

    fn remove(&mut self, key: &str) {
        self.retain(|known, _| !known.eq_ignore_ascii_case(key));
    }
}

/// Compares with all keys, since their case may differ. For a few keys this is faster than hashing.
fn lines<'a>(map: impl IntoIterator<Item = (&'a String, &'a String)>, key: &str, line: &mut dyn FnMut(&[u8])) {
    for (known, value) in map {
        if known.eq_ignore_ascii_case(key) {
            line(value.as_bytes());
        }
    }
}
