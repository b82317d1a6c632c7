//! Percent-encoding of baggage.

use std::borrow::Cow;

/// The bytes of a baggage value that are sent unencoded: the `baggage-octet`s of W3C Baggage, section 3.3.1.3, without
/// `%`, which starts an encoded byte, and without `+`, which form decoders such as Python's SDK read as a space.
const RAW: [bool; 256] = {
    let mut raw = OCTET;
    raw[b'%' as usize] = false;
    raw[b'+' as usize] = false;
    raw
};

/// Returns `true` if a received byte is not encoded. Uses no table, so that the loop over bytes can be vectorized.
#[inline(always)]
pub(super) fn is_plain(byte: u8) -> bool {
    let is_quoted = (byte == b'"') | (byte == b',') | (byte == b';') | (byte == b'\\') | (byte == b'%');
    byte.is_ascii_graphic() & !is_quoted
}

/// The `baggage-octet`s.
const OCTET: [bool; 256] = {
    let mut octet = [false; 256];
    let mut byte = 0x21;
    while byte <= 0x7e {
        octet[byte] = !matches!(byte as u8, b'"' | b',' | b';' | b'\\');
        byte += 1;
    }
    octet
};

/// Returns `true` if a byte is legal in a baggage value, `%` included.
#[inline]
pub(super) fn is_octet(byte: u8) -> bool {
    OCTET[usize::from(byte)]
}

/// Appends a string that may be partly encoded. Encoded bytes stay unchanged. A stray `%` is encoded: it decodes to the
/// same, and some recipients refuse a stray one.
pub(super) fn encode_rest(text: &str, into: &mut String) {
    let mut parts = text.split('%');
    encode(parts.next().unwrap_or_default(), into);
    for part in parts {
        let is_encoded =
            matches!(part.as_bytes(), [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
        into.push_str(if is_encoded { "%" } else { "%25" });
        encode(part, into);
    }
}

/// Appends a string, encoded.
#[inline]
pub(super) fn encode(mut text: &str, into: &mut String) {
    let is_raw = |byte: u8| RAW[usize::from(byte)];
    // Nearly always the whole string is raw.
    if text.bytes().all(is_raw) {
        return into.push_str(text);
    }
    while let Some(at) = text.bytes().position(|byte| !is_raw(byte)) {
        into.push_str(&text[..at]);
        // A byte that is not raw may be part of a longer character, whose bytes are all encoded.
        let end = at + text[at..].chars().next().map_or(1, char::len_utf8);
        for byte in text[at..end].bytes() {
            into.push('%');
            into.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
            into.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 0xf)]));
        }
        text = &text[end..];
    }
    into.push_str(text);
}

/// Decodes a string. A stray `%` stays, and invalid UTF-8 becomes U+FFFD.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    let Some(first) = text.bytes().position(|byte| byte == b'%') else {
        return Cow::Borrowed(text);
    };
    let mut bytes = Vec::with_capacity(text.len());
    bytes.extend_from_slice(&text.as_bytes()[..first]);
    let mut rest = &text.as_bytes()[first..];
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte == b'%'
            && let [high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (char::from(*high).to_digit(16), char::from(*low).to_digit(16))
        {
            bytes.push((high << 4 | low) as u8);
            rest = after;
        } else {
            bytes.push(*byte);
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}
