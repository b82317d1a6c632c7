//! The lines below the first: more lines of a message, and errors with their causes.

use std::{error::Error, fmt};

use smallvec::SmallVec;

use super::{
    colours::{self, Colours},
    readable::{Readable, form_below, form_of_message, form_of_value, give_form, push_unquoted, written},
};
use crate::output::{
    line::Line,
    values::{MOST_SOURCES, Place, Values},
};

/// The beginning of each line below: no first line begins with a blank.
const INDENT: &str = "\n    ";

/// The lines below the first. Each begins with a line end.
pub(super) struct Below {
    lines: Option<Line<Readable>>,
    colours: &'static Colours,
    /// How long they may become together; `None` if there are none, as for a value that is kept of a span.
    end: Option<usize>,
    is_tight: bool,
}

impl Below {
    #[inline]
    pub(super) fn new(colours: &'static Colours, end: usize) -> Self {
        Below { lines: None, colours, end: Some(end), is_tight: false }
    }

    /// Creates lines that are cut where they do not fit.
    pub(super) fn tight(colours: &'static Colours, end: usize) -> Self {
        Below { is_tight: true, ..Below::new(colours, end) }
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.lines.as_ref().map_or(&[], Line::bytes)
    }

    #[inline]
    pub(super) fn is_cut(&self) -> bool {
        self.lines.as_ref().is_some_and(Line::is_cut)
    }

    fn lines(&mut self) -> &mut Line<Readable> {
        let (end, is_tight) = (self.end.unwrap_or_default(), self.is_tight);
        self.lines.get_or_insert_with(|| if is_tight { Line::tight(end) } else { Line::new(end) })
    }

    /// Appends the lines of a text after its first.
    fn push_all(&mut self, more: &str) {
        if !more.is_empty() {
            let more = more.strip_suffix('\n').unwrap_or(more);
            // Once there is no room, there is none for what follows.
            let _ = more.split('\n').try_for_each(|text| self.push_more(text).then_some(()));
        }
    }

    /// Appends a line of a text that has several. Returns `false` where it did not fit.
    fn push_more(&mut self, text: &str) -> bool {
        let colours = self.colours;
        let lines = self.lines();
        let start = lines.len();
        for part in [INDENT, colours.dim, "|", colours.reset, " "] {
            lines.push(part.as_bytes());
        }
        let text_start = lines.len();
        lines.push_literal(text);
        let form = form_below(written(lines, text_start));
        give_form(lines, text_start, form);
        lines.end_member(start);
        has_room(lines, start)
    }

    /// Appends an error, or a cause of one.
    fn push_labelled(&mut self, label: &str, value: fmt::Arguments<'_>) {
        let colours = self.colours;
        let lines = self.lines();
        let start = lines.len();
        for part in [INDENT, colours.error, label, ":", colours.reset, " "] {
            lines.push(part.as_bytes());
        }
        let text_start = lines.len();
        push_unquoted(lines, value);
        let text = written(lines, text_start);
        if text.contains('\n') {
            let text = SmallVec::<[u8; 512]>::from_slice(text.as_bytes());
            let text = std::str::from_utf8(&text).unwrap_or_default();
            let (first, more) = text.split_once('\n').unwrap_or((text, ""));
            lines.truncate(text_start + first.len());
            give_form(lines, text_start, form_below(first));
            lines.end_member(start);
            if has_room(lines, start) {
                self.push_all(more);
            }
        } else {
            let form = form_below(text);
            give_form(lines, text_start, form);
            lines.end_member(start);
        }
    }

    fn push_sources(&mut self, error: &(dyn Error + 'static)) {
        let mut next = error.source();
        for _ in 0..MOST_SOURCES {
            let Some(source) = next else { break };
            self.push_labelled("caused by", format_args!("{source}"));
            next = source.source();
        }
    }

    /// Has the message that was written since `start` be in its form, and its further lines be below.
    #[inline]
    fn form_message(&mut self, line: &mut Line<Readable>, start: usize) {
        let text = written(line, start);
        match form_of_message(text) {
            form if !text.contains('\n') => give_form(line, start, form),
            _ => self.split_message(line, start),
        }
    }

    #[cold]
    fn split_message(&mut self, line: &mut Line<Readable>, start: usize) {
        let text = written(line, start);
        let (first, more) = text.split_once('\n').unwrap_or((text, ""));
        let (len, form) = (first.len(), form_of_message(first));
        self.push_all(more);
        line.truncate(start + len);
        give_form(line, start, form);
    }
}

/// Returns `true` if more may fit behind what was written since `start`.
fn has_room(lines: &Line<Readable>, start: usize) -> bool {
    let was_taken_back = lines.len() == start;
    // Lines that are not tight are given up once anything was cut.
    !was_taken_back && (lines.is_tight() || !lines.is_cut())
}

impl Place for Below {
    type Notation = Readable;

    fn of_span() -> Self {
        Below { lines: None, colours: &colours::NONE, end: None, is_tight: true }
    }

    #[inline]
    fn open(&mut self, _: &mut Line<Readable>) {}

    #[inline]
    fn push_str(&mut self, line: &mut Line<Readable>, is_message: bool, text: &str) {
        if is_message {
            let start = line.len();
            line.push_literal(text);
            self.form_message(line, start);
        } else {
            line.push_string(text);
        }
    }

    #[inline]
    fn push_formatted(&mut self, line: &mut Line<Readable>, is_message: bool, value: fmt::Arguments<'_>) {
        let start = line.len();
        push_unquoted(line, value);
        if is_message {
            self.form_message(line, start);
        } else {
            let form = form_of_value(written(line, start));
            give_form(line, start, form);
        }
    }

    fn push_error(values: &mut Values<'_, Self>, index: usize, error: &(dyn Error + 'static)) {
        let Some((_, key, is_message)) = values.admitted(index) else { return };
        if is_message || values.place.end.is_none() {
            values.member(index, |place, line, is_message| {
                place.push_formatted(line, is_message, format_args!("{error}"));
            });
        } else {
            // Without the blank and the `=`.
            let label = key.get(1..key.len().saturating_sub(1)).unwrap_or_default();
            let label = std::str::from_utf8(label).unwrap_or_default();
            values.place.push_labelled(label, format_args!("{error}"));
        }
        if values.place.end.is_some() {
            values.place.push_sources(error);
        }
    }
}
