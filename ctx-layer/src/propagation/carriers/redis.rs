//! Entries of Redis streams.

use std::collections::HashMap;

use redis::{Value, streams::StreamId};

use crate::propagation::carrier::Carrier;

/// A received entry of a Redis stream. Those that are sent are lists of pairs, `Vec<(String, String)>`.
impl Carrier for StreamId {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.map.lines(key, line);
    }
}

/// The names and values of a Redis stream's entry, or of a hash.
impl Carrier for HashMap<String, Value> {
    /// Reads strings. Values of other types are ignored.
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        for (_, value) in self.iter().filter(|(known, _)| known.eq_ignore_ascii_case(key)) {
            match value {
                Value::BulkString(value) => line(value),
                Value::SimpleString(text) | Value::VerbatimString { text, .. } => line(text.as_bytes()),
                _ => {}
            }
        }
    }
}
