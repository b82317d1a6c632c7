//! `Debug` output with secrets masked.
//!
//! A `Formatter` does not show which field a value belongs to, so the field is found in the output. The builders of `std`
//! (`debug_struct`, `debug_map`, ...), which `#[derive(Debug)]` uses, write names, values and separators in separate pieces. So
//! the end of a value is known even if it is not quoted and contains commas and brackets.

use std::fmt::{self, Write};

use smallvec::SmallVec;

use super::{
    secret_name::{is_same, is_secret},
    shown::REDACTED,
    text::Escaped,
};

/// The names given to the attribute, in addition to the known names of secrets.
#[derive(Debug)]
pub struct Names {
    pub redact: &'static [&'static str],
    pub reveal: &'static [&'static str],
}

impl Names {
    pub const NONE: &'static Names = &Names { redact: &[], reveal: &[] };

    /// Returns `true` if one of the names, which are separated by blanks, is that of a secret.
    fn hides_any_of(&self, names: &str) -> bool {
        let is_among = |name: &str, given: &[&str]| given.iter().any(|given| is_same(given, name));
        names.split(' ').any(|name| is_among(name, self.redact) || is_secret(name) && !is_among(name, self.reveal))
    }
}

/// A value whose `Debug` output is shown with fields and entries masked that are named like secrets, and with control
/// characters escaped.
pub struct Masked<'a, T: ?Sized> {
    pub(super) value: &'a T,
    pub(super) names: &'static Names,
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for Masked<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_pretty = f.alternate();
        let mut masker = Masker::new(f, self.names);
        if is_pretty { write!(masker, "{:#?}", self.value) } else { write!(masker, "{:?}", self.value) }
    }
}

/// The length up to which a string counts as a name.
const MAX_NAME_LEN: usize = 256;

struct Masker<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    is_pretty: bool,
    names: &'static Names,
    /// The open brackets. The first level is outside of all brackets.
    levels: SmallVec<[Level; 8]>,
    /// The words of the entries of all levels, if they may be names. Those of each level begin at its `start`.
    words: SmallVec<[u8; 128]>,
    literal: Option<Literal>,
    mask: Option<Mask>,
}

/// The state within one pair of brackets.
#[derive(Clone, Copy, Default)]
struct Level {
    start: usize,
    is_tuple: bool,
    /// The number of commas so far.
    commas: usize,
    /// The entry is the value of `name` or `key`: of `Header { name: "authorization", value: .. }`.
    is_name: bool,
    /// An earlier entry was the name of a secret, whose value is another entry here.
    hides_value: bool,
    /// The entry contains something other than one string.
    is_composed: bool,
    has_literal: bool,
}

/// A string or a character that continues in the next piece.
#[derive(Clone, Copy)]
struct Literal {
    quote: char,
    is_escaped: bool,
    /// The position where its content begins among the words.
    start: usize,
}

/// A value that is masked.
#[derive(Clone, Copy, Default)]
struct Mask {
    /// The number of open brackets in it.
    depth: usize,
    /// The placeholder was written.
    is_shown: bool,
}

impl<'a, 'b> Masker<'a, 'b> {
    fn new(out: &'a mut fmt::Formatter<'b>, names: &'static Names) -> Self {
        let is_pretty = out.alternate();
        let levels = SmallVec::from_slice(&[Level::default()]);
        Masker { out, is_pretty, names, levels, words: SmallVec::new(), literal: None, mask: None }
    }

    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// Writes output, escaped so that it cannot end its line.
    fn emit(&mut self, text: &str) -> fmt::Result {
        if text.is_empty() || self.mask.is_some() {
            return Ok(());
        }
        if self.is_pretty {
            let mut lines = text.split('\n');
            Escaped(self.out).write_str(lines.next().unwrap_or_default())?;
            return lines.try_for_each(|line| {
                self.out.write_char('\n')?;
                Escaped(self.out).write_str(line)
            });
        }
        Escaped(self.out).write_str(text)
    }

    fn word(&mut self, text: &str) {
        self.words.extend(text.bytes());
        let start = self.level().start;
        if self.words.len() - start > MAX_NAME_LEN {
            self.words.truncate(start);
        }
    }

    /// Ends a word.
    fn blank(&mut self) {
        if self.words.last().is_some_and(|last| *last != b' ') {
            self.words.push(b' ');
        }
    }

    /// Returns the words of the entry so far.
    fn entry(&mut self) -> &str {
        let start = self.level().start;
        self.words.get(start..).and_then(|words| std::str::from_utf8(words).ok()).unwrap_or_default().trim_end()
    }

    fn forget_words(&mut self) {
        let start = self.level().start;
        self.words.truncate(start);
    }

    /// Writes text up to a value that has to be masked, and returns the rest.
    fn shown<'s>(&mut self, text: &'s str, whole: &str) -> Result<&'s str, fmt::Error> {
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let next = at + c.len_utf8();
            let rest = &text[next..];
            match c {
                '"' | '\'' => match literal_len(&text[at..]) {
                    Some(len) => {
                        self.begin_literal(c);
                        self.literal_text(&text[next..at + len - 1]);
                        self.literal = None;
                        self.blank();
                        at += len;
                        continue;
                    }
                    None if is_open(rest, c, whole) => {
                        self.begin_literal(c);
                        self.emit(&text[..next])?;
                        return Ok(rest);
                    }
                    None => self.level().is_composed = true,
                },
                '(' | '[' | '{' => {
                    let names = self.names;
                    // Directly after it: a blank ends a word.
                    let is_after_name = c == '(' && self.words.last().is_some_and(|last| *last != b' ');
                    let hides = is_after_name && names.hides_any_of(last_word(self.entry()));
                    self.level().is_composed = true;
                    self.blank();
                    let start = self.words.len();
                    self.levels.push(Level { start, is_tuple: c == '(', ..Level::default() });
                    if hides {
                        return self.leave_out(&text[..next], rest);
                    }
                }
                ')' | ']' | '}' => {
                    if self.levels.len() > 1 {
                        self.levels.pop();
                    }
                    self.level().is_composed = true;
                    self.blank();
                }
                ',' => {
                    if self.end_entry() {
                        return self.leave_out(&text[..next], rest);
                    }
                }
                // A path, or an operator.
                ':' | '=' if rest.starts_with([':', '=', '>']) || text[..at].ends_with([':', '=', '!', '<', '>']) => {
                    self.blank();
                }
                ':' | '=' => {
                    if self.end_key() {
                        return self.leave_out(&text[..next], rest);
                    }
                }
                c if is_name_char(c) => {
                    self.level().is_composed = true;
                    let len = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
                    self.word(&text[at..next + len]);
                    at = next + len;
                    continue;
                }
                c => {
                    let is_blank = c.is_whitespace();
                    self.level().is_composed |= !is_blank;
                    self.blank();
                }
            }
            at = next;
        }
        self.emit(text)?;
        Ok("")
    }

    /// Writes `shown`, and masks the value that follows.
    fn leave_out<'s>(&mut self, shown: &str, rest: &'s str) -> Result<&'s str, fmt::Error> {
        self.emit(shown)?;
        self.mask = Some(Mask::default());
        Ok(rest)
    }

    /// Ends an entry. Returns `true` if the next one has to be masked.
    fn end_entry(&mut self) -> bool {
        let names = self.names;
        let Level { is_tuple, commas, is_name, is_composed, has_literal, .. } = *self.level();
        // A pair whose first part is a name, as in a list of headers.
        let is_pairs_name = is_tuple && commas == 0 && has_literal && !is_composed;
        let hides = (is_pairs_name || is_name) && names.hides_any_of(self.entry());
        self.blank();
        // A tuple may be a key: `{Some("password"): ..}`.
        if !is_tuple {
            self.forget_words();
        }
        let level = self.level();
        *level = Level {
            commas: commas + 1,
            is_name: false,
            is_composed: false,
            has_literal: false,
            hides_value: level.hides_value || hides,
            ..*level
        };
        level.is_tuple && level.hides_value
    }

    /// Ends a name or a key. Returns `true` if its value has to be masked.
    fn end_key(&mut self) -> bool {
        let names = self.names;
        let key = self.entry();
        let hides = names.hides_any_of(key);
        let is_value = ["value", "val"].contains(&key);
        let is_name = ["name", "key", "header"].contains(&key);
        self.forget_words();
        let level = self.level();
        level.is_name = is_name;
        hides || is_value && level.hides_value
    }

    fn begin_literal(&mut self, quote: char) {
        self.blank();
        let level = self.level();
        // Two strings are not a name.
        level.is_composed |= level.has_literal;
        level.has_literal = true;
        self.literal = Some(Literal { quote, is_escaped: false, start: self.words.len() });
    }

    /// Adds the content of a literal to the words, as one word.
    fn literal_text(&mut self, text: &str) {
        let Some(Literal { start, .. }) = self.literal else { return };
        if self.mask.is_some() || self.words.len() + text.len() - start.min(self.words.len()) > MAX_NAME_LEN {
            return self.words.truncate(start);
        }
        self.words.extend(text.bytes().map(|byte| if byte == b' ' { b'_' } else { byte }));
    }

    /// Continues a literal, and returns the rest. A literal is closed at the beginning of a piece, and nowhere else: its closing
    /// quote is written separately.
    fn within_literal<'s>(&mut self, text: &'s str) -> Result<&'s str, fmt::Error> {
        let Some(mut literal) = self.literal else { return Ok(text) };
        if text.starts_with(literal.quote) && !literal.is_escaped {
            self.literal = None;
            self.blank();
            let (quote, rest) = text.split_at(literal.quote.len_utf8());
            self.emit(quote)?;
            return Ok(rest);
        }
        for c in text.chars() {
            literal.is_escaped = c == '\\' && !literal.is_escaped;
        }
        self.literal = Some(literal);
        self.literal_text(text);
        self.emit(text)?;
        Ok("")
    }

    /// Masks text up to the end of the value, and returns the rest.
    fn left_out<'s>(&mut self, text: &'s str, whole: &str, is_first: bool) -> Result<&'s str, fmt::Error> {
        let Some(mut mask) = self.mask else { return Ok(text) };
        let value = text.trim_start();
        let start = text.len() - value.len();
        let ends_here = is_first && mask.depth == 0 && value.starts_with([',', ')', ']', '}']);
        if !mask.is_shown && !ends_here {
            // The separator between the name and the value.
            self.mask = None;
            self.emit(&text[..start])?;
            self.mask = Some(mask);
        }
        if value.is_empty() {
            return Ok("");
        }
        // If the value begins in the piece that its name ends in, or in a piece with structure, all its brackets count. Otherwise
        // only those at the beginning of the piece do.
        let counts_all = !is_first || is_template(value);
        let mut at = start;
        let mut counts = true;
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at + c.len_utf8()..];
            match c {
                ',' | ')' | ']' | '}' if mask.depth == 0 && (counts || !is_first) => {
                    if at > start {
                        self.show_mask(&mut mask)?;
                    }
                    self.mask = None;
                    // Including the blank before a bracket.
                    return Ok(&text[if ends_here { 0 } else { at }..]);
                }
                ')' | ']' | '}' if counts || counts_all => mask.depth = mask.depth.saturating_sub(1),
                '(' | '[' | '{' if counts || counts_all => mask.depth += 1,
                '"' | '\'' => {
                    counts = false;
                    if let Some(len) = literal_len(&text[at..]) {
                        at += len;
                        continue;
                    }
                    if is_open(rest, c, whole) {
                        self.show_mask(&mut mask)?;
                        self.mask = Some(mask);
                        self.literal = Some(Literal { quote: c, is_escaped: false, start: self.words.len() });
                        return Ok(rest);
                    }
                }
                c => {
                    counts &=
                        c.is_whitespace() || matches!(c, ',' | '.' | ':' | '=' | '(' | ')' | '[' | ']' | '{' | '}')
                }
            }
            at += c.len_utf8();
        }
        self.show_mask(&mut mask)?;
        self.mask = Some(mask);
        Ok("")
    }

    fn show_mask(&mut self, mask: &mut Mask) -> fmt::Result {
        if !std::mem::replace(&mut mask.is_shown, true) {
            self.out.write_str(REDACTED)?;
        }
        Ok(())
    }
}

impl Write for Masker<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        let mut is_first = true;
        while !rest.is_empty() {
            if self.literal.is_some() {
                // Text after a closing quote is treated like the beginning of a piece.
                rest = self.within_literal(rest)?;
            } else if self.mask.is_some() {
                rest = self.left_out(rest, text, is_first)?;
                is_first = false;
            } else {
                rest = self.shown(rest, text)?;
                is_first = false;
            }
        }
        Ok(())
    }
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '#')
}

fn last_word(words: &str) -> &str {
    words.rsplit(' ').next().unwrap_or_default()
}

/// Returns the length, with quotes, of a literal that begins and ends in one piece. Returns `None` if it does not end there.
fn literal_len(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            // The apostrophes of `don't, can't` do not quote a character.
            let is_character = quote == '"' || text[1..at].chars().count() == 1 || text[1..at].starts_with('\\');
            return is_character.then_some(at + 1);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    None
}

/// Returns `true` if a literal continues in the next piece: its quote ends the piece; for a character, it is the whole piece.
fn is_open(rest: &str, quote: char, whole: &str) -> bool {
    rest.is_empty() && (quote == '"' || whole == "'")
}

/// Returns `true` if a piece is not a value, but text that a program wrote around values: it ends with a separator or an opening
/// bracket, or has only punctuation.
fn is_template(text: &str) -> bool {
    let is_before_value = |c: char| matches!(c, '(' | '[' | '{' | ',' | ':' | '=' | '"');
    let is_punctuation = |c: char| is_before_value(c) || c.is_whitespace() || matches!(c, ')' | ']' | '}' | '.');
    text.trim_end().ends_with(is_before_value) || text.chars().all(is_punctuation)
}

#[cfg(test)]
mod tests {
    #![allow(dead_code, reason = "fields are there to be shown")]
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const SECRET: &str = "hunter2";

    #[track_caller]
    fn check(value: &dyn fmt::Debug, compact: &str) {
        let masked = Masked { value, names: Names::NONE };
        assert_eq!(format!("{masked:?}"), compact);
        // The same on several lines, and with trailing commas.
        let pretty = format!("{masked:#?}");
        assert!(!pretty.contains(SECRET), "{pretty}");
        let squeezed =
            |text: &str| text.replace(char::is_whitespace, "").replace(",}", "}").replace(",)", ")").replace(",]", "]");
        assert_eq!(squeezed(&pretty), squeezed(compact));
    }

    #[derive(Debug)]
    struct Login {
        user: &'static str,
        password: &'static str,
    }

    #[derive(Debug)]
    struct Password(&'static str);

    const LOGIN: Login = Login { user: "ada", password: SECRET };

    #[test]
    fn fields_named_like_secrets_are_masked_at_any_depth() {
        const MASKED: &str = r#"Login { user: "ada", password: [redacted] }"#;
        check(&LOGIN, MASKED);
        check(&Some(LOGIN), &format!("Some({MASKED})"));
        check(&[LOGIN, LOGIN], &format!("[{MASKED}, {MASKED}]"));
        check(&(1, LOGIN, "x"), &format!(r#"(1, {MASKED}, "x")"#));
        check(&BTreeMap::from([("a", vec![LOGIN])]), &format!(r#"{{"a": [{MASKED}]}}"#));
        check(&Ok::<_, ()>(Box::new(Some(LOGIN))), &format!("Ok(Some({MASKED}))"));
    }

    #[test]
    fn values_of_secrets_are_masked_whatever_their_type() {
        #[derive(Debug)]
        struct Config<T> {
            api_keys: T,
            name: &'static str,
        }
        fn config<T: fmt::Debug>(api_keys: T) {
            check(&Config { api_keys, name: "x" }, r#"Config { api_keys: [redacted], name: "x" }"#);
        }
        config(7);
        config(());
        config('"');
        config('\'');
        config(["a", "b, c: }"]);
        config("\" }, name: (");
        config(Some(LOGIN));
        config(vec![Some((1, "a", [2, 3]))]);
        config(BTreeMap::from([("a)", "b"), ("]", "{")]));
        config(None::<u8>);
        config(format_args!("1, b) {SECRET}"));
        config(format_args!("1], (b{SECRET}"));
        config(format_args!("don't \" stop ){SECRET}"));
    }

    #[test]
    fn entries_of_maps_and_pairs_are_masked_by_their_keys() {
        check(
            &BTreeMap::from([("X-CSRFToken", SECRET), ("accept", "a"), ("authorization", SECRET)]),
            r#"{"X-CSRFToken": [redacted], "accept": "a", "authorization": [redacted]}"#,
        );
        check(
            &BTreeMap::from([(Some("password"), 1), (Some("user"), 2)]),
            r#"{Some("password"): [redacted], Some("user"): 2}"#,
        );
        check(
            &[("authorization", SECRET), ("host", "x"), ("cookie", SECRET)],
            r#"[("authorization", [redacted]), ("host", "x"), ("cookie", [redacted])]"#,
        );
        check(&BTreeSet::from(["password", "user"]), r#"{"password", "user"}"#);
        #[derive(Debug)]
        struct Header {
            name: &'static str,
            value: &'static str,
        }
        check(
            &[Header { name: "cookie", value: SECRET }, Header { name: "host", value: "x" }],
            r#"[Header { name: "cookie", value: [redacted] }, Header { name: "host", value: "x" }]"#,
        );
        check(&(Password(SECRET), "x"), r#"(Password([redacted]), "x")"#);
    }

    #[test]
    fn other_text_is_unchanged() {
        #[derive(Debug)]
        struct Other {
            a: &'static str,
            path: std::path::PathBuf,
            time: f64,
            character: [char; 3],
            unit: (),
            nested: Option<Result<u8, String>>,
        }
        let other = Other {
            a: "password: x, token=\"y\" \\ it's",
            path: "/a/b\"c".into(),
            time: 1e300,
            character: ['"', '\'', '{'],
            unit: (),
            nested: Some(Err("secret: no".into())),
        };
        assert_eq!(format!("{:?}", Masked { value: &other, names: Names::NONE }), format!("{other:?}"));
        assert_eq!(format!("{:#?}", Masked { value: &other, names: Names::NONE }), format!("{other:#?}"));
    }

    #[test]
    fn hand_written_debug_output_is_masked_too() {
        struct ByHand;
        impl fmt::Debug for ByHand {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let user = "ada";
                write!(f, "ByHand<user={user}, password={SECRET:?}, token: Some({SECRET})>")?;
                f.write_str(" Login { user: \"ada\", password: Some(\"hunter2, or (\"), age: 3 }")
            }
        }
        let shown = format!("{:?}", Masked { value: &ByHand, names: Names::NONE });
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.starts_with("ByHand<user=ada, password=[redacted]"), "{shown}");
    }

    #[test]
    fn characters_that_could_end_a_line_are_escaped() {
        let value = &format_args!("a\n2026 ERROR\u{1b}[31m\u{200b}");
        let shown = format!("{:?}", Masked { value, names: Names::NONE });
        assert_eq!(shown, r"a\n2026 ERROR\u{1b}[31m\u{200b}");
    }

    #[test]
    fn names_given_to_the_attribute_are_masked_or_shown() {
        const NAMES: &Names = &Names { redact: &["user"], reveal: &["password"] };
        let shown = format!("{:?}", Masked { value: &LOGIN, names: NAMES });
        assert_eq!(shown, r#"Login { user: [redacted], password: "hunter2" }"#);
    }

    /// Values of all shapes that the builders of `std` write, and strings that contain the same punctuation.
    #[derive(Clone)]
    enum Node {
        Number(u64),
        Text(String),
        Letter(char),
        Unit(&'static str),
        Struct(&'static str, Vec<(&'static str, Node)>, bool),
        Tuple(&'static str, Vec<Node>),
        List(Vec<Node>),
        Set(Vec<Node>),
        Map(Vec<(Node, Node)>),
        /// Text without quotes.
        Raw(String),
    }

    impl fmt::Debug for Node {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Node::Number(number) => number.fmt(f),
                Node::Text(text) => text.fmt(f),
                Node::Letter(letter) => letter.fmt(f),
                Node::Unit(name) => f.write_str(name),
                Node::Raw(text) => f.write_str(text),
                Node::Struct(name, fields, is_whole) => {
                    let mut builder = f.debug_struct(name);
                    for (name, value) in fields {
                        builder.field(name, value);
                    }
                    if *is_whole { builder.finish() } else { builder.finish_non_exhaustive() }
                }
                Node::Tuple(name, fields) => {
                    let mut builder = f.debug_tuple(name);
                    for value in fields {
                        builder.field(value);
                    }
                    builder.finish()
                }
                Node::List(items) => f.debug_list().entries(items).finish(),
                Node::Set(items) => f.debug_set().entries(items).finish(),
                Node::Map(entries) => f.debug_map().entries(entries.iter().map(|(key, value)| (key, value))).finish(),
            }
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (self.0 >> 33) as usize % end
        }

        fn of<T: Copy>(&mut self, from: &[T]) -> T {
            from[self.below(from.len())]
        }

        fn count(&mut self) -> usize {
            self.below(4)
        }

        fn node(&mut self, depth: usize) -> Node {
            const TYPES: &[&str] = &["Order", "Some", "Ok", "Session", "A"];
            const FIELDS: &[&str] =
                &["user", "id", "password", "api_keys", "authToken", "items", "value", "primary_key", "sessions", "a"];
            const KEYS: &[&str] = &["X-CSRFToken", "accept", "host", "cookie", "Set-Cookie", "private-key", "path: x"];
            const STRINGS: &[&str] =
                &["hunter", ", password: ", "\"", "\\", "{ token: (", "})]", "'", "é", "\n", "a b", "::", "=\"x\"", ""];
            let shapes = if depth == 0 { 4 } else { 10 };
            match self.below(shapes) {
                0 => Node::Number(self.below(1000) as u64),
                1 => Node::Text((0..self.count()).map(|_| self.of(STRINGS)).collect()),
                2 => Node::Letter(self.of(&['"', '\'', 'a', '\\', '{', ',', '\n', 'é'])),
                3 => Node::Unit(self.of(&["None", "()", "true", "-1.5e300", "GET"])),
                4 | 5 => {
                    let fields = (0..self.count()).map(|_| (self.of(FIELDS), self.node(depth - 1))).collect();
                    Node::Struct(self.of(TYPES), fields, self.below(4) > 0)
                }
                6 => {
                    // Not a pair whose first part is a name: that has its own test.
                    let first = Node::Number(1);
                    let name = self.of(&["Order", "Some", "Ok", ""]);
                    Node::Tuple(
                        name,
                        [first].into_iter().chain((0..self.count()).map(|_| self.node(depth - 1))).collect(),
                    )
                }
                7 => Node::List((0..self.count()).map(|_| self.node(depth - 1)).collect()),
                8 => Node::Set((0..self.count()).map(|_| self.node(depth - 1)).collect()),
                _ => {
                    let entry = |random: &mut Self| (Node::Text(random.of(KEYS).to_owned()), random.node(depth - 1));
                    Node::Map((0..self.count()).map(|_| entry(self)).collect())
                }
            }
        }
    }

    /// Returns the value with the values of secrets replaced.
    fn without_secrets(node: &Node) -> Node {
        let value = |name: &str, value: &Node| match is_secret(name) {
            true => Node::Raw(REDACTED.to_owned()),
            false => without_secrets(value),
        };
        let all = |nodes: &[Node]| nodes.iter().map(without_secrets).collect();
        match node {
            Node::Struct(name, fields, is_whole) => {
                let fields = fields.iter().map(|(name, node)| (*name, value(name, node))).collect();
                Node::Struct(name, fields, *is_whole)
            }
            Node::Tuple(name, fields) => Node::Tuple(name, all(fields)),
            Node::List(items) => Node::List(all(items)),
            Node::Set(items) => Node::Set(all(items)),
            Node::Map(entries) => {
                let entry = |(key, node): &(Node, Node)| match key {
                    Node::Text(name) => (key.clone(), value(name, node)),
                    key => (key.clone(), without_secrets(node)),
                };
                Node::Map(entries.iter().map(entry).collect())
            }
            other => other.clone(),
        }
    }

    #[test]
    fn exactly_the_values_of_secret_names_are_masked_in_random_values() {
        for seed in 0..if cfg!(miri) { 20 } else { 5_000 } {
            let node = Random(seed).node(5);
            let (masked, expected) = (Masked { value: &node, names: Names::NONE }, without_secrets(&node));
            assert_eq!(format!("{masked:?}"), format!("{expected:?}"), "{seed}: {node:?}");
            assert_eq!(format!("{masked:#?}"), format!("{expected:#?}"), "{seed}: {node:#?}");
        }
    }
}
