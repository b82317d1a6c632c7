//! `Debug` output with secrets masked.
//!
//! A `Formatter` does not show which field a value belongs to, so the field is found in the output. The builders of `std`
//! (`debug_struct`, `debug_map`, ...), which `#[derive(Debug)]` uses, write names, values and separators in separate pieces. So
//! the end of a value is known even if it is not quoted and contains commas and brackets.

use std::fmt::{self, Write};

use smallvec::SmallVec;

use super::{names::Names, shown::REDACTED, text::Escaped};

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
mod tests;
