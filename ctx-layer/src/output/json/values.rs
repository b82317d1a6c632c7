//! The fields of an event or a span, as JSON.

use std::{
    error::Error,
    fmt::{self, Write},
};

use smallvec::SmallVec;
use tracing_core::{Field, field::Visit};

use super::{
    call_site::CallSite,
    line::{Line, Object, Text},
};
use crate::{
    layer::Filled,
    panic::{Panicked, caught_with},
};

/// How far the causes of an error are followed.
const MOST_SOURCES: usize = 16;

/// Which of the fields have a value, where two may have one key.
#[derive(Default)]
pub(super) struct Seen {
    indices: SmallVec<[usize; 16]>,
    /// The fields that are errors with causes that were written.
    with_sources: SmallVec<[usize; 2]>,
}

impl Seen {
    pub(super) fn note(&mut self, index: usize) {
        self.indices.push(index);
    }

    /// Returns `true` if a later field of the same key has a value: the last one counts.
    fn is_superseded(&self, call_site: &CallSite, index: usize) -> bool {
        let key = call_site.fields.get(index).and_then(|field| field.key.as_ref());
        self.indices.iter().any(|other| *other > index && call_site.fields[*other].key.as_ref() == key)
    }

    /// Returns `true` if an own field has written this key.
    pub(super) fn has_key(&self, call_site: &CallSite, key: &[u8]) -> bool {
        let is_key = |own: &Option<Box<[u8]>>| own.as_deref() == Some(key);
        self.indices.iter().any(|index| is_key(&call_site.fields[*index].key))
            || self.with_sources.iter().any(|index| is_key(&call_site.fields[*index].sources))
    }
}

/// Finds the fields that have a value.
pub(super) struct Look<'a> {
    pub(super) seen: &'a mut Seen,
    pub(super) call_site: &'a CallSite,
    pub(super) filled: Filled,
}

impl Visit for Look<'_> {
    fn record_debug(&mut self, field: &Field, _: &dyn fmt::Debug) {
        let (index, own) = (field.index(), self.call_site.fields.len());
        // The message may be in another object, and nothing beside it has its key.
        if index < own && !self.filled.contains(index) && self.call_site.message != Some(index) {
            self.seen.note(index);
        }
    }
}

/// What of an event is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All, in one go: the message comes first.
    All,
    Message,
    Others,
}

/// Writes the values that are an event's own. Those that a layer of this crate has added are none of these.
pub(super) struct Values<'a, 'o> {
    pub(super) line: &'a mut Line,
    pub(super) call_site: &'a CallSite,
    pub(super) filled: Filled,
    pub(super) part: Part,
    /// Known where it has to be.
    pub(super) seen: Option<&'a mut Seen>,
    /// Where fields go that are not the message.
    pub(super) fields: &'a mut Object<'o>,
}

impl Values<'_, '_> {
    /// Writes a field by `write`, if it is to be written.
    #[inline]
    fn member(&mut self, field: &Field, write: impl FnOnce(&mut Line)) {
        let index = field.index();
        let Some(own) = self.call_site.fields.get(index) else { return };
        let Some(key) = &own.key else { return };
        if self.filled.contains(index) {
            return;
        }
        let is_message = self.call_site.message == Some(index);
        match self.part {
            Part::Message if !is_message => return,
            Part::Others if is_message => return,
            _ => {}
        }
        if let Some(seen) = &self.seen
            && !is_message
            && seen.is_superseded(self.call_site, index)
        {
            return;
        }
        if !is_message {
            self.fields.open(self.line);
        }
        let start = self.line.len();
        self.line.push_padded(key, &own.padded);
        write(self.line);
        self.line.end_member(start);
    }

    #[cold]
    fn sources(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let index = field.index();
        let Some(source) = error.source() else { return };
        if self.part == Part::Message || self.filled.contains(index) {
            return;
        }
        let Some(key) = self.call_site.fields.get(index).and_then(|own| own.sources.as_ref()) else { return };
        if let Some(seen) = &mut self.seen {
            if seen.is_superseded(self.call_site, index) || seen.has_key(self.call_site, key) {
                return;
            }
            seen.with_sources.push(index);
        }
        let start = self.line.len();
        self.line.push(key);
        push_sources(self.line, source);
        self.line.end_member(start);
    }
}

impl Visit for Values<'_, '_> {
    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |line| line.push(itoa::Buffer::new().format(value).as_bytes()));
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |line| line.push(itoa::Buffer::new().format(value).as_bytes()));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.member(field, |line| {
            push_wide(line.raw(), itoa::Buffer::new().format(value), i64::try_from(value).is_ok());
        });
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.member(field, |line| {
            push_wide(line.raw(), itoa::Buffer::new().format(value), u64::try_from(value).is_ok());
        });
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field, |line| push_f64(line.raw(), value));
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |line| line.push(bool_text(value)));
    }

    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, |line| line.push_string(value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.member(field, |line| push_formatted(line, |text| push_hex(text, value)));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.member(field, |line| push_formatted(line, |text| write!(text, "{value}")));
        self.sources(field, value);
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.member(field, |line| push_formatted(line, |text| write!(text, "{value:?}")));
    }
}

pub(super) fn bool_text(value: bool) -> &'static [u8] {
    if value { b"true" } else { b"false" }
}

/// Appends a float. JSON has no numbers for some, which are strings.
pub(super) fn push_f64(bytes: &mut Vec<u8>, value: f64) {
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

/// Appends an integer. One that does not fit into 64 bits would lose digits in nearly every reader, and is a string.
fn push_wide(bytes: &mut Vec<u8>, digits: &str, is_narrow: bool) {
    if is_narrow {
        bytes.extend_from_slice(digits.as_bytes());
    } else {
        bytes.push(b'"');
        bytes.extend_from_slice(digits.as_bytes());
        bytes.push(b'"');
    }
}

fn push_hex(text: &mut Text<'_>, bytes: &[u8]) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for chunk in bytes.chunks(64) {
        let mut digits = [0; 128];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(chunk) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]]);
        }
        text.write_str(std::str::from_utf8(&digits[..2 * chunk.len()]).unwrap_or_default())?;
    }
    Ok(())
}

/// Appends a string that `write` formats. The service goes on where that panics or fails, and the value says so.
#[inline]
fn push_formatted(line: &mut Line, write: impl FnOnce(&mut Text<'_>) -> fmt::Result) {
    line.push_byte(b'"');
    let start = line.len();
    let mut text = Text::within(line);
    match caught_with(|| write(&mut text)) {
        Ok(Ok(())) => {}
        Ok(Err(_)) if text.is_full() => {}
        Ok(Err(_)) => push_failure(line, start, None),
        Err(panic) => push_failure(line, start, Some(Panicked::with(&panic))),
    }
    line.push_byte(b'"');
}

#[cold]
fn push_failure(line: &mut Line, start: usize, panic: Option<Panicked>) {
    line.truncate(start);
    // Fails where it does not fit.
    let _ = match panic {
        Some(panicked) => write!(Text::within(line), "[formatting failed: {panicked}]"),
        None => write!(Text::within(line), "[formatting failed]"),
    };
}

fn push_sources(line: &mut Line, first: &(dyn Error + 'static)) {
    let mut next = Some(first);
    let mut separator = b'[';
    for _ in 0..MOST_SOURCES {
        let Some(source) = next else { break };
        line.push_byte(separator);
        separator = b',';
        push_formatted(line, |text| write!(text, "{source}"));
        next = source.source();
    }
    line.push_byte(b']');
}
