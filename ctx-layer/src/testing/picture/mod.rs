//! The picture of a test: everything that was captured, as text.

mod marks;
mod tree;

use std::{
    env,
    fmt::Write,
    io::{self, IsTerminal},
};

use super::captured::{CapturedEvent, CapturedSpan, CapturedTrace, Contents};
pub(super) use marks::Marks;
pub(super) use tree::{Line, Text, lines, name_and_kind, status};

const RED: &str = "\x1b[31m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const RESET: &str = "\x1b[0m";

/// Returns `true` if a failing test prints to a terminal, and `NO_COLOR` is not set: see <https://no-color.org>.
pub(super) fn is_terminal() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && io::stderr().is_terminal()
}

/// Lines with everything that is known.
struct Full;

impl Text for Full {
    fn span(&self, span: &CapturedSpan, trace: &CapturedTrace) -> String {
        let mut text = name_and_kind(span);
        match span.duration() {
            Some(duration) => text += &format!(" {duration:.1?}"),
            None => text += " still open",
        }
        push_fields(&mut text, span.fields());
        text += &status(span);
        for link in span.links() {
            let known = trace.spans().iter().find(|other| other.span_id() == link.span_id());
            match known {
                Some(known) => text += &format!(" -> {:?}", known.name()),
                None => text += &format!(" -> span {} of trace {}", link.span_id(), link.trace_id()),
            }
        }
        if let Some(parent) = span.parent_span_id()
            && !trace.spans().iter().any(|other| other.span_id() == parent)
        {
            let kind = if span.has_remote_parent() { "remote parent" } else { "parent" };
            text += &format!(" [{kind} {parent}, not in this test]");
        }
        text
    }

    fn event(&self, event: &CapturedEvent) -> String {
        text_of_event(event)
    }

    fn is_sorted(&self) -> bool {
        false
    }
}

fn text_of_event(event: &CapturedEvent) -> String {
    let mut text = format!("{} {}", event.level(), event.message());
    push_fields(&mut text, event.fields());
    text
}

pub(super) fn push_fields<'a>(text: &mut String, fields: impl Iterator<Item = (&'a str, &'a super::captured::Value)>) {
    for (name, value) in fields {
        // Writing to a string does not fail.
        let _ = write!(text, " {name}={value}");
    }
}

/// Returns everything that was captured, with marks at what is wrong.
pub(super) fn picture(contents: &Contents, marks: &Marks, is_coloured: bool) -> String {
    let mut text = String::new();
    for (number, trace) in contents.traces.iter().enumerate() {
        let _ = writeln!(text, "  trace {} ({})", number + 1, trace.trace_id());
        lines(trace, &Full, marks).iter().for_each(|line| push_line(&mut text, line, is_coloured));
    }
    for missing in marks.missing_under(None) {
        let mark = Some("is expected here, and missing".to_owned());
        let (branches, text_of) = ("└─ ".to_owned(), missing.to_owned());
        push_line(&mut text, &Line { branches, text: text_of, is_event: false, mark, is_missing: true }, is_coloured);
    }
    let outside: Vec<_> = contents.outside().collect();
    if !outside.is_empty() {
        text += "  outside of all spans\n";
        for event in outside {
            let (branches, text_of, mark) = ("· ".to_owned(), text_of_event(event), marks.of_event(event));
            push_line(
                &mut text,
                &Line { branches, text: text_of, is_event: true, mark, is_missing: false },
                is_coloured,
            );
        }
    }
    if !contents.messages.is_empty() {
        text += "  messages\n";
        for message in &contents.messages {
            let (branches, text_of, mark) = ("· ".to_owned(), message.to_string(), marks.of_message(message));
            push_line(
                &mut text,
                &Line { branches, text: text_of, is_event: true, mark, is_missing: false },
                is_coloured,
            );
        }
    }
    if text.is_empty() {
        text += "  nothing was captured: no span, no event, no message\n";
    }
    text
}

fn push_line(text: &mut String, line: &Line, is_coloured: bool) {
    let colour = |colour: &'static str| if is_coloured { colour } else { "" };
    let (mut begin, mut end) = ("", "");
    if line.mark.is_some() {
        (begin, end) = (colour(RED), colour(RESET));
    } else if line.is_event {
        (begin, end) = (colour(DIM), colour(RESET));
    }
    let sign = match (&line.mark, line.is_missing) {
        (Some(_), true) => "- ",
        (Some(_), false) => "> ",
        (None, _) => "  ",
    };
    let _ = write!(text, "{begin}{sign}{}{}", line.branches, one_line(&line.text));
    if let Some(mark) = &line.mark {
        let _ = write!(text, "   <-- {}{mark}", colour(BOLD));
    }
    text.push_str(end);
    text.push('\n');
}

/// Returns text that does not end the line.
fn one_line(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}
