//! Text as JSON strings.
//!
//! Besides what JSON demands, characters are escaped by which a reader could take one line for two, or that a terminal obeys:
//! DEL, the C1 controls, and the line and paragraph separators. The strings that a parser makes of it are the same.

/// Appends text, escaped, without quotes.
#[inline]
pub(super) fn push(bytes: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        bytes.extend_from_slice(text.as_bytes());
    } else {
        push_escaped(bytes, text);
    }
}

/// Appends a whole string, with quotes.
pub(super) fn push_string(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(b'"');
    push(bytes, text);
    bytes.push(b'"');
}

#[cold]
#[inline(never)]
fn push_escaped(bytes: &mut Vec<u8>, text: &str) {
    let mut start = 0;
    for (at, character) in text.char_indices() {
        if let Some(escape) = Escape::of(character) {
            bytes.extend_from_slice(&text.as_bytes()[start..at]);
            bytes.extend_from_slice(escape.as_bytes());
            start = at + character.len_utf8();
        }
    }
    bytes.extend_from_slice(&text.as_bytes()[start..]);
}

/// Returns how many bytes of `text` can be written, escaped, into `room`, and appends them.
pub(super) fn push_as_fits(bytes: &mut Vec<u8>, text: &str, mut room: usize) -> usize {
    for (at, character) in text.char_indices() {
        let escape = Escape::of(character);
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

/// What is written for a character.
struct Escape([u8; 6], usize);

impl Escape {
    #[inline]
    fn of(character: char) -> Option<Self> {
        let short = match character {
            '"' => b'"',
            '\\' => b'\\',
            '\n' => b'n',
            '\r' => b'r',
            '\t' => b't',
            '\u{8}' => b'b',
            '\u{c}' => b'f',
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' => return Some(Self::by_number(character)),
            _ => return None,
        };
        Some(Escape([b'\\', short, 0, 0, 0, 0], 2))
    }

    fn by_number(character: char) -> Self {
        let digit = |shift: u32| b"0123456789abcdef"[(u32::from(character) >> shift) as usize & 0xf];
        Escape([b'\\', b'u', digit(12), digit(8), digit(4), digit(0)], 6)
    }

    fn as_bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

/// Returns `true` if all is printable ASCII that stands for itself. Eight bytes at a time.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    match text.last_chunk() {
        Some(last) => is_eight_plain(last) && text.as_chunks().0.iter().all(is_eight_plain),
        None => is_short_plain(text),
    }
}

/// The same for less than eight bytes: put together from parts that may overlap, without a loop.
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

    fn escaped(text: &str) -> String {
        let mut bytes = Vec::new();
        push(&mut bytes, text);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_stands_for_itself_is_left_alone() {
        for text in ["", "acme", "zürich 🚲 東京", "a longer one, of more than eight bytes"] {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn quotes_controls_and_line_ends_of_every_kind_are_escaped() {
        assert_eq!(escaped("a\"b\\c"), r#"a\"b\\c"#);
        assert_eq!(escaped("\n\r\t\u{8}\u{c}\0\x1b[31m"), r"\n\r\t\b\f\u0000\u001b[31m");
        assert_eq!(escaped("\x7f\u{85}\u{2028}\u{2029}"), r"\u007f\u0085\u2028\u2029");
    }

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

    #[test]
    fn what_fits_ends_with_a_whole_character() {
        let text = "a\"\u{7f}🚲b";
        for room in 0..20 {
            let mut bytes = Vec::new();
            let taken = push_as_fits(&mut bytes, text, room);
            assert!(bytes.len() <= room);
            assert_eq!(bytes, escaped(&text[..taken]).as_bytes());
        }
        assert_eq!(push_as_fits(&mut Vec::new(), text, 14), text.len());
    }
}
