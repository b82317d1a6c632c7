//! A document of JSON: a line, or several if it is written over lines.

use super::{Deviation, Place, Problem, Sink, json::Fault};

/// A document that is being read, and where its findings go.
pub(super) struct Document<'a, 's, S> {
    pub(super) sink: &'s mut S,
    /// The first line of the document.
    pub(super) place: Place,
    text: &'a str,
}

impl<'a, 's, S: Sink> Document<'a, 's, S> {
    pub(super) fn new(sink: &'s mut S, place: Place, text: &'a str) -> Self {
        Document { sink, place, text }
    }

    /// Reports what could not be read.
    #[cold]
    pub(super) fn problem(&mut self, fault: Fault) {
        let before = &self.text.as_bytes()[..fault.at.min(self.text.len())];
        let lines = memchr::memchr_iter(b'\n', before).count();
        let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1) + 1;
        let place = Place { file: self.place.file, line: self.place.line + lines as u32 };
        self.sink.problem(Problem { place, column, what: fault.what.into_owned() });
    }

    pub(super) fn deviation(&mut self, deviation: Deviation) {
        self.sink.deviation(deviation, self.place);
    }
}
