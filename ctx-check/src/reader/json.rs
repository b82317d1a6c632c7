//! A cursor over JSON, which finds values without building them.

use std::borrow::Cow;

use memchr::memchr2;

/// How deep values may be nested where they are read, and not only skipped.
pub(crate) const DEEPEST: usize = 32;

/// A fault of a document.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The byte at which it was found, from 0.
    pub(crate) at: usize,
    pub(crate) what: Cow<'static, str>,
}

pub(crate) type Parsed<T> = Result<T, Fault>;

/// A place in a document. A copy of it reads the same value again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    #[cold]
    pub(crate) fn fault(&self, what: impl Into<Cow<'static, str>>) -> Fault {
        Fault { at: self.at, what: what.into() }
    }

    #[cold]
    fn unexpected(&self, expected: &str) -> Fault {
        match self.text[self.at.min(self.text.len())..].chars().next() {
            Some(found) => self.fault(format!("found {found:?}, expected {expected}")),
            None => self.fault(format!("the line ends where {expected} is expected: it was cut")),
        }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    /// Returns the first byte of the next value.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.skip_blanks();
        self.byte()
    }

    #[inline]
    fn take(&mut self, byte: u8, expected: &str) -> Parsed<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.unexpected(expected))
        }
    }

    /// Reads a string.
    #[inline]
    pub(crate) fn string(&mut self) -> Parsed<Cow<'a, str>> {
        self.take(b'"', "a string")?;
        let start = self.at;
        match end_of_string(&self.text.as_bytes()[start..]) {
            Some(length) if self.text.as_bytes()[start + length] == b'"' => {
                self.at = start + length + 1;
                Ok(Cow::Borrowed(&self.text[start..start + length]))
            }
            Some(_) => self.escaped(start).map(Cow::Owned),
            None => {
                self.at = self.text.len();
                Err(self.unexpected("the end of a string"))
            }
        }
    }

    #[cold]
    fn escaped(&mut self, start: usize) -> Parsed<String> {
        let bytes = self.text.as_bytes();
        let mut decoded = String::new();
        let mut from = start;
        loop {
            let Some(length) = memchr2(b'"', b'\\', &bytes[from..]) else {
                self.at = bytes.len();
                return Err(self.unexpected("the end of a string"));
            };
            let end = from + length;
            decoded.push_str(&self.text[from..end]);
            if bytes[end] == b'"' {
                self.at = end + 1;
                return Ok(decoded);
            }
            self.at = end + 1;
            let plain = match self.byte() {
                Some(b'n') => '\n',
                Some(b't') => '\t',
                Some(b'r') => '\r',
                Some(b'b') => '\u{8}',
                Some(b'f') => '\u{c}',
                Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
                Some(b'u') => {
                    self.at += 1;
                    decoded.push(self.code_point()?);
                    from = self.at;
                    continue;
                }
                _ => return Err(self.unexpected("an escape of JSON")),
            };
            decoded.push(plain);
            self.at += 1;
            from = self.at;
        }
    }

    /// Reads the digits of `\u`, and of the second half of a pair. Half a pair is U+FFFD.
    fn code_point(&mut self) -> Parsed<char> {
        let first = self.four_digits()?;
        if (0xd800..0xdc00).contains(&first) && self.text.as_bytes()[self.at..].starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            let second = self.four_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                return Ok(char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).unwrap_or('\u{fffd}'));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or('\u{fffd}'))
    }

    fn four_digits(&mut self) -> Parsed<u32> {
        let mut value = 0;
        for _ in 0..4 {
            match self.byte().and_then(|byte| char::from(byte).to_digit(16)) {
                Some(digit) => value = value << 4 | digit,
                None => return Err(self.unexpected("four hexadecimal digits")),
            }
            self.at += 1;
        }
        Ok(value)
    }

    /// Reads a string, a number, `true`, `false` or `null` as the string that it would be shown as; `null` is empty.
    #[inline]
    pub(crate) fn scalar(&mut self) -> Parsed<Cow<'a, str>> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{' | b'[') | None => Err(self.unexpected("a string, a number or a boolean")),
            Some(_) => {
                let word = self.word();
                match word {
                    "null" => Ok(Cow::Borrowed("")),
                    "true" | "false" => Ok(Cow::Borrowed(word)),
                    _ if word.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                        Ok(Cow::Borrowed(word))
                    }
                    _ => {
                        self.at -= word.len();
                        Err(self.unexpected("a string, a number or a boolean"))
                    }
                }
            }
        }
    }

    /// Returns what is before the next comma, bracket or blank.
    #[inline]
    fn word(&mut self) -> &'a str {
        let bytes = self.text.as_bytes();
        let start = self.at;
        while let Some(byte) = bytes.get(self.at)
            && !matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' | b':' | b'"' | b'{' | b'[')
        {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    /// Reads an integer, which may be a string, as OTLP writes those of 64 bits.
    #[inline]
    pub(crate) fn integer(&mut self) -> Parsed<u64> {
        let start = *self;
        let text = self.scalar()?;
        if text.is_empty() {
            return Ok(0); // `null` is the default.
        }
        let mut value = 0_u64;
        if text.len() < 20 {
            // So many digits do not overflow.
            let mut is_number = true;
            for byte in text.bytes() {
                let digit = byte.wrapping_sub(b'0');
                is_number &= digit < 10;
                value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            }
            return if is_number { Ok(value) } else { start.inexact(&text) };
        }
        for byte in text.bytes() {
            let digit = byte.wrapping_sub(b'0');
            let next = value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit)));
            match next.filter(|_| digit < 10) {
                Some(next) => value = next,
                None => return start.inexact(&text),
            }
        }
        Ok(value)
    }

    /// A number like `1.7e18`, as programs write that know no 64-bit integers.
    #[cold]
    fn inexact(&self, text: &str) -> Parsed<u64> {
        match text.parse::<f64>() {
            Ok(number) if (0.0..1.9e19).contains(&number) => Ok(number as u64),
            _ => Err(self.fault(format!("found {:?}, expected an unsigned integer of 64 bits", shorten(text)))),
        }
    }

    /// Moves behind `expected`, if that is next, without blanks.
    #[inline]
    pub(crate) fn literal(&mut self, expected: &str) -> Option<()> {
        let is_next = self.text.as_bytes()[self.at..].starts_with(expected.as_bytes());
        self.at += if is_next { expected.len() } else { 0 };
        is_next.then_some(())
    }

    /// Reads the rest of a string that has no escapes.
    #[inline]
    pub(crate) fn plain_rest(&mut self) -> Option<&'a str> {
        let start = self.at;
        let end = start + end_of_string(&self.text.as_bytes()[start..])?;
        self.at = end + 1;
        (self.text.as_bytes()[end] == b'"').then(|| &self.text[start..end])
    }

    /// Reads an object. `member` gets each key, and must read or skip the value.
    #[inline]
    pub(crate) fn object(&mut self, mut member: impl FnMut(&str, &mut Self) -> Parsed<()>) -> Parsed<()> {
        self.take(b'{', "an object")?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.take(b':', "a colon")?;
            member(&key, self)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.unexpected("a comma or the end of an object")),
            }
        }
    }

    /// Reads an array; `null` is an empty one. `element` must read or skip the value.
    #[inline]
    pub(crate) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<()> {
        if self.peek() == Some(b'n') {
            return self.scalar().map(|_| ());
        }
        self.take(b'[', "an array")?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.unexpected("a comma or the end of an array")),
            }
        }
    }

    /// Skips a value, however deep, and returns it as it is written.
    pub(crate) fn skip(&mut self) -> Parsed<&'a str> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'{' | b'[') => match balanced(&self.text.as_bytes()[start..]) {
                Some(length) => self.at = start + length,
                None => {
                    self.at = self.text.len();
                    return Err(self.unexpected("the end of an object or array"));
                }
            },
            Some(b'"') => {
                self.string()?;
            }
            _ => {
                if self.word().is_empty() {
                    return Err(self.unexpected("a value"));
                }
            }
        }
        Ok(&self.text[start..self.at])
    }

    /// Requires that nothing follows.
    pub(crate) fn end(&mut self) -> Parsed<()> {
        if self.peek().is_none() { Ok(()) } else { Err(self.unexpected("the end of the line")) }
    }
}

/// Returns where the first quote or backslash is. Most strings are short: eight bytes at once find it sooner than a call.
#[inline]
fn end_of_string(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    while let Some(word) = bytes.get(at..at + 8).and_then(|word| word.try_into().ok()).map(u64::from_le_bytes) {
        if at == 32 {
            break;
        }
        // A byte is zero where it is the one that is looked for.
        let (quote, escape) = (word ^ (ONES * 0x22), word ^ (ONES * 0x5c));
        let found = (quote.wrapping_sub(ONES) & !quote | escape.wrapping_sub(ONES) & !escape) & HIGHS;
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr2(b'"', b'\\', &bytes[at..]).map(|found| at + found)
}

/// Counts brackets over pieces of a document, to find its end.
#[derive(Debug, Default)]
pub(crate) struct Balance {
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
}

impl Balance {
    /// Returns the number of bytes up to the end of the document, if it ends in this piece.
    pub(crate) fn feed(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < piece.len() {
            if self.is_escaped {
                self.is_escaped = false;
                at += 1;
                continue;
            }
            if self.is_in_string {
                at += memchr2(b'"', b'\\', &piece[at..])?;
                self.is_in_string = piece[at] != b'"';
                self.is_escaped = self.is_in_string;
                at += 1;
                continue;
            }
            match piece[at] {
                b'"' => self.is_in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }
}

/// Returns the length of the object or array that starts here.
pub(crate) fn balanced(bytes: &[u8]) -> Option<usize> {
    Balance::default().feed(bytes)
}

/// Cuts what is shown of a wrong value.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_decoded_as_json_says() {
        for (json, expected) in [
            (r#""""#, ""),
            (r#""a\"b\\c\/\n\t\r\b\f""#, "a\"b\\c/\n\t\r\u{8}\u{c}"),
            (r#""\u00e4\ud83d\ude00""#, "\u{e4}\u{1f600}"),
            (r#""\ud83d!""#, "\u{fffd}!"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
        ] {
            assert_eq!(Cursor::new(json).string().expect("it is a string"), expected);
        }
        for wrong in [r#"""#, r#""\"#, r#""\x""#, r#""\u12""#, r#""\"#, "1", ""] {
            assert!(Cursor::new(wrong).string().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_end_of_a_string_is_found_at_any_length() {
        for length in 0..100 {
            for end in ["\"", "\\"] {
                let text =
                    format!("{}{end}{}", "\u{fc}a!#".chars().cycle().take(length).collect::<String>(), "x\"".repeat(9));
                assert_eq!(end_of_string(text.as_bytes()), text.find(end), "{text}");
            }
            assert_eq!(end_of_string("a".repeat(length).as_bytes()), None);
        }
    }

    #[test]
    fn skipping_ends_behind_the_value() {
        for (json, value) in [
            (r#"{"a":["}",{"b":"\\\"]"}]},1"#, r#"{"a":["}",{"b":"\\\"]"}]}"#),
            ("12,", "12"),
            (r#" "a,b" ]"#, r#""a,b""#),
            ("[]]", "[]"),
        ] {
            assert_eq!(Cursor::new(json).skip().expect("it is a value"), value);
        }
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert_eq!(Cursor::new(&deep).skip().expect("it is a value").len(), deep.len());
    }

    #[test]
    fn integers_may_be_strings_and_may_have_an_exponent() {
        for (json, value) in [("12", 12), (r#""18446744073709551615""#, u64::MAX), ("1.5e3", 1500), ("null", 0)] {
            assert_eq!(Cursor::new(json).integer().expect("it is an integer"), value);
        }
        for wrong in ["-1", r#""x""#, "1e30", "{}", "NaN"] {
            assert!(Cursor::new(wrong).integer().is_err(), "{wrong}");
        }
    }
}
