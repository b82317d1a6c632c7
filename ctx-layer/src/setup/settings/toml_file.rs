//! A TOML file as nodes with lines.

use std::path::Path;

use toml::de::{DeInteger, DeTable, DeValue};

use super::{
    node::{Entry, Node, Raw},
    origin::Origin,
    problem::SettingsProblem,
};

/// Parses a TOML file. Returns what could be read beside all errors of its syntax.
pub(crate) fn parse(path: &Path, text: &str) -> (Node, Vec<SettingsProblem>) {
    let lines = Lines::of(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    let problems = errors.iter().map(|error| {
        let line = error.span().map_or(1, |span| lines.line_at(span.start));
        let origin = Origin::File { path: path.to_owned(), line, key: String::new() };
        SettingsProblem::new(origin, format!("an error of syntax: {}", error.message().trim()), "TOML")
    });
    (Node { value: table(document.get_ref(), &lines), line: 1 }, problems.collect())
}

/// The offsets at which lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Lines(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    fn line_at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset).max(1)
    }
}

fn table(table: &DeTable<'_>, lines: &Lines) -> Raw {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            line: lines.line_at(key.span().start),
            node: Node { value: raw(value.get_ref(), lines), line: lines.line_at(value.span().start) },
        })
        .collect();
    entries.sort_by_key(|entry| entry.line);
    Raw::Table(entries)
}

fn raw(value: &DeValue<'_>, lines: &Lines) -> Raw {
    match value {
        DeValue::Boolean(value) => Raw::Bool(*value),
        DeValue::String(value) => Raw::String(value.to_string()),
        DeValue::Integer(value) => integer(value).map_or_else(|| Raw::Other(value.to_string()), Raw::Integer),
        DeValue::Float(value) => {
            value.as_str().parse().map_or_else(|_| Raw::Other(value.as_str().to_owned()), Raw::Float)
        }
        DeValue::Datetime(value) => Raw::Other(value.to_string()),
        DeValue::Array(values) => Raw::List(
            values
                .iter()
                .map(|value| Node { value: raw(value.get_ref(), lines), line: lines.line_at(value.span().start) })
                .collect(),
        ),
        DeValue::Table(entries) => table(entries, lines),
    }
}

fn integer(value: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(value.as_str(), value.radix()).ok()
}
