//! Text as JSON strings.
//!
//! Besides what JSON demands, characters are escaped by which a reader could take one line for two, or that a terminal obeys:
//! DEL, the C1 controls, and the line and paragraph separators. The strings that a parser makes of it are the same.

use crate::output::escape::{self, Escape, Escaping};

/// The escapes of JSON.
pub(in crate::output) struct Json;

impl Escaping for Json {
    #[inline]
    fn escape(character: char) -> Option<Escape> {
        let short = match character {
            '"' => b'"',
            '\\' => b'\\',
            '\n' => b'n',
            '\r' => b'r',
            '\t' => b't',
            '\u{8}' => b'b',
            '\u{c}' => b'f',
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' => return Some(by_number(character)),
            _ => return None,
        };
        Some(Escape::short(short))
    }
}

fn by_number(character: char) -> Escape {
    let digit = |shift: u32| b"0123456789abcdef"[(u32::from(character) >> shift) as usize & 0xf];
    Escape::of(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)])
}

/// Appends text, escaped, without quotes.
#[inline]
pub(super) fn push(bytes: &mut Vec<u8>, text: &str) {
    escape::push::<Json>(bytes, text);
}

/// Appends a whole string, with quotes.
pub(super) fn push_string(bytes: &mut Vec<u8>, text: &str) {
    escape::push_string::<Json>(bytes, text);
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
    fn what_fits_ends_with_a_whole_character() {
        let text = "a\"\u{7f}🚲b";
        for room in 0..20 {
            let mut bytes = Vec::new();
            let taken = escape::push_as_fits::<Json>(&mut bytes, text, room);
            assert!(bytes.len() <= room);
            assert_eq!(bytes, escaped(&text[..taken]).as_bytes());
        }
        assert_eq!(escape::push_as_fits::<Json>(&mut Vec::new(), text, 14), text.len());
    }
}
