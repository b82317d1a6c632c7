//! Maps of strings and of bytes.

use std::{
    collections::{BTreeMap, HashMap},
    hash::BuildHasher,
};

use crate::propagation::carrier::{Carrier, CarrierMut};

/// Implements reading and writing a map.
macro_rules! map {
    ($map:ty $(, $hasher:ident: $bound:path)?) => {
        impl<$($hasher: $bound)?> Carrier for $map {
            /// Compares with all keys, since their case may differ. For a few keys this is faster than hashing.
            fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
                for (known, value) in self {
                    if known.eq_ignore_ascii_case(key) {
                        line(value.as_ref());
                    }
                }
            }
        }

        impl<$($hasher: $bound)?> CarrierMut for $map {
            fn set(&mut self, key: &str, value: &str) {
                if self.keys().any(|known| known.eq_ignore_ascii_case(key) && known != key) {
                    CarrierMut::remove(self, key);
                }
                self.insert(key.to_owned(), value.into());
            }

            fn remove(&mut self, key: &str) {
                self.retain(|known, _| !known.eq_ignore_ascii_case(key));
            }
        }
    };
}

map!(HashMap<String, String, S>, S: BuildHasher);
map!(BTreeMap<String, String>);
// The headers of a record of `rskafka`.
map!(BTreeMap<String, Vec<u8>>);
