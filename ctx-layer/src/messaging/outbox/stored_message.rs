//! A message of an outbox.

use std::fmt;

use serde_json::{Map, Value};

use super::database::ClaimedRow;
use crate::{
    messaging::headers::MESSAGE_ID,
    propagation::{Carrier, CarrierMut},
};

/// A message of an outbox that is about to be sent, exactly as it was stored.
#[derive(Clone)]
pub struct StoredMessage {
    message_id: String,
    system: String,
    destination: String,
    headers: Map<String, Value>,
    payload: Vec<u8>,
    failures: u64,
}

impl StoredMessage {
    /// Reads a row. Headers that are not a JSON object are none: the message is sent without a context.
    pub(super) fn of(row: ClaimedRow) -> Self {
        let mut headers: Map<String, Value> = serde_json::from_str(&row.headers).unwrap_or_default();
        // The column is unique, and the header may be missing.
        headers.set(MESSAGE_ID, &row.message_id);
        StoredMessage {
            message_id: row.message_id,
            system: row.system,
            destination: row.destination,
            headers,
            payload: row.payload,
            failures: u64::try_from(row.attempts).unwrap_or_default(),
        }
    }

    /// Returns the message's id, which is the same each time that it is sent.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// Returns the value of `messaging.system`.
    pub fn system(&self) -> &str {
        &self.system
    }

    /// Returns the name of the queue or topic.
    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// Returns the body.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Converts the message into its body.
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// Returns how often sending it has failed before.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// Returns the headers: those of the context, the message's id, and others.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    /// Writes the headers to those of a message of the broker's client.
    pub fn write_headers(&self, headers: &mut (impl CarrierMut + ?Sized)) {
        self.headers().for_each(|(key, value)| headers.set(key, value));
    }
}

impl Carrier for StoredMessage {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.headers.lines(key, line);
    }
}

impl fmt::Debug for StoredMessage {
    /// Hides the body and the values of headers, which may be sensitive.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredMessage")
            .field("message_id", &self.message_id)
            .field("system", &self.system)
            .field("destination", &self.destination)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .field("failures", &self.failures)
            .finish()
    }
}
