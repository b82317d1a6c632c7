//! The `baggage` header: names and values that travel with a request.
//!
//! The rules are those of [W3C Baggage](https://www.w3.org/TR/baggage/#baggage-http-header-format).

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

use super::{list, percent};
use crate::field::TOKEN;

/// The maximum number of members that are sent.
pub(super) const MAX_MEMBERS: usize = 64;

/// The maximum length of a header that is sent, in bytes.
pub(super) const MAX_LEN: usize = 8192;

/// Parses the members of a header line. Empty members are skipped, and an invalid one does not affect the others.
///
/// A duplicate key is returned each time: the last one counts.
pub(super) fn members(line: &[u8]) -> impl Iterator<Item = Result<Member<'_>, BaggageError>> {
    let is_plain = line.iter().fold(true, |so_far, byte| so_far & (percent::is_plain(*byte) | (*byte == b',')));
    // A plain line is ASCII.
    Members { line, plain: is_plain.then(|| std::str::from_utf8(line).ok()).flatten(), at: 0 }
}

struct Members<'a> {
    line: &'a [u8],
    /// The line, if it is plain: no blanks, no properties, nothing encoded, no illegal bytes.
    plain: Option<&'a str>,
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<Member<'a>, BaggageError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.next_plain().map(Ok).or_else(|| self.next_of_any_form())
    }

    // Items returned by `next` go through memory, and reading them back stalls: they are read in other widths than
    // written.
    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(mut self, mut so_far: B, mut f: F) -> B {
        loop {
            while let Some(member) = self.next_plain() {
                so_far = f(so_far, Ok(member));
            }
            match self.next_of_any_form() {
                Some(member) => so_far = f(so_far, member),
                None => return so_far,
            }
        }
    }
}

impl<'a> Members<'a> {
    #[inline(always)]
    fn next_plain(&mut self) -> Option<Member<'a>> {
        let (member, next) = Member::parse_plain(self.plain?, self.at)?;
        self.at = next;
        Some(member)
    }

    #[inline(never)]
    fn next_of_any_form(&mut self) -> Option<Result<Member<'a>, BaggageError>> {
        list::next_member(self.line, &mut self.at).map(Member::parse)
    }
}

/// A received member of baggage. `Debug` hides the value, which may be sensitive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Member<'a> {
    key: &'a str,
    value: &'a str,
    /// `true` if the value has a `%`.
    is_encoded: bool,
    properties: &'a [u8],
}

impl fmt::Debug for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = format_args!("{} bytes", self.value.len()).to_string();
        f.debug_struct("Member").field("key", &self.key).field("value", &len).finish_non_exhaustive()
    }
}

impl<'a> Member<'a> {
    /// Parses the member at a position in a plain line. Returns the position of the next one as well.
    #[inline(always)]
    fn parse_plain(line: &'a str, start: usize) -> Option<(Self, usize)> {
        let bytes = line.as_bytes();
        let mut equals = start;
        while TOKEN[usize::from(*bytes.get(equals)?)] {
            equals += 1;
        }
        if equals == start || bytes[equals] != b'=' {
            return None;
        }
        let end = equals + 1 + before_comma(&bytes[equals + 1..]);
        let (key, value) = (line.get(start..equals)?, line.get(equals + 1..end)?);
        Some((Member { key, value, is_encoded: false, properties: &[] }, end + 1))
    }

    fn parse(member: &'a [u8]) -> Result<Self, BaggageError> {
        let (pair, properties) = match member.iter().position(|byte| *byte == b';') {
            Some(at) => (&member[..at], &member[at + 1..]),
            None => (member, &[][..]),
        };
        // Only the first `=` separates: a value may contain more (section 3.3.1.3).
        let at = pair.iter().position(|byte| *byte == b'=').ok_or(BaggageError::NoValue)?;
        let key = token(list::trim(&pair[..at])).ok_or(BaggageError::Key)?;
        let value = octets(list::trim(&pair[at + 1..])).ok_or(BaggageError::Value)?;
        Ok(Member { key, value, is_encoded: value.contains('%'), properties })
    }

    /// Returns the key, which is never encoded.
    pub(super) fn key(&self) -> &'a str {
        self.key
    }

    /// Returns the decoded value.
    pub(super) fn value(&self) -> Cow<'a, str> {
        if self.is_encoded { percent::decode(self.value) } else { Cow::Borrowed(self.value) }
    }

    /// Returns `true` if the value is printable ASCII only. Headers are; a decoded value may not be.
    pub(super) fn is_printable(&self) -> bool {
        !self.is_encoded
    }

    /// Returns the length of the value as received, in bytes.
    pub(super) fn encoded_len(&self) -> usize {
        self.value.len()
    }

    /// Returns `true` if anything follows the value. It may not be valid.
    #[inline]
    pub(super) fn may_have_properties(&self) -> bool {
        !self.properties.is_empty()
    }

    /// Returns the properties as they may be sent: without blanks, separated by `;`, values encoded. Invalid ones are
    /// left out.
    pub(super) fn properties(&self) -> Cow<'a, str> {
        if self.properties.is_empty() {
            return Cow::Borrowed("");
        }
        let mut text = String::with_capacity(self.properties.len());
        for (key, value) in self.each_property() {
            write_property(key, value, &mut text);
        }
        Cow::Owned(text)
    }

    fn each_property(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        self.properties.split(|byte| *byte == b';').filter_map(|property| {
            match property.iter().position(|byte| *byte == b'=') {
                None => Some((token(list::trim(property))?, None)),
                Some(at) => {
                    let key = token(list::trim(&property[..at]))?;
                    Some((key, Some(octets(list::trim(&property[at + 1..]))?)))
                }
            }
        })
    }
}

fn write_property(key: &str, value: Option<&str>, text: &mut String) {
    if !text.is_empty() {
        text.push(';');
    }
    text.push_str(key);
    if let Some(value) = value {
        text.push('=');
        percent::encode_rest(value, text);
    }
}

/// Returns the number of bytes before the first comma. Reads eight bytes at a time.
#[inline(always)]
fn before_comma(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    let (eights, rest) = bytes.as_chunks::<8>();
    for (eight, at) in eights.iter().zip((0..).step_by(8)) {
        // Marks the lowest lane that becomes zero, and none below it.
        let lanes = u64::from_le_bytes(*eight) ^ (ONES * b',' as u64);
        let commas = lanes.wrapping_sub(ONES) & !lanes & (ONES * 0x80);
        if commas != 0 {
            return at + commas.trailing_zeros() as usize / 8;
        }
    }
    bytes.len() - rest.len() + rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len())
}

fn token(bytes: &[u8]) -> Option<&str> {
    let is_token = !bytes.is_empty() && bytes.iter().all(|byte| TOKEN[usize::from(*byte)]);
    is_token.then(|| std::str::from_utf8(bytes).ok()).flatten()
}

/// Returns the bytes as a string if all are `baggage-octet`s.
fn octets(bytes: &[u8]) -> Option<&str> {
    bytes.iter().all(|byte| percent::is_octet(*byte)).then(|| std::str::from_utf8(bytes).ok()).flatten()
}

fn check_key(key: &str) -> Result<(), BaggageError> {
    if is_key(key) { Ok(()) } else { Err(BaggageError::Key) }
}

/// Returns `true` if a string can be a key.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| TOKEN[usize::from(byte)])
}

/// An error in a member of baggage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BaggageError {
    /// The key is not a token.
    Key,
    /// The value has a character that must be encoded.
    Value,
    /// The member has no `=`.
    NoValue,
    /// The member would make the header longer than 8192 bytes, or have more than 64 members.
    Limit,
}

impl fmt::Display for BaggageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BaggageError::Key => "the key is not a token",
            BaggageError::Value => "the value has a character that must be encoded",
            BaggageError::NoValue => "there is no `=`",
            BaggageError::Limit => "the header would be longer than 8192 bytes or have more than 64 members",
        })
    }
}

impl std::error::Error for BaggageError {}

/// A writer of a header. It writes whole members, as long as they fit within the limits.
///
/// `Debug` shows how much was written but hides the values, which may be sensitive.
#[derive(Default)]
pub(super) struct BaggageWriter {
    text: String,
    count: usize,
}

impl fmt::Debug for BaggageWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BaggageWriter").field("members", &self.count).field("bytes", &self.text.len()).finish()
    }
}

impl BaggageWriter {
    /// Creates a writer that reuses memory.
    pub(super) fn reusing(mut text: String) -> Self {
        text.clear();
        BaggageWriter { text, count: 0 }
    }

    /// Adds a member: a key, an unencoded value, and properties as in a header, or none.
    ///
    /// Properties whose key is not a token are left out. Their values are encoded where needed.
    ///
    /// # Errors
    /// Returns an error if the key is not a token, or the member exceeds the limits. Nothing is added then.
    pub(super) fn push_text(&mut self, key: &str, value: &str, properties: &str) -> Result<(), BaggageError> {
        check_key(key)?;
        self.push_with(key, properties, |writer| writer.write_str(value))
    }

    /// Adds a member without properties whose key is known to be a token.
    pub(super) fn push_known(&mut self, key: &str, value: &str) -> Result<(), BaggageError> {
        self.push_with(key, "", |writer| writer.write_str(value))
    }

    #[inline]
    fn push_with(
        &mut self,
        key: &str,
        properties: &str,
        value: impl FnOnce(&mut ValueWriter<'_>) -> fmt::Result,
    ) -> Result<(), BaggageError> {
        // The limits of section 3.3.2.
        if self.count == MAX_MEMBERS || self.text.len() + key.len() + properties.len() > MAX_LEN {
            return Err(BaggageError::Limit);
        }
        let before = self.text.len();
        list::begin_member(&mut self.text, key);
        let mut writer = ValueWriter { text: &mut self.text, is_over: false };
        // If a `Display` fails, what it wrote until then is the value.
        let _ = value(&mut writer);
        let is_over = writer.is_over;
        if !is_over && !properties.is_empty() {
            self.push_properties(properties);
        }
        if is_over || self.text.len() > MAX_LEN {
            self.text.truncate(before);
            return Err(BaggageError::Limit);
        }
        self.count += 1;
        Ok(())
    }

    fn push_properties(&mut self, properties: &str) {
        for property in properties.split(';') {
            let (key, value) = match property.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (property, None),
            };
            let is_blank = |c: char| c == ' ' || c == '\t';
            let key = key.trim_matches(is_blank);
            if is_key(key) {
                write_property(key, value.map(|value| value.trim_matches(is_blank)), &mut self.text);
            }
        }
    }

    /// Returns the header's value.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns `true` if there are no members. No header should be sent then.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn into_memory(self) -> String {
        self.text
    }
}

struct ValueWriter<'a> {
    text: &'a mut String,
    is_over: bool,
}

impl Write for ValueWriter<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        // Stops a `Display` that never ends.
        if self.is_over || self.text.len() + s.len() > MAX_LEN {
            self.is_over = true;
            return Err(fmt::Error);
        }
        percent::encode(s, self.text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns members as key, value and properties.
    fn parsed(line: &str) -> Vec<(String, String, String)> {
        members(line.as_bytes())
            .flatten()
            .map(|member| (member.key().to_owned(), member.value().into_owned(), member.properties().into_owned()))
            .collect()
    }

    fn writer() -> BaggageWriter {
        BaggageWriter::reusing(String::new())
    }

    #[test]
    fn members_are_parsed_by_the_grammar() {
        for (line, expected) in [
            ("SomeKey=SomeValue", vec![("SomeKey", "SomeValue", "")]),
            ("a=1,b=2", vec![("a", "1", ""), ("b", "2", "")]),
            // Blanks around key, value and property are not part of them.
            ("a \t = \t 1 \t ; \t p \t , \t b = 2 ; q = 3", vec![("a", "1", "p"), ("b", "2", "q=3")]),
            // Encoded blanks are.
            ("a=%20%091%20", vec![("a", " \t1 ", "")]),
            // Only the first `=` separates.
            ("a=b=c==", vec![("a", "b=c==", "")]),
            ("a=", vec![("a", "", "")]),
            // A key is a token and never decoded.
            ("a%41=1,!#$%&'*+-.^_`|~9Z=2", vec![("a%41", "1", ""), ("!#$%&'*+-.^_`|~9Z", "2", "")]),
            // Values are decoded. Invalid UTF-8 becomes U+FFFD, and a stray `%` stays.
            ("a=a%2541,b=%F0%9F%9A%B2,c=%c3%bc", vec![("a", "a%41", ""), ("b", "🚲", ""), ("c", "ü", "")]),
            ("a=%FF%FEx,b=%C3", vec![("a", "\u{fffd}\u{fffd}x", ""), ("b", "\u{fffd}", "")]),
            (
                "a=100%,b=%4,c=%zz,d=%%41,e=%+1",
                vec![("a", "100%", ""), ("b", "%4", ""), ("c", "%zz", ""), ("d", "%A", ""), ("e", "%+1", "")],
            ),
            // Properties are passed on unchanged.
            ("a=1;p;q=%20x;r==", vec![("a", "1", "p;q=%20x;r==")]),
            ("a=1;;p;", vec![("a", "1", "p")]),
            ("a=1;p;p=1;p=2", vec![("a", "1", "p;p=1;p=2")]),
            // A property's key is a token too: an encoded `=` does not separate.
            ("a=1;p%20%09%3D%20q", vec![("a", "1", "p%20%09%3D%20q")]),
            // Empty members.
            (",a=1,, ,\t,b=2,", vec![("a", "1", ""), ("b", "2", "")]),
            ("", vec![]),
            // All characters that may be unencoded.
            ("a=!#$&'()*+-./:<=>?@[]^_`{|}~", vec![("a", "!#$&'()*+-./:<=>?@[]^_`{|}~", "")]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(k, v, p)| (k.to_owned(), v.to_owned(), p.to_owned())).collect();
            assert_eq!(parsed(line), expected, "{line}");
        }
    }

    #[test]
    fn a_member_is_never_cut() {
        let mut writer = writer();
        writer.push_text("a", &"x".repeat(MAX_LEN - 6), "").expect("it fits");
        let before = writer.as_str().to_owned();
        for (key, value, properties) in [("b", "12", ""), ("b", "1", "p"), ("bb", "1", ""), ("b", " ", "")] {
            assert_eq!(writer.push_text(key, value, properties), Err(BaggageError::Limit));
            assert_eq!(writer.as_str(), before);
        }
        writer.push_text("b", "1", "").expect("it fits exactly");
        assert_eq!((writer.as_str().len(), writer.count), (MAX_LEN, 2));

        let mut writer = super::tests::writer();
        (0..MAX_MEMBERS).for_each(|n| writer.push_text(&format!("k{n}"), "v", "").expect("it fits"));
        assert_eq!(writer.push_text("one_more", "1", ""), Err(BaggageError::Limit));
    }

    #[test]
    fn debug_shows_no_values() {
        let mut writer = writer();
        writer.push_text("token", "s3cret", "").expect("it fits");
        let shown = format!("{writer:?} {:?}", members(writer.as_str().as_bytes()).collect::<Vec<_>>());
        assert!(shown.contains("token") && !shown.contains("s3cret"), "{shown}");
    }
}
