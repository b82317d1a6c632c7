//! Escaping strings of lines.

/// How the strings of a kind of line are escaped.
pub(super) trait Escaping {
    /// Returns what is written for a character that is not written as it is.
    ///
    /// It is something for `"`, `\\`, and whatever is not printable ASCII or a character beyond ASCII that is shown as it is.
    fn escape(character: char) -> Option<Escape>;
}

/// The escape sequence of a character.
pub(super) struct Escape([u8; 12], usize);

impl Escape {
    /// A backslash and this byte.
    #[inline]
    pub(super) fn short(byte: u8) -> Self {
        Escape([b'\\', byte, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 2)
    }

    /// An ASCII string of up to 12 bytes.
    pub(super) fn of(text: &[u8]) -> Self {
        let (mut bytes, len) = ([0; 12], text.len().min(12));
        bytes[..len].copy_from_slice(&text[..len]);
        Escape(bytes, len)
    }

    fn as_bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

/// Appends text, escaped, without quotes.
#[inline]
pub(super) fn push<E: Escaping>(bytes: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        bytes.extend_from_slice(text.as_bytes());
    } else {
        push_escaped::<E>(bytes, text);
    }
}

/// Appends a whole string, with quotes.
pub(super) fn push_string<E: Escaping>(bytes: &mut Vec<u8>, text: &str) {
    bytes.reserve(text.len() + 2);
    bytes.push(b'"');
    push::<E>(bytes, text);
    bytes.push(b'"');
}

#[cold]
#[inline(never)]
fn push_escaped<E: Escaping>(bytes: &mut Vec<u8>, text: &str) {
    let mut start = 0;
    for (at, character) in text.char_indices() {
        if let Some(escape) = E::escape(character) {
            bytes.extend_from_slice(&text.as_bytes()[start..at]);
            bytes.extend_from_slice(escape.as_bytes());
            start = at + character.len_utf8();
        }
    }
    bytes.extend_from_slice(&text.as_bytes()[start..]);
}

/// Returns how many bytes of `text` can be written, escaped, into `room`, and appends them.
pub(super) fn push_as_fits<E: Escaping>(bytes: &mut Vec<u8>, text: &str, mut room: usize) -> usize {
    for (at, character) in text.char_indices() {
        let escape = E::escape(character);
        let len = escape.as_ref().map_or(character.len_utf8(), |escape| escape.as_bytes().len());
        let Some(left) = room.checked_sub(len) else { return at };
        room = left;
        match escape {
            Some(escape) => bytes.extend_from_slice(escape.as_bytes()),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    text.len()
}

/// Returns `true` if all is printable ASCII that is written as it is. Reads eight bytes at a time.
#[inline]
pub(super) fn is_plain(text: &[u8]) -> bool {
    match text.last_chunk() {
        Some(last) => is_eight_plain(last) && text.as_chunks().0.iter().all(is_eight_plain),
        None => is_short_plain(text),
    }
}

/// Scans less than eight bytes: assembled from parts that may overlap, without a loop.
#[inline]
fn is_short_plain(text: &[u8]) -> bool {
    let eight = match (text.first_chunk(), text.last_chunk(), text) {
        (Some(first), Some(last), _) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
        }
        (_, _, [first, middle @ .., last]) => {
            let middle = middle.first().unwrap_or(first);
            BLANKS << 24 | u64::from(*last) << 16 | u64::from(*middle) << 8 | u64::from(*first)
        }
        (_, _, [only]) => BLANKS << 8 | u64::from(*only),
        (_, _, []) => BLANKS,
    };
    are_plain(eight)
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const BLANKS: u64 = ONES * b' ' as u64;

#[inline]
fn is_eight_plain(bytes: &[u8; 8]) -> bool {
    are_plain(u64::from_le_bytes(*bytes))
}

#[inline]
fn are_plain(bytes: u64) -> bool {
    // The upper bit of a byte is set where that is not ASCII, is DEL, or is below the blank. Only a byte of which that is so
    // carries into the one above.
    let unprintable = bytes | bytes.wrapping_add(ONES) | bytes.wrapping_sub(ONES * 0x20);
    // Zero where a byte is the one looked for; the upper bit is set where it is below 1.
    let quotes = (bytes ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslashes = (bytes ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (unprintable | quotes | backslashes) & (ONES * 0x80) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts_wherever_it_stands() {
        for len in 0..=if cfg!(miri) { 9 } else { 40 } {
            for at in 0..len {
                for byte in (0..0x80).step_by(if cfg!(miri) { 31 } else { 1 }) {
                    let mut text = vec![b'a'; len];
                    text[at] = byte;
                    let is_plain_byte = (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
                    assert_eq!(is_plain(&text), is_plain_byte, "{byte:#x} at {at} of {len}");
                }
            }
        }
        assert!(!is_plain("abcdefgü".as_bytes()));
    }
}
