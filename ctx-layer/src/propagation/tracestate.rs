//! The `tracestate` header: the data of each tracing system that takes part in a trace.
//!
//! The rules are those of [W3C Trace Context Level 2](https://www.w3.org/TR/trace-context-2/#tracestate-header).

use std::fmt;

use super::list;

/// The maximum number of members in a list.
pub(super) const MAX_MEMBERS: usize = 32;

/// The maximum length of a key, in bytes.
pub(super) const MAX_KEY_LEN: usize = 256;

/// The maximum length of a value, in bytes.
pub(super) const MAX_VALUE_LEN: usize = 256;

/// Members longer than this are dropped first when a list is cut.
const LONG_MEMBER: usize = 128;

/// The members of a valid `tracestate`, leftmost first, without blanks and duplicate keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct TraceStateList {
    text: String,
    count: usize,
}

impl TraceStateList {
    /// Creates a list without members.
    pub(super) const fn new() -> Self {
        TraceStateList { text: String::new(), count: 0 }
    }

    /// Parses the values of all header lines, in order, as one list.
    ///
    /// Of duplicate keys the leftmost member is kept, which is the most recent.
    ///
    /// # Errors
    /// Returns an error if it is not valid. The whole list must be discarded then; the trace continues without it.
    pub(super) fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, TraceStateError> {
        let mut parser = TraceStateParser::default();
        lines.into_iter().for_each(|line| parser.line(line));
        parser.finish()
    }

    /// Returns the header's value.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the number of members.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Returns `true` if there are no members. No header should be sent then.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the members, leftmost first.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text.split(',').filter_map(|member| member.split_once('='))
    }

    /// Adds a member at the right end, unless its key is present or the list is full.
    pub(super) fn push(&mut self, key: &str, value: &str) -> Result<(), TraceStateError> {
        check_key(key.as_bytes())?;
        check_value(value.as_bytes())?;
        if self.count < MAX_MEMBERS && !self.has(key) {
            self.push_known(key, value);
        }
        Ok(())
    }

    /// Cuts the list to at most `max_len` bytes, but not below 512. Drops whole members: those of more than 128 bytes
    /// first, then the rightmost.
    pub(super) fn cut(&mut self, max_len: usize) {
        // At least 512 characters must be propagated, and longer members are dropped first (section 3.3.1.5).
        let max_len = max_len.max(512);
        if self.text.len() <= max_len {
            return;
        }
        let mut members: Vec<&str> = self.text.split(',').collect();
        let mut len = self.text.len();
        for pass in [true, false] {
            let mut at = members.len();
            while len > max_len && at > 0 {
                at -= 1;
                if !pass || members[at].len() > LONG_MEMBER {
                    // The comma beside the member is dropped too.
                    len = len.saturating_sub(members[at].len() + 1);
                    members.remove(at);
                }
            }
        }
        self.count = members.len();
        self.text = members.join(",");
    }

    fn has(&self, key: &str) -> bool {
        self.members().any(|(known, _)| known == key)
    }

    fn push_known(&mut self, key: &str, value: &str) {
        list::begin_member(&mut self.text, key);
        self.text.push_str(value);
        self.count += 1;
    }
}

/// A parser that reads a list line by line.
#[derive(Debug, Default)]
pub(super) struct TraceStateParser {
    list: TraceStateList,
    /// The number of members read, duplicates included.
    seen: usize,
    error: Option<TraceStateError>,
}

impl TraceStateParser {
    pub(super) fn line(&mut self, line: &[u8]) {
        if self.error.is_none() {
            self.error = self.members(line).err();
        }
    }

    fn members(&mut self, line: &[u8]) -> Result<(), TraceStateError> {
        let mut next = 0;
        // Empty members are allowed (section 3.3.1.1).
        while let Some(member) = list::next_member(line, &mut next) {
            self.seen += 1;
            if self.seen > MAX_MEMBERS {
                return Err(TraceStateError::TooMany);
            }
            let at = member.iter().position(|byte| *byte == b'=').ok_or(TraceStateError::NoValue)?;
            let (key, value) = (&member[..at], &member[at + 1..]);
            check_key(key)?;
            check_value(value)?;
            // The checked bytes are ASCII.
            let (Ok(key), Ok(value)) = (std::str::from_utf8(key), std::str::from_utf8(value)) else {
                return Err(TraceStateError::Value);
            };
            if !self.list.has(key) {
                self.list.push_known(key, value);
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<TraceStateList, TraceStateError> {
        match self.error {
            None => Ok(self.list),
            Some(error) => Err(error),
        }
    }
}

/// Checks a key (section 3.3.1.3.1): `( lcalpha / DIGIT ) 0*255 ( keychar )`.
fn check_key(key: &[u8]) -> Result<(), TraceStateError> {
    let is_legal = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    let starts_well = key.first().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if starts_well && key.len() <= MAX_KEY_LEN && key.iter().all(is_legal) { Ok(()) } else { Err(TraceStateError::Key) }
}

/// Checks a value (section 3.3.1.3.2): `0*255(chr) nblk-chr`, so never empty and never ending in a space.
fn check_value(value: &[u8]) -> Result<(), TraceStateError> {
    let is_legal = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'=');
    let ends_well = value.last().is_some_and(|byte| *byte != b' ');
    let is_valid = ends_well && value.len() <= MAX_VALUE_LEN && value.iter().all(is_legal);
    if is_valid { Ok(()) } else { Err(TraceStateError::Value) }
}

/// An error in a `tracestate` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TraceStateError {
    /// A key is empty, too long, or has an illegal character.
    Key,
    /// A value is empty, too long, ends in a space, or has an illegal character.
    Value,
    /// A member has no `=`.
    NoValue,
    /// There are more than 32 members.
    TooMany,
}

impl fmt::Display for TraceStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TraceStateError::Key => "a key is not valid",
            TraceStateError::Value => "a value is not valid",
            TraceStateError::NoValue => "a member has no value",
            TraceStateError::TooMany => "it has more than 32 members",
        })
    }
}

impl std::error::Error for TraceStateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_by_long_members_first_then_from_the_right() {
        let long = |key: &str| format!("{key}={}", "x".repeat(127));
        let short = |key: &str| format!("{key}={}", "x".repeat(97));
        assert_eq!((long("a").len(), short("a").len()), (129, 99));
        let text = [short("a"), long("b"), short("c"), long("d"), short("e"), short("f"), short("g")].join(",");
        let parse = || TraceStateList::parse([text.as_bytes()]).expect("it is valid");
        let keys = |list: &TraceStateList| list.members().map(|(key, _)| key.to_owned()).collect::<String>();

        for (max_len, left) in [
            (text.len(), "abcdefg"),
            (text.len() - 1, "abcefg"),
            (text.len() - 131, "acefg"),
            // At least 512 bytes are always propagated.
            (512, "acefg"),
            (0, "acefg"),
        ] {
            let mut list = parse();
            list.cut(max_len);
            assert_eq!(keys(&list), left, "{max_len}");
            assert!(list.as_str().len() <= max_len.max(512));
            assert_eq!(list.len(), left.len());
        }

        let text = ["a", "b", "c", "d", "e", "f", "g"].map(short).join(",");
        let mut list = TraceStateList::parse([text.as_bytes()]).expect("it is valid");
        list.cut(512);
        assert_eq!(keys(&list), "abcde");
    }
}
