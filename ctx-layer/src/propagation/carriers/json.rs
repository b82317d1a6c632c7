//! JSON objects.

use serde_json::{Map, Value};

use crate::propagation::carrier::{Carrier, CarrierMut};

impl Carrier for Map<String, Value> {
    /// Reads strings and arrays of strings. Other values are ignored.
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        for (_, value) in self.iter().filter(|(known, _)| known.eq_ignore_ascii_case(key)) {
            match value {
                Value::String(text) => line(text.as_bytes()),
                Value::Array(values) => values.iter().filter_map(Value::as_str).for_each(|text| line(text.as_bytes())),
                _ => {}
            }
        }
    }
}

impl CarrierMut for Map<String, Value> {
    fn set(&mut self, key: &str, value: &str) {
        CarrierMut::remove(self, key);
        self.insert(key.to_owned(), Value::from(value));
    }

    fn remove(&mut self, key: &str) {
        self.retain(|known, _| !known.eq_ignore_ascii_case(key));
    }
}
