//! A value that was read from a file, with its line.

use std::fmt;

/// A value of a file, in no format's own types.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Raw,
    /// The line in the file, from 1.
    pub(crate) line: usize,
}

/// The kinds of values that files have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Raw {
    Bool(bool),
    Integer(i64),
    Float(f64),
    String(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// A kind that no setting has: a date, a number out of range.
    Other(String),
    /// Nothing, which YAML writes as `null` or as an empty value.
    #[cfg_attr(not(feature = "setup-config-file"), expect(dead_code, reason = "TOML has no such value"))]
    Null,
}

/// A key of a table, with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: usize,
    pub(crate) node: Node,
}

impl Node {
    /// Returns the entries, if this is a table.
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Raw::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the string, if this is one.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Raw::String(string) => Some(string),
            _ => None,
        }
    }
}

/// The longest part of a value that an error repeats, in characters.
const MAX_SHOWN: usize = 64;

impl fmt::Display for Node {
    /// Shows the value as an error names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Raw::Bool(value) => write!(f, "{value}"),
            Raw::Integer(value) => write!(f, "{value}"),
            Raw::Float(value) => write!(f, "{value:?}"),
            Raw::String(value) => f.write_str(&quoted(value)),
            Raw::List(values) => write!(f, "a list of {}", values.len()),
            Raw::Table(_) => f.write_str("a table"),
            Raw::Other(value) => f.write_str(&value.chars().take(MAX_SHOWN).collect::<String>()),
            Raw::Null => f.write_str("empty"),
        }
    }
}

/// Returns a string in quotes, escaped and cut.
pub(crate) fn quoted(value: &str) -> String {
    if value.chars().nth(MAX_SHOWN).is_none() {
        return format!("{value:?}");
    }
    let start: String = value.chars().take(MAX_SHOWN).collect();
    format!("{:?}", format!("{start}…"))
}
