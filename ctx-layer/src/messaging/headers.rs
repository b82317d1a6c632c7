//! The headers of a message beside those of its context.

use crate::propagation::{Carrier, CarrierMut};

/// The header of a message's unique id: a UUID of version 7, unless the sender chose another.
pub const MESSAGE_ID: &str = "message_id";

/// The header that says whether the consumer's span is a child of the sender's or is linked to it:
/// [`child` or `link`](super::TraceMode). Without it, it is a child.
pub const TRACE_MODE: &str = "trace_mode";

/// The header that says why the message was sent, if not in the usual way: a [`Cause`](super::Cause).
pub const MESSAGE_CAUSE: &str = "message_cause";

/// The header that counts how often the program sent the message to be handled. Without it, once.
pub const MESSAGE_ATTEMPT: &str = "message_attempt";

/// The maximum length of a received message id, in bytes. Longer ones are replaced when sent, and not recorded.
const MAX_ID_LEN: usize = 255;

/// Returns the message's id, if there is one, and it is short and printable.
pub(super) fn message_id(headers: &(impl Carrier + ?Sized)) -> Option<Box<str>> {
    let mut found = None;
    headers.lines(MESSAGE_ID, &mut |line| {
        if found.is_none() {
            found = std::str::from_utf8(line).ok().filter(|id| is_id(id)).map(Box::from);
        }
    });
    found
}

/// Returns `true` if a string can be a message's id.
pub(super) fn is_id(id: &str) -> bool {
    (1..=MAX_ID_LEN).contains(&id.len()) && !id.chars().any(char::is_control)
}

/// Returns the first value of a header that `parse` accepts.
pub(super) fn parsed<T>(headers: &(impl Carrier + ?Sized), key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut found = None;
    headers.lines(key, &mut |line| {
        if found.is_none() {
            found = std::str::from_utf8(line).ok().and_then(|line| parse(line.trim()));
        }
    });
    found
}

/// Sets a header, or removes what another send left there.
pub(super) fn set_or_remove(headers: &mut (impl CarrierMut + ?Sized), key: &str, value: Option<&str>) {
    match value {
        Some(value) => headers.set(key, value),
        None => headers.remove(key),
    }
}

/// Returns how often the program sent the message to be handled: at least once.
pub(super) fn attempt(headers: &(impl Carrier + ?Sized)) -> u32 {
    parsed(headers, MESSAGE_ATTEMPT, |count| count.parse().ok()).unwrap_or(1).max(1)
}
