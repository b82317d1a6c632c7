//! Payloads with headers in front of them.

use std::fmt;

use crate::propagation::{
    captured::Captured,
    carrier::{Carrier, CarrierMut},
};

/// The first line of a payload with headers.
const FIRST_LINE: &[u8] = b"CTX/1.0\r\n";

/// A payload with headers in front of it, for messages that have no headers: those of Redis lists and pub/sub, of MQTT 3.1, of sockets.
///
/// Its bytes are the line `CTX/1.0`, a line for each header, an empty line, and the payload. Lines end in CR LF. A payload that is JSON
/// needs no envelope: add a [`Captured`] to it, as `context`.
///
/// ```
/// use ctx_layer::{Schema, field::well_known::TENANT_ID, propagation::{self, Trust, carriers::Envelope}};
///
/// # let _stack = ctx_layer::SubscriberFieldsExt::with_context_fields(tracing_subscriber::registry(), Schema::well_known());
/// let mut message = Envelope::new("paid");
/// TENANT_ID.in_scope("acme", || propagation::inject(&mut message));
/// let bytes = message.to_bytes();
/// assert_eq!(bytes, b"CTX/1.0\r\nbaggage: tenant_id=acme\r\n\r\npaid");
///
/// let received = Envelope::from_bytes(&bytes);
/// assert_eq!(received.payload(), b"paid");
/// propagation::extract(&received, Trust::internal()).in_scope(|| {
///     assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
/// });
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Envelope<P> {
    headers: Captured,
    payload: P,
}

impl<P: AsRef<[u8]>> Envelope<P> {
    /// Creates one without headers.
    pub const fn new(payload: P) -> Self {
        Envelope { headers: Captured::new(), payload }
    }

    /// Returns the headers and the payload as bytes. Without headers, these are the payload.
    pub fn to_bytes(&self) -> Vec<u8> {
        let payload = self.payload.as_ref();
        if self.headers.is_empty() && !payload.starts_with(FIRST_LINE) {
            return payload.to_owned();
        }
        let len = self.headers.iter().map(|(key, value)| key.len() + value.len() + 4).sum::<usize>();
        let mut bytes = Vec::with_capacity(FIRST_LINE.len() + len + 2 + payload.len());
        bytes.extend_from_slice(FIRST_LINE);
        for (key, value) in self.headers.iter() {
            for part in [key, ": ", value, "\r\n"] {
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(payload);
        bytes
    }

    /// Returns the payload.
    pub fn payload(&self) -> &P {
        &self.payload
    }

    /// Returns the payload.
    pub fn into_payload(self) -> P {
        self.payload
    }
}

impl<'a> Envelope<&'a [u8]> {
    /// Reads headers and payload. Bytes of another form are a payload without headers.
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Envelope::read(bytes).unwrap_or(Envelope::new(bytes))
    }

    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(FIRST_LINE)?;
        let mut headers = Captured::new();
        loop {
            let end = rest.windows(2).position(|two| two == b"\r\n")?;
            let (line, next) = (&rest[..end], &rest[end + 2..]);
            if line.is_empty() {
                return Some(Envelope { headers, payload: next });
            }
            // A line that is not a header costs no other.
            let header = std::str::from_utf8(line).ok().and_then(|line| line.split_once(':'));
            if let Some((key, value)) = header {
                headers.insert(key.trim(), value.trim());
            }
            rest = next;
        }
    }
}

impl<P> fmt::Debug for Envelope<P> {
    /// Shows no payload, since it may be sensitive.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").field("headers", &self.headers).finish_non_exhaustive()
    }
}

impl<P> Carrier for Envelope<P> {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        self.headers.lines(key, line);
    }
}

impl<P> CarrierMut for Envelope<P> {
    /// Ignores other keys than those of the context, and a value with a control character, which would end its line.
    fn set(&mut self, key: &str, value: &str) {
        if !value.bytes().any(|byte| byte.is_ascii_control()) {
            self.headers.set(key, value);
        }
    }

    fn remove(&mut self, key: &str) {
        self.headers.remove(key);
    }
}
