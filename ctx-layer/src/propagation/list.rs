//! Lists of members in a header, such as `a=1, b=2`.

/// Returns the bytes without the optional whitespace around them: the spaces and tabs of RFC 9110, section 5.6.3.
#[inline]
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Returns the next member of a line that is not empty, without whitespace, and moves `at` behind it.
#[inline]
pub(super) fn next_member<'a>(line: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    while let Some(rest) = line.get(*at..).filter(|rest| !rest.is_empty()) {
        let len = rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len());
        *at += len + 1;
        let member = trim(&rest[..len]);
        if !member.is_empty() {
            return Some(member);
        }
    }
    None
}

/// Appends a member up to its value.
#[inline]
pub(super) fn begin_member(list: &mut String, key: &str) {
    if !list.is_empty() {
        list.push(',');
    }
    list.push_str(key);
    list.push('=');
}
