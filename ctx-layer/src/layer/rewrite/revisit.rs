//! Values that are formatted only when they are printed.

use std::fmt;

use tracing_core::{Field, field::Visit};

use super::source::Source;

/// Formats a value by visiting its source again, so that the value's own `Debug` runs with the formatter's flags.
pub(super) struct Revisit<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) index: usize,
}

impl fmt::Debug for Revisit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut visitor = FormatOne { index: self.index, f, result: Ok(()) };
        self.source.record(&mut visitor);
        visitor.result
    }
}

struct FormatOne<'a, 'f> {
    index: usize,
    f: &'a mut fmt::Formatter<'f>,
    result: fmt::Result,
}

impl Visit for FormatOne<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.index() == self.index {
            self.result = value.fmt(self.f);
        }
    }

    // Other kinds of value are not formatted here. By default each would be wrapped for `record_debug`, only to be ignored.
    fn record_f64(&mut self, _: &Field, _: f64) {}
    fn record_i64(&mut self, _: &Field, _: i64) {}
    fn record_u64(&mut self, _: &Field, _: u64) {}
    fn record_i128(&mut self, _: &Field, _: i128) {}
    fn record_u128(&mut self, _: &Field, _: u128) {}
    fn record_bool(&mut self, _: &Field, _: bool) {}
    fn record_str(&mut self, _: &Field, _: &str) {}
    fn record_bytes(&mut self, _: &Field, _: &[u8]) {}
}
