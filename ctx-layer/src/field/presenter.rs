//! Limiting strings to a length and to characters that cannot forge a log line.

use std::fmt::{self, Write};

use super::{policy::CUT_MARK, refused::Refused};

/// Replaces a character that must not reach a terminal or a log file.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Formats `value` into at most `max_len` bytes and replaces control characters.
///
/// A longer string is cut at a character boundary and ends in `…`. Formatting stops there.
pub(crate) fn presentable(value: &dyn fmt::Display, max_len: usize) -> (String, Change) {
    let mut writer = Presenter { text: String::new(), max_len, change: Change::None };
    // Fails where the string is cut, or where the value's `Display` fails. What was written until then is kept.
    let _ = write!(writer, "{value}");
    (writer.text, writer.change)
}

/// How a presentable string differs from the value's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Not at all.
    None,
    /// Characters were replaced, for this reason.
    Replaced(Refused),
    /// It was cut.
    Cut,
}

struct Presenter {
    text: String,
    max_len: usize,
    change: Change,
}

impl Presenter {
    fn cut(&mut self) -> fmt::Error {
        let room = self.max_len.saturating_sub(CUT_MARK.len_utf8());
        let end = self.text.floor_char_boundary_within(room);
        self.text.truncate(end);
        self.text.push(CUT_MARK);
        self.change = Change::Cut;
        fmt::Error
    }
}

impl Write for Presenter {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        // The usual identifier: printable ASCII that fits.
        if self.text.len() + s.len() <= self.max_len && s.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            self.text.push_str(s);
            return Ok(());
        }
        for c in s.chars() {
            let c = match why_unsafe(c) {
                Some(refused) => {
                    self.change = Change::Replaced(refused);
                    REPLACEMENT
                }
                None => c,
            };
            if self.text.len() + c.len_utf8() > self.max_len {
                return Err(self.cut());
            }
            self.text.push(c);
        }
        Ok(())
    }
}

/// Returns `true` if a string is shown unchanged. An empty one is not shown.
pub(crate) fn is_presentable(text: &str, max_len: usize) -> bool {
    !text.is_empty() && text.len() <= max_len && check(text).is_ok()
}

/// Checks that a string has no character that must not reach a terminal or a log file.
pub(crate) fn check(text: &str) -> Result<(), Refused> {
    if is_printable(text.as_bytes()) {
        return Ok(());
    }
    text.chars().find_map(why_unsafe).map_or(Ok(()), Err)
}

/// Returns `true` if a string is printable ASCII, as most identifiers are.
fn is_printable(text: &[u8]) -> bool {
    // Without an early exit, so that the compiler checks many bytes at a time.
    text.iter().fold(true, |so_far, byte| so_far & (0x20..0x7f).contains(byte))
}

/// Returns `true` for characters that could end the line, move the cursor, colour the terminal, reorder what is shown,
/// or make one value look like another.
pub(crate) fn is_unsafe_in_text(c: char) -> bool {
    why_unsafe(c).is_some()
}

/// Returns why a character is unsafe: C0, DEL and C1 controls, the line and paragraph separators, the bidirectional
/// overrides ("Trojan Source", CVE-2021-42574), and invisible characters.
fn why_unsafe(c: char) -> Option<Refused> {
    if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
        Some(Refused::ControlCharacters)
    } else if is_invisible(c) {
        Some(Refused::Invisible)
    } else {
        None
    }
}

/// Returns `true` for Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties, 16.0): zero-width characters,
/// the byte order mark, joiners, fillers, selectors, tags and the bidirectional controls. Two ids that differ only in
/// them look the same.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

trait FloorCharBoundary {
    fn floor_char_boundary_within(&self, index: usize) -> usize;
}

impl FloorCharBoundary for str {
    /// Replaces `str::floor_char_boundary`, which needs Rust 1.91.
    fn floor_char_boundary_within(&self, index: usize) -> usize {
        let mut index = index.min(self.len());
        while !self.is_char_boundary(index) {
            index -= 1;
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_checked_at_every_position() {
        for len in 0..=if cfg!(miri) { 9 } else { 40 } {
            for at in 0..len {
                for byte in (0..=0xff).step_by(if cfg!(miri) { 31 } else { 1 }) {
                    for others in [b' ', b'a', b'~'] {
                        let mut text = vec![others; len];
                        text[at] = byte;
                        assert_eq!(is_printable(&text), (0x20..0x7f).contains(&byte), "{byte:#x} at {at} of {len}");
                    }
                }
            }
            assert!(is_printable(&vec![b'a'; len]));
        }
    }

    #[test]
    fn a_string_that_fits_is_unchanged() {
        for text in ["acme", "", "zürich 🚲"] {
            assert_eq!(presentable(&text, text.len().max(4)), (text.to_owned(), Change::None));
        }
    }

    #[test]
    fn a_longer_string_is_cut_at_a_character_boundary_and_marked() {
        assert_eq!(presentable(&"abcdefgh", 7), ("abcd…".to_owned(), Change::Cut));
        // 4-byte characters: 10 bytes have room for one of them and the mark.
        assert_eq!(presentable(&"🚲🚲🚲", 10).0, "🚲…");
        let whole = "aé€🚲".repeat(4);
        for max_len in 4..=whole.len() {
            let (cut, change) = presentable(&whole, max_len);
            assert!(cut.len() <= max_len);
            assert_eq!(cut == whole, !cut.ends_with('…'));
            assert_eq!(cut == whole, change == Change::None);
        }
    }

    #[test]
    fn characters_that_could_forge_a_line_are_replaced() {
        let (shown, change) = presentable(&"a\0b\nc\rd\x1b[31me\u{85}f\u{2028}g\u{202e}h\x7f", 256);
        assert_eq!(shown, "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}[31me\u{fffd}f\u{fffd}g\u{fffd}h\u{fffd}");
        assert_eq!(change, Change::Replaced(Refused::ControlCharacters));
    }

    #[test]
    fn invisible_characters_are_replaced() {
        for c in
            ['\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{2060}', '\u{feff}', '\u{ad}', '\u{180e}', '\u{e0061}']
        {
            assert_eq!(presentable(&format!("ac{c}me"), 64).0, "ac\u{fffd}me", "{c:?}");
            assert_eq!(check(&format!("acme{c}")), Err(Refused::Invisible), "{c:?}");
        }
        assert_eq!(check("zürich 🚲 東京 عربى"), Ok(()));
    }

    #[test]
    fn formatting_stops_where_the_string_is_cut() {
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("abc")?;
                }
            }
        }
        assert_eq!(presentable(&Endless, 8).0, "abcab…");
    }
}
