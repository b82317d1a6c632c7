//! Problems of reading, and their places.

use std::fmt;

/// A place in the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The number of the file in the order of reading, from 0.
    pub file: u16,
    /// The line, from 1; in a file of messages, the number of the message.
    pub line: u32,
}

/// A part of the input that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place.
    pub place: Place,
    /// The byte in the line or message, from 1; 0 if it is the whole of it.
    pub column: usize,
    /// The content that was found, and the expected one.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.place.line, self.column, self.what)
    }
}
