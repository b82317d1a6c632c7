//! Strings that are formatted.

use std::fmt;

use super::line::Line;
use crate::{
    output::values::push_why_it_failed,
    panic::{Panicked, caught_with},
};

/// Appends a string, escaped and without quotes, that is formatted. Says so where formatting panics or fails.
#[inline]
pub(super) fn push_caught(line: &mut Line, value: fmt::Arguments<'_>) {
    let start = line.len();
    let mut text = StringWriter::within(line);
    match caught_with(|| fmt::Write::write_fmt(&mut text, value)) {
        Ok(Ok(())) => {}
        Ok(Err(_)) if text.is_full() => {}
        Ok(Err(_)) => push_failure(line, start, None),
        Err(panic) => push_failure(line, start, Some(Panicked::with(&panic))),
    }
}

#[cold]
fn push_failure(line: &mut Line, start: usize, panic: Option<Panicked>) {
    line.truncate(start);
    push_why_it_failed(&mut StringWriter::within(line), panic);
}

/// Text that is written piece by piece into a string of a line.
struct StringWriter<'a> {
    line: &'a mut Line,
    is_full: bool,
}

impl<'a> StringWriter<'a> {
    #[inline]
    fn within(line: &'a mut Line) -> Self {
        StringWriter { line, is_full: false }
    }

    fn is_full(&self) -> bool {
        self.is_full
    }
}

impl fmt::Write for StringWriter<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // What does not fit need not be formatted.
        if self.is_full || !self.line.push_text(text) {
            self.is_full = true;
            return Err(fmt::Error);
        }
        Ok(())
    }
}
