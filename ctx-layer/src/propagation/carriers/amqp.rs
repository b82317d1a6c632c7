//! AMQP headers.

use std::collections::BTreeMap;

use amq_protocol_types::{AMQPValue, FieldTable, LongString, ShortString};

use crate::propagation::carrier::{Carrier, CarrierMut};

/// The headers of an AMQP message, which are `lapin::types::FieldTable`.
impl Carrier for FieldTable {
    /// Reads strings, byte arrays, and arrays of these. Values of other types are ignored.
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        for (_, value) in self.into_iter().filter(|(known, _)| known.as_str().eq_ignore_ascii_case(key)) {
            match value {
                AMQPValue::FieldArray(values) => values.as_slice().iter().filter_map(bytes).for_each(&mut *line),
                value => bytes(value).into_iter().for_each(&mut *line),
            }
        }
    }
}

fn bytes(value: &AMQPValue) -> Option<&[u8]> {
    match value {
        AMQPValue::LongString(value) => Some(value.as_bytes()),
        AMQPValue::ShortString(value) => Some(value.as_str().as_bytes()),
        AMQPValue::ByteArray(value) => Some(value.as_slice()),
        _ => None,
    }
}

impl CarrierMut for FieldTable {
    /// Ignores a key of more than 255 bytes, which is illegal.
    fn set(&mut self, key: &str, value: &str) {
        let Ok(name) = ShortString::try_new(key) else { return };
        if self.into_iter().any(|(known, _)| known.as_str().eq_ignore_ascii_case(key) && *known != name) {
            self.remove(key);
        }
        self.insert(name, AMQPValue::LongString(LongString::from(value)));
    }

    fn remove(&mut self, key: &str) {
        // A table has no way to remove an entry.
        let is_kept = |known: &ShortString| !known.as_str().eq_ignore_ascii_case(key);
        if !self.into_iter().all(|(known, _)| is_kept(known)) {
            let kept = self.into_iter().filter(|(known, _)| is_kept(known));
            let kept: BTreeMap<_, _> = kept.map(|(known, value)| (known.clone(), value.clone())).collect();
            *self = FieldTable::from(kept);
        }
    }
}
