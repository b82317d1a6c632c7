//! A strict reader of lines without colours, time and target: anything that is not of the documented form is an error.

/// The parts of a record.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) level: String,
    /// The message, all lines of it.
    pub(crate) message: Option<String>,
    /// Names and values, as they are shown: a string has its quotes and escapes removed.
    pub(crate) fields: Vec<(String, String)>,
    /// The labels of the lines below, and their strings: all lines of each.
    pub(crate) below: Vec<(String, String)>,
}

/// Reads all records of an output.
pub(crate) fn records(text: &str) -> Vec<Read> {
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    let mut records: Vec<Read> = Vec::new();
    for line in text.split_terminator('\n') {
        let is_safe = |c: char| !c.is_control() || c == '\t' && line.starts_with("    ");
        assert!(line.chars().all(is_safe), "a control character: {line:?}");
        match line.strip_prefix("    ") {
            None => records.push(first(line)),
            Some(below) => more(records.last_mut().expect("a line below is below one"), below),
        }
    }
    records
}

/// Reads the first line of a record.
fn first(line: &str) -> Read {
    let (level, rest) = line.split_at(5);
    assert!(["ERROR", "WARN ", "INFO ", "DEBUG", "TRACE"].contains(&level), "{line:?}");
    // The message ends where the first field begins.
    let (message, mut rest) = match rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line:?}")) {
        quoted if quoted.starts_with('"') && !begins_with_field(rest) => {
            let (message, rest) = string(quoted);
            (Some(message), rest)
        }
        _ => {
            let end = field_starts(rest).next().unwrap_or(rest.len());
            let message = rest[..end].strip_prefix(' ').map(str::to_owned);
            (message.filter(|message| !message.is_empty()), &rest[end..])
        }
    };
    let mut fields = Vec::new();
    while !rest.is_empty() {
        assert!(begins_with_field(rest), "no field: {rest:?} in {line:?}");
        let (name, after) = name(&rest[1..]);
        let value_text = after.strip_prefix('=').unwrap();
        let (value, after) = value(value_text);
        fields.push((name, value));
        rest = after;
    }
    Read { level: level.trim_end().to_owned(), message, fields, below: Vec::new() }
}

/// Reads a line below.
fn more(record: &mut Read, line: &str) {
    if let Some(text) = line.strip_prefix("| ") {
        let text = unquoted(text);
        let target = match record.below.last_mut() {
            Some((_, last)) => last,
            None => record.message.get_or_insert_default(),
        };
        target.push('\n');
        target.push_str(&text);
    } else {
        let (label, text) = line.split_once(": ").unwrap_or_else(|| panic!("no label: {line:?}"));
        record.below.push((label.to_owned(), unquoted(text)));
    }
}

fn unquoted(text: &str) -> String {
    if !text.starts_with('"') {
        return text.to_owned();
    }
    let (text, rest) = string(text);
    assert_eq!(rest, "");
    text
}

/// Returns where fields begin, at the blank before each.
fn field_starts(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices(' ').map(|(at, _)| at).filter(|at| begins_with_field(&text[*at..]))
}

/// Returns `true` if the text is ` name=...`.
fn begins_with_field(text: &str) -> bool {
    let Some(text) = text.strip_prefix(' ') else { return false };
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '=' | '"' | '!' | '<' | '>')).unwrap_or(text.len());
    end > 0 && text[end..].starts_with('=')
}

fn name(text: &str) -> (String, &str) {
    let end = text.find('=').unwrap();
    (text[..end].to_owned(), &text[end..])
}

fn value(text: &str) -> (String, &str) {
    if text.starts_with('"') {
        return string(text);
    }
    let end = field_starts(text).next().unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

fn string(text: &str) -> (String, &str) {
    try_string(text).unwrap_or_else(|| panic!("not a string: {text:?}"))
}

/// Reads a string in quotes, and returns what is behind it.
fn try_string(text: &str) -> Option<(String, &str)> {
    let mut read = String::new();
    let mut chars = text.strip_prefix('"')?.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((read, &text[at + 2..])),
            '\\' => match chars.next()?.1 {
                'n' => read.push('\n'),
                'r' => read.push('\r'),
                't' => read.push('\t'),
                'u' => {
                    let digits: String = chars.by_ref().skip(1).map(|(_, c)| c).take_while(|c| *c != '}').collect();
                    read.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                c @ ('"' | '\\') => read.push(c),
                _ => return None,
            },
            c => read.push(c),
        }
    }
    None
}
