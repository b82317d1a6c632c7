//! Strings that are recorded on spans.

#[cfg(any(feature = "http-server", feature = "http-client"))]
use std::{fmt, mem};

#[cfg(any(feature = "http-server", feature = "http-client"))]
use crate::buffers;

/// The maximum length of a received string on a span, in bytes.
pub(crate) const MAX_LEN: usize = 1024;

/// Returns the beginning of a string, at most [`MAX_LEN`] bytes.
pub(crate) fn cut(text: &str) -> &str {
    if text.len() <= MAX_LEN {
        return text;
    }
    let end = (0..=MAX_LEN).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

#[cfg(any(feature = "http-server", feature = "http-client"))]
/// A string that is composed or kept. It reuses memory of the thread.
#[derive(Debug)]
pub(crate) struct SpanString(String);

#[cfg(any(feature = "http-server", feature = "http-client"))]
impl SpanString {
    pub(crate) fn new() -> Self {
        SpanString(buffers::take_text())
    }

    pub(crate) fn of(value: impl fmt::Display) -> Self {
        let mut composed = SpanString::new();
        // Writing to a string cannot fail.
        let _ = fmt::Write::write_fmt(&mut composed, format_args!("{value}"));
        composed
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(any(feature = "http-server", feature = "http-client"))]
impl Drop for SpanString {
    fn drop(&mut self) {
        buffers::give_back(mem::take(&mut self.0).into_bytes());
    }
}

#[cfg(any(feature = "http-server", feature = "http-client"))]
impl fmt::Write for SpanString {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"a".repeat(2000)).len(), 1024);
        assert_eq!(cut(&"€".repeat(2000)).len(), 1023);
    }
}
