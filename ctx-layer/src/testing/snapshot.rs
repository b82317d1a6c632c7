//! Traces as text that is the same in each run.

use std::{cell::RefCell, collections::HashMap};

use super::{
    captured::{CapturedEvent, CapturedSpan, CapturedTrace, Contents, Value},
    picture::{Marks, Text, lines, name_and_kind, status},
};

/// Attributes whose values are durations, ports or places in the source.
const VOLATILE: &[&str] = &[
    "busy_ns",
    "client.port",
    "code.line.number",
    "duration",
    "duration_ms",
    "elapsed",
    "elapsed_ms",
    "idle_ns",
    "latency",
    "network.local.port",
    "network.peer.port",
    "process.pid",
    "server.port",
    "thread.id",
    "thread.name",
];

/// Returns the traces, and the events outside of them.
pub(super) fn snapshot(contents: &Contents, is_sorted: bool) -> String {
    let stable = Stable { is_sorted, numbers: RefCell::default() };
    let mut blocks: Vec<String> = contents.traces.iter().map(|trace| stable.block(trace)).collect();
    if is_sorted {
        blocks.sort();
    }
    let mut text = String::new();
    for (at, block) in blocks.iter().enumerate() {
        text += &format!("trace {}\n{block}", at + 1);
    }
    let mut outside: Vec<_> = contents.outside().map(|event| stable.event(event)).collect();
    if is_sorted {
        outside.sort();
    }
    if !outside.is_empty() {
        text += "outside of all spans\n";
        outside.iter().for_each(|event| text += &format!("· {event}\n"));
    }
    text
}

struct Stable {
    is_sorted: bool,
    /// The numbers of values that are different in each run.
    numbers: RefCell<HashMap<String, usize>>,
}

impl Stable {
    fn block(&self, trace: &CapturedTrace) -> String {
        let lines = lines(trace, self, &Marks::new());
        lines.iter().map(|line| format!("{}{}\n", line.branches, line.text)).collect()
    }

    fn push_fields<'a>(&self, text: &mut String, fields: impl Iterator<Item = (&'a str, &'a Value)>) {
        // By name: the order in which attributes are set may depend on time.
        let mut fields: Vec<_> = fields.collect();
        fields.sort_by_key(|(name, _)| *name);
        for (name, value) in fields {
            if VOLATILE.contains(&name) {
                *text += &format!(" {name}=<{}>", name.rsplit('.').next().unwrap_or(name));
            } else {
                *text += &format!(" {name}={}", self.value(value));
            }
        }
    }

    fn value(&self, value: &Value) -> String {
        match value.as_str() {
            // Sorted lines may be written in another order than that in which they are numbered.
            Some(id) if is_unique(id) && self.is_sorted => "<id>".to_owned(),
            Some(id) if is_unique(id) => {
                let mut numbers = self.numbers.borrow_mut();
                let next = numbers.len() + 1;
                format!("<id {}>", *numbers.entry(id.to_owned()).or_insert(next))
            }
            _ => value.to_string(),
        }
    }
}

/// Returns `true` for UUIDs, and for ids of traces and spans.
fn is_unique(value: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match value.len() {
        16 | 32 => is_hex(value) && value.bytes().any(|byte| byte.is_ascii_digit()),
        36 => {
            let parts: Vec<_> = value.split('-').collect();
            parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.into_iter().all(is_hex)
        }
        _ => false,
    }
}

impl Text for Stable {
    fn span(&self, span: &CapturedSpan, trace: &CapturedTrace) -> String {
        let mut text = name_and_kind(span);
        self.push_fields(&mut text, span.fields());
        text += &status(span);
        for link in span.links() {
            let known = trace.spans().iter().find(|other| other.span_id() == link.span_id());
            text += &format!(" -> {}", known.map_or("another trace".to_owned(), |known| format!("{:?}", known.name())));
        }
        if span.is_open() {
            text += " still open";
        }
        text
    }

    fn event(&self, event: &CapturedEvent) -> String {
        let mut text = format!("{} {}", event.level(), event.message());
        self.push_fields(&mut text, event.fields());
        text
    }

    fn is_sorted(&self) -> bool {
        self.is_sorted
    }
}
