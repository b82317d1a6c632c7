//! Optional whitespace (OWS) of RFC 9110, section 5.6.3: spaces and tabs.

/// Returns the bytes without the blanks around them.
#[inline]
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
