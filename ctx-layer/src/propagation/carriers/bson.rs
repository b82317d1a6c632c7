//! MongoDB documents.

use bson::{Bson, Document};

use crate::propagation::carrier::{Carrier, CarrierMut};

impl Carrier for Document {
    /// Reads strings and arrays of strings. Other values are ignored.
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        for (_, value) in self.iter().filter(|(known, _)| known.eq_ignore_ascii_case(key)) {
            match value {
                Bson::String(text) => line(text.as_bytes()),
                Bson::Array(values) => values.iter().filter_map(Bson::as_str).for_each(|text| line(text.as_bytes())),
                _ => {}
            }
        }
    }
}

impl CarrierMut for Document {
    fn set(&mut self, key: &str, value: &str) {
        if self.keys().any(|known| known.eq_ignore_ascii_case(key) && known != key) {
            CarrierMut::remove(self, key);
        }
        self.insert(key, value);
    }

    fn remove(&mut self, key: &str) {
        while let Some(known) = self.keys().find(|known| known.eq_ignore_ascii_case(key)).cloned() {
            Document::remove(self, &known);
        }
    }
}
