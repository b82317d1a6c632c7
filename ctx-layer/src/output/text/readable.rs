//! The notation of lines for people: ` name="value"`, and when a string may be shown without quotes.
//!
//! A string is shown as it is, or, where that could be taken for something else, in quotes and with escapes. So no value looks like
//! another field, ends its line, or has a terminal do anything.

use std::fmt::{self, Write};

use smallvec::SmallVec;

use crate::{
    field::is_unsafe_in_text,
    output::{
        escape::{self, Escape, Escaping},
        line::Line,
        notation::{Key, Notation},
    },
    panic::{Panicked, caught_with},
};

/// The notation of lines for people.
pub(in crate::output) struct Readable;

impl Escaping for Readable {
    fn escape(character: char) -> Option<Escape> {
        match character {
            '"' | '\\' => Some(Escape::short(character as u8)),
            '\n' => Some(Escape::short(b'n')),
            '\r' => Some(Escape::short(b'r')),
            '\t' => Some(Escape::short(b't')),
            character if is_unsafe_in_text(character) => {
                let mut text = SmallVec::<[u8; 12]>::new();
                text.extend(character.escape_unicode().map(|digit| digit as u8));
                Some(Escape::of(&text))
            }
            _ => None,
        }
    }
}

impl Notation for Readable {
    const ID: u8 = 1;

    /// ` name=`
    fn key(name: &str) -> Key {
        let mut key = vec![b' '];
        push_name(&mut key, name);
        key.push(b'=');
        key.into()
    }

    fn key_of(member: &[u8]) -> &[u8] {
        let end = end_of_name(member, 1);
        member.get(..=end).unwrap_or(member)
    }

    fn push_wide(bytes: &mut Vec<u8>, digits: &str, _: bool) {
        bytes.extend_from_slice(digits.as_bytes());
    }

    fn push_f64(bytes: &mut Vec<u8>, value: f64) {
        if value.is_finite() {
            bytes.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
        } else {
            let text: &[u8] = if value.is_nan() {
                b"NaN"
            } else if value > 0.0 {
                b"inf"
            } else {
                b"-inf"
            };
            bytes.extend_from_slice(text);
        }
    }
}

/// Returns `true` if one of these members has this key. They are of the context, and so in one of two forms: ` name="string"` or
/// ` name=value`, where a value that has a blank has no `=`.
pub(super) fn has_key(members: &[u8], key: &[u8]) -> bool {
    let mut at = 0;
    while at < members.len() {
        let equals = end_of_name(members, at + 1);
        if members.get(at..=equals) == Some(key) {
            return true;
        }
        let value = equals + 1;
        at = match members.get(value) {
            Some(b'"') if members.get(equals) == Some(&b'=') => end_of_string(members, value),
            _ => next_blank(members, equals),
        };
    }
    false
}

/// Returns the position after a name: of its `=`, or of a blank where it is not a name.
fn end_of_name(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| matches!(byte, b'=' | b' ')).unwrap_or(rest.len())
}

fn next_blank(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len())
}

/// Returns the position after a string that begins at `start`.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Appends the name of a field. A name has no blank, no quote and nothing that is part of an operator with `=`: where it does, that is
/// escaped.
fn push_name(bytes: &mut Vec<u8>, name: &str) {
    if name.is_empty() {
        return bytes.extend_from_slice(b"\\u{}");
    }
    for c in name.chars() {
        if c.is_whitespace() || matches!(c, '"' | '=' | '\\' | '!' | '<' | '>') || is_unsafe_in_text(c) {
            bytes.extend(c.escape_unicode().map(|digit| digit as u8));
        } else {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// Appends the name of a span, a thread, a target or a file: in quotes if it could be taken for several of them, or for a message.
pub(super) fn push_title(bytes: &mut Vec<u8>, name: &str) {
    let is_odd = |c: char| c.is_whitespace() || c == '"' || is_unsafe_in_text(c);
    if name.is_empty() || name.chars().any(is_odd) {
        escape::push_string::<Readable>(bytes, name);
    } else {
        bytes.extend_from_slice(name.as_bytes());
    }
}

/// How a string can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Bare,
    Quoted,
}

/// Returns how a formatted value is shown.
pub(super) fn form_of_value(text: &str) -> Form {
    let bytes = text.as_bytes();
    let (mut has_equals, mut has_blank, mut is_ascii) = (false, false, true);
    for byte in bytes {
        match byte {
            b'=' => has_equals = true,
            b' ' => has_blank = true,
            0x21..=0x7e => {}
            0x80.. => is_ascii = false,
            _ => return Form::Quoted,
        }
    }
    if !is_ascii {
        if text.chars().any(is_unsafe_in_text) {
            return Form::Quoted;
        }
        has_blank |= text.chars().any(char::is_whitespace);
    }
    let is_bare = match bytes.first() {
        // The `Debug` form of a string.
        Some(b'"') => bytes.len() > 1 && bytes.last() == Some(&b'"') && end_of_string(bytes, 0) == bytes.len(),
        _ => !bytes.is_empty() && text.trim() == text && !(has_equals && has_blank),
    };
    if is_bare { Form::Bare } else { Form::Quoted }
}

/// Returns how the first line of a message is shown: in quotes if it could be taken for a message and fields.
pub(super) fn form_of_message(text: &str) -> Form {
    let mut before = b' ';
    let mut is_ascii = true;
    for byte in text.bytes() {
        match byte {
            b'=' if !matches!(before, b' ' | b'"' | b'=' | b'!' | b'<' | b'>') => return Form::Quoted,
            0x20..=0x7e => {}
            0x80.. => is_ascii = false,
            _ => return Form::Quoted,
        }
        before = byte;
    }
    let is_safe = is_ascii || text.chars().all(is_safe_in_prose);
    if is_safe && !text.starts_with(['"', ' ', '\u{a0}']) { Form::Bare } else { Form::Quoted }
}

/// Returns how a line below the first is shown. It has no fields, from which it would have to differ.
pub(super) fn form_below(text: &str) -> Form {
    let is_safe = |c: char| c == '\t' || is_safe_in_prose(c);
    if text.chars().all(is_safe) && !text.starts_with('"') { Form::Bare } else { Form::Quoted }
}

/// Returns `true` for a character that is shown as it is. One that makes a symbol an emoji is no way to forge anything.
fn is_safe_in_prose(c: char) -> bool {
    c == '\u{fe0f}' || !is_unsafe_in_text(c)
}

/// Has what was written since `start` be in this form.
pub(super) fn give_form(line: &mut Line<Readable>, start: usize, form: Form) {
    if form == Form::Quoted {
        quote(line, start);
    }
}

#[cold]
fn quote(line: &mut Line<Readable>, start: usize) {
    let text = SmallVec::<[u8; 512]>::from_slice(line.bytes().get(start..).unwrap_or_default());
    line.truncate(start);
    line.push_string(std::str::from_utf8(&text).unwrap_or_default());
}

/// Returns what was written since `start`.
pub(super) fn written(line: &Line<Readable>, start: usize) -> &str {
    std::str::from_utf8(line.bytes().get(start..).unwrap_or_default()).unwrap_or_default()
}

/// Appends a value as it is formatted. Says so where formatting panics or fails.
#[inline]
pub(super) fn push_unquoted(line: &mut Line<Readable>, value: fmt::Arguments<'_>) {
    // Most messages are one literal.
    if let Some(text) = value.as_str() {
        line.push_literal(text);
        return;
    }
    let start = line.len();
    let mut text = Unquoted { line, is_full: false };
    match caught_with(|| text.write_fmt(value)) {
        Ok(Ok(())) => {}
        Ok(Err(_)) if text.is_full => {}
        Ok(Err(_)) => push_failure(line, start, None),
        Err(panic) => push_failure(line, start, Some(Panicked::with(&panic))),
    }
}

#[cold]
fn push_failure(line: &mut Line<Readable>, start: usize, panic: Option<Panicked>) {
    line.truncate(start);
    crate::output::values::push_why_it_failed(&mut Unquoted { line, is_full: false }, panic);
}

/// Text that is written piece by piece, as it is.
struct Unquoted<'a> {
    line: &'a mut Line<Readable>,
    is_full: bool,
}

impl Write for Unquoted<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // What does not fit need not be formatted.
        if self.is_full || !self.line.push_literal(text) {
            self.is_full = true;
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_quoted_where_it_could_be_taken_for_something_else() {
        for bare in ["acme", "7", "a=b", "Login { user: \"ada\" }", "\"a \\\" b=c\"", "[1, 2]", "zürich 🚲"] {
            assert_eq!(form_of_value(bare), Form::Bare, "{bare}");
        }
        for quoted in [
            "",
            " a",
            "a ",
            "a\nb",
            "a\x1b[31m",
            "a b=c",
            "\"a",
            "\"a\" b\"",
            "\"a\"b=c d\"",
            "a\u{2028}",
            "a\u{a0}b=c",
        ] {
            assert_eq!(form_of_value(quoted), Form::Quoted, "{quoted:?}");
        }
    }

    #[test]
    fn a_message_is_quoted_where_it_could_be_taken_for_fields() {
        for bare in ["placed", "a = b", "x == y", "it's \"quoted\"", "⚠\u{fe0f} careful", "", "C:\\dir", "a >= b"] {
            assert_eq!(form_of_message(bare), Form::Bare, "{bare}");
        }
        for quoted in ["a=b", "x tenant_id=\"victim\"", "\"a\" b", " a", "a\tb", "a\x1b[31m", "a\u{200b}", "é=1"] {
            assert_eq!(form_of_message(quoted), Form::Quoted, "{quoted:?}");
        }
    }

    #[test]
    fn the_keys_of_members_are_found() {
        let members = b" a=1 b\\u{20}\\u{3d}=\"x c=\\\" d=1\" e=Some(f g) h=\"i\"";
        for name in ["a", "b =", "e", "h"] {
            assert!(has_key(members, &Readable::key(name)), "{name}");
        }
        for name in ["c", "d", "f", "g", "i", "x"] {
            assert!(!has_key(members, &Readable::key(name)), "{name}");
        }
        assert_eq!(Readable::key_of(b" a=\"x=y\""), b" a=");
    }
}
