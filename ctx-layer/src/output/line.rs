//! A line while it is written, in memory that is used again.

use std::marker::PhantomData;

use super::escape::{self, Escaping};
use crate::buffers;

/// A copy of so many bytes takes no call.
pub(super) const PADDED: usize = 32;

/// The mark that a cut text ends in.
const CUT_MARK: &str = "…";

/// The bytes that a cut string needs after its characters: the mark and a quote.
const CUT_END: usize = CUT_MARK.len() + 1;

/// A line while it is written.
///
/// It is written as if all fitted, and given up where that is not so. Then it is *tight*: it is written again, and each value
/// gets what is left.
pub(super) struct Line<E> {
    bytes: Vec<u8>,
    /// How long it may become.
    end: usize,
    is_tight: bool,
    is_cut: bool,
    escaping: PhantomData<E>,
}

impl<E: Escaping> Line<E> {
    /// An empty line of at most `end` bytes.
    #[inline]
    pub(super) fn new(end: usize) -> Self {
        Line { bytes: buffers::take(), end, is_tight: false, is_cut: false, escaping: PhantomData }
    }

    /// Marks a part of a line that did not fit.
    pub(super) fn tight(end: usize) -> Self {
        let mut line = Line::new(end);
        line.is_tight = true;
        line
    }

    /// Has what is written from now on take `end` bytes at most.
    pub(super) fn set_end(&mut self, end: usize) {
        self.end = end;
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns `true` if something did not fit.
    #[inline]
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut || self.bytes.len() > self.end
    }

    #[inline]
    pub(super) fn is_tight(&self) -> bool {
        self.is_tight
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends a key, which is also at the beginning of `padded` where it fits in there.
    #[inline]
    pub(super) fn push_padded(&mut self, key: &[u8], padded: &[u8; PADDED]) {
        if key.len() > PADDED {
            return self.push(key);
        }
        let end = self.bytes.len() + key.len();
        self.bytes.extend_from_slice(padded);
        self.bytes.truncate(end);
    }

    #[inline]
    pub(super) fn push_byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    #[inline]
    pub(super) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// The bytes themselves, for what is known to be short.
    #[inline]
    pub(super) fn raw(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Has the byte at `at`, a comma, be the bracket of an object.
    #[inline]
    pub(super) fn open_at(&mut self, at: usize) {
        if let Some(comma) = self.bytes.get_mut(at) {
            *comma = b'{';
        }
    }

    /// Appends what is whole or not there.
    pub(super) fn push_whole(&mut self, bytes: &[u8]) {
        if self.is_tight && self.bytes.len() + bytes.len() > self.end {
            self.is_cut = true;
        } else {
            self.push(bytes);
        }
    }

    /// Takes back what was written since `start` where that is too much.
    #[inline]
    pub(super) fn end_member(&mut self, start: usize) {
        if self.is_tight && self.bytes.len() > self.end {
            self.bytes.truncate(start);
            self.is_cut = true;
        }
    }

    /// Appends a string.
    #[inline]
    pub(super) fn push_string(&mut self, text: &str) {
        self.bytes.push(b'"');
        self.push_text(text);
        self.bytes.push(b'"');
    }

    /// Appends text that is part of a string. Returns `false` where it was cut.
    #[inline]
    pub(super) fn push_text(&mut self, text: &str) -> bool {
        if self.is_tight {
            return self.push_cut(text);
        }
        if self.bytes.len() + text.len() > self.end {
            self.is_cut = true;
            return false;
        }
        escape::push::<E>(&mut self.bytes, text);
        true
    }

    /// Appends text as it is. Returns `false` where it was cut.
    #[cfg(feature = "text")]
    #[inline]
    pub(super) fn push_literal(&mut self, text: &str) -> bool {
        if self.is_tight {
            return self.push_cut_literal(text);
        }
        if self.bytes.len() + text.len() > self.end {
            self.is_cut = true;
            return false;
        }
        self.push(text.as_bytes());
        true
    }

    #[cfg(feature = "text")]
    #[cold]
    fn push_cut_literal(&mut self, text: &str) -> bool {
        let room = self.end.saturating_sub(self.bytes.len() + CUT_END);
        if text.len() <= room {
            self.push(text.as_bytes());
            return true;
        }
        let fits = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        self.push(&text.as_bytes()[..fits]);
        self.push(CUT_MARK.as_bytes());
        self.is_cut = true;
        false
    }

    #[cold]
    fn push_cut(&mut self, text: &str) -> bool {
        let room = self.end.saturating_sub(self.bytes.len() + CUT_END);
        let is_whole = escape::push_as_fits::<E>(&mut self.bytes, text, room) == text.len();
        if !is_whole {
            self.push(CUT_MARK.as_bytes());
            self.is_cut = true;
        }
        is_whole
    }
}

impl<E> Drop for Line<E> {
    #[inline]
    fn drop(&mut self) {
        buffers::give_back(std::mem::take(&mut self.bytes));
    }
}
