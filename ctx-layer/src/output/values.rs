//! The fields of an event or a span, as a line has them.

use std::{error::Error, fmt};

use smallvec::SmallVec;
use tracing_core::{Field, field::Visit};

use super::{
    call_site::{CallSite, OwnField},
    line::Line,
    notation::Notation,
};
use crate::{layer::Filled, panic::Panicked};

/// How far the causes of an error are followed.
pub(super) const MOST_SOURCES: usize = 16;

/// Which of the fields have a value, where two may have one key.
#[derive(Default)]
pub(super) struct Seen {
    indices: SmallVec<[usize; 16]>,
    /// The fields that are errors with causes.
    with_sources: SmallVec<[usize; 2]>,
}

impl Seen {
    pub(super) fn note(&mut self, index: usize) {
        self.indices.push(index);
    }

    /// Returns `true` if a later field of the same key has a value: the last one counts.
    pub(super) fn is_superseded(&self, call_site: &CallSite, index: usize) -> bool {
        let key = call_site.fields.get(index).and_then(|field| field.key.as_ref());
        self.indices.iter().any(|other| *other > index && call_site.fields[*other].key.as_ref() == key)
    }

    /// Returns `true` if an own field has this key, or its causes have.
    pub(super) fn has_key(&self, call_site: &CallSite, key: &[u8]) -> bool {
        let is_key = |own: &Option<Box<[u8]>>| own.as_deref() == Some(key);
        self.indices.iter().any(|index| is_key(&call_site.fields[*index].key))
            || self
                .with_sources
                .iter()
                .any(|index| is_key(&call_site.fields[*index].sources) && !self.is_superseded(call_site, *index))
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

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        self.record_debug(field, &"");
        if error.source().is_some()
            && field.index() < self.call_site.fields.len()
            && !self.filled.contains(field.index())
        {
            self.seen.with_sources.push(field.index());
        }
    }
}

/// The parts of an event that are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All, in one go: the message comes first.
    All,
    Message,
    Others,
}

/// The place of values that are an event's or a span's own.
pub(super) trait Place: Sized {
    type Notation: Notation;

    /// The place of a value that is kept of a span.
    fn of_span() -> Self;

    /// Is called before each field that is not the message.
    fn open(&mut self, line: &mut Line<Self::Notation>);

    /// Appends a string.
    fn push_str(&mut self, line: &mut Line<Self::Notation>, is_message: bool, text: &str);

    /// Appends the formatted value. The service goes on where that panics or fails, and the value says so.
    fn push_formatted(&mut self, line: &mut Line<Self::Notation>, is_message: bool, value: fmt::Arguments<'_>);

    /// Writes the field that is an error, with its sources.
    fn push_error(values: &mut Values<'_, Self>, index: usize, error: &(dyn Error + 'static));
}

/// Writes the values that are an event's own. Those that a layer of this crate has added are none of these.
pub(super) struct Values<'a, P: Place> {
    pub(super) line: &'a mut Line<P::Notation>,
    pub(super) call_site: &'a CallSite,
    pub(super) filled: Filled,
    pub(super) part: Part,
    /// Known where it has to be.
    pub(super) seen: Option<&'a Seen>,
    /// The place of fields that are not the message.
    pub(super) place: &'a mut P,
}

impl<'a, P: Place> Values<'a, P> {
    /// Returns a field that is to be written, its key, and whether it is the message.
    #[inline]
    pub(super) fn admitted(&self, index: usize) -> Option<(&'a OwnField, &'a [u8], bool)> {
        let own = self.call_site.fields.get(index)?;
        let key = own.key.as_deref()?;
        if self.filled.contains(index) {
            return None;
        }
        let is_message = self.call_site.message == Some(index);
        match self.part {
            Part::Message if !is_message => return None,
            Part::Others if is_message => return None,
            _ => {}
        }
        if let Some(seen) = &self.seen
            && !is_message
            && seen.is_superseded(self.call_site, index)
        {
            return None;
        }
        Some((own, key, is_message))
    }

    /// Writes a field by `write`, if it is to be written.
    #[inline]
    pub(super) fn member(&mut self, index: usize, write: impl FnOnce(&mut P, &mut Line<P::Notation>, bool)) {
        let Some((own, key, is_message)) = self.admitted(index) else { return };
        if !is_message {
            self.place.open(self.line);
        }
        let start = self.line.len();
        self.line.push_padded(key, &own.padded);
        write(self.place, self.line, is_message);
        self.line.end_member(start);
    }

    #[inline]
    fn digits(&mut self, field: &Field, value: impl itoa::Integer) {
        self.member(field.index(), |_, line, _| line.push(itoa::Buffer::new().format(value).as_bytes()));
    }
}

impl<P: Place> Visit for Values<'_, P> {
    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.digits(field, value);
    }

    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.digits(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.member(field.index(), |_, line, _| {
            P::Notation::push_wide(line.raw(), itoa::Buffer::new().format(value), i64::try_from(value).is_ok());
        });
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.member(field.index(), |_, line, _| {
            P::Notation::push_wide(line.raw(), itoa::Buffer::new().format(value), u64::try_from(value).is_ok());
        });
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field.index(), |_, line, _| P::Notation::push_f64(line.raw(), value));
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field.index(), |_, line, _| line.push(bool_text(value)));
    }

    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field.index(), |place, line, is_message| place.push_str(line, is_message, value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.member(field.index(), |place, line, is_message| {
            place.push_formatted(line, is_message, format_args!("{}", Hex(value)));
        });
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        P::push_error(self, field.index(), value);
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.member(field.index(), |place, line, is_message| {
            place.push_formatted(line, is_message, format_args!("{value:?}"));
        });
    }
}

pub(super) fn bool_text(value: bool) -> &'static [u8] {
    if value { b"true" } else { b"false" }
}

/// Bytes, shown as hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.chunks(64) {
            let mut digits = [0; 128];
            for (pair, byte) in digits.chunks_exact_mut(2).zip(chunk) {
                pair.copy_from_slice(&hex(*byte));
            }
            f.write_str(std::str::from_utf8(&digits[..2 * chunk.len()]).unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Appends bytes as hexadecimal digits.
pub(super) fn push_hex(bytes: &mut Vec<u8>, of: &[u8]) {
    for byte in of {
        bytes.extend_from_slice(&hex(*byte));
    }
}

fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]]
}

/// Writes what is shown in place of a value whose formatting panicked or failed.
pub(super) fn push_why_it_failed(text: &mut impl fmt::Write, panic: Option<Panicked>) {
    // Fails where it does not fit.
    let _ = match panic {
        Some(panicked) => write!(text, "[formatting failed: {panicked}]"),
        None => write!(text, "[formatting failed]"),
    };
}
