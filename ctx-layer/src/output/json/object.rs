//! Objects inside a line.

use std::{error::Error, fmt};

use super::{escape::Json, line::Line, string_writer::push_caught};
use crate::output::{
    notation::{Key, Notation},
    values::{MOST_SOURCES, Part, Place, Values},
};

/// An object inside a line that is begun with its first member, or no object where its members are at the top level.
pub(in crate::output) struct Object<'a> {
    key: Option<&'a [u8]>,
    /// The position of its first member.
    start: Option<usize>,
}

impl<'a> Object<'a> {
    #[inline]
    pub(super) fn new(key: Option<&'a [u8]>) -> Self {
        Object { key, start: None }
    }

    #[inline]
    pub(super) fn open(&mut self, line: &mut Line) {
        if let (Some(key), None) = (self.key, self.start) {
            line.push(key);
            self.start = Some(line.len());
        }
    }

    #[inline]
    pub(super) fn close(self, line: &mut Line) {
        let Some(start) = self.start else { return };
        if line.len() == start {
            line.truncate(start - self.key.map_or(0, <[u8]>::len));
        } else {
            line.open_at(start);
            line.push_byte(b'}');
        }
    }
}

impl Notation for Json {
    const ID: u8 = 0;

    /// `,"name":`. The comma of what comes first in an object is replaced by the bracket.
    fn key(name: &str) -> Key {
        let mut key = vec![b','];
        super::escape::push_string(&mut key, name);
        key.push(b':');
        key.into()
    }

    fn key_of(member: &[u8]) -> &[u8] {
        // A key is a string, in which a quote is behind a backslash.
        let mut at = 2;
        while let Some(byte) = member.get(at) {
            match byte {
                b'\\' => at += 2,
                b'"' => return &member[..(at + 2).min(member.len())],
                _ => at += 1,
            }
        }
        member
    }

    /// An integer that does not fit into 64 bits would lose digits in nearly every reader, and is a string.
    fn push_wide(bytes: &mut Vec<u8>, digits: &str, is_narrow: bool) {
        if is_narrow {
            bytes.extend_from_slice(digits.as_bytes());
        } else {
            bytes.push(b'"');
            bytes.extend_from_slice(digits.as_bytes());
            bytes.push(b'"');
        }
    }

    /// JSON has no numbers for some floats, which are strings.
    fn push_f64(bytes: &mut Vec<u8>, value: f64) {
        let text: &[u8] = match value {
            value if value.is_finite() => {
                return bytes.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
            }
            value if value.is_nan() => b"\"NaN\"",
            value if value > 0.0 => b"\"Infinity\"",
            _ => b"\"-Infinity\"",
        };
        bytes.extend_from_slice(text);
    }
}

impl Place for Object<'_> {
    type Notation = Json;

    fn of_span() -> Self {
        Object::new(None)
    }

    #[inline]
    fn open(&mut self, line: &mut Line) {
        Object::open(self, line);
    }

    #[inline]
    fn push_str(&mut self, line: &mut Line, _: bool, text: &str) {
        line.push_string(text);
    }

    #[inline]
    fn push_formatted(&mut self, line: &mut Line, _: bool, value: fmt::Arguments<'_>) {
        push_string(line, value);
    }

    fn push_error(values: &mut Values<'_, Self>, index: usize, error: &(dyn Error + 'static)) {
        values.member(index, |_, line, _| push_string(line, format_args!("{error}")));
        if let Some(source) = error.source() {
            push_member_of_sources(values, index, source);
        }
    }
}

#[inline]
fn push_string(line: &mut Line, value: fmt::Arguments<'_>) {
    line.push_byte(b'"');
    push_caught(line, value);
    line.push_byte(b'"');
}

#[cold]
fn push_member_of_sources(values: &mut Values<'_, Object<'_>>, index: usize, source: &(dyn Error + 'static)) {
    if values.part == Part::Message || values.filled.contains(index) {
        return;
    }
    let call_site = values.call_site;
    let Some(key) = call_site.fields.get(index).and_then(|own| own.sources.as_ref()) else { return };
    if values.seen.is_some_and(|seen| seen.is_superseded(call_site, index)) {
        return;
    }
    let start = values.line.len();
    values.line.push(key);
    push_sources(values.line, source);
    values.line.end_member(start);
}

fn push_sources(line: &mut Line, first: &(dyn Error + 'static)) {
    let mut next = Some(first);
    let mut separator = b'[';
    for _ in 0..MOST_SOURCES {
        let Some(source) = next else { break };
        line.push_byte(separator);
        separator = b',';
        push_string(line, format_args!("{source}"));
        next = source.source();
    }
    line.push_byte(b']');
}
