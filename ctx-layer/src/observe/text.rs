//! `Display` output, in a form that cannot be mistaken for another line or field.

use std::{
    borrow::Cow,
    fmt::{self, Write},
    rc::Rc,
    sync::Arc,
};

use smallvec::SmallVec;
use tracing::field::{DisplayValue, Empty, Value, display};

use super::shown::Shown;
use crate::field::is_unsafe_in_text;

/// The `Display` output of a value.
///
/// Text formats write strings quoted and escaped, and all other values as they are. So output that could end its line, or
/// look like another field, is recorded as a string. Other formats get it unchanged.
pub struct Text(Form);

enum Form {
    Nothing,
    Plain(DisplayValue<Plain>),
    Quoted(String),
}

impl Text {
    /// Formats a value, once for all outputs.
    pub(super) fn of(value: &(impl fmt::Display + ?Sized)) -> Self {
        let mut plain = Plain(SmallVec::new());
        // A `Display` that returns an error has written all it can.
        let _ = write!(plain, "{value}");
        Text(match plain.as_str() {
            text if needs_quotes(text) => Form::Quoted(text.to_owned()),
            _ => Form::Plain(display(plain)),
        })
    }

    pub(super) fn of_option(value: Option<&impl fmt::Display>) -> Self {
        value.map_or(Text(Form::Nothing), Text::of)
    }
}

impl Shown for Text {
    fn value(&self) -> &dyn Value {
        match &self.0 {
            Form::Nothing => &Empty,
            Form::Plain(text) => text,
            Form::Quoted(text) => text,
        }
    }
}

/// Output that is shown without quotes. Nearly all of it is short.
struct Plain(SmallVec<[u8; 64]>);

impl Plain {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Write for Plain {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn needs_quotes(text: &str) -> bool {
    text.chars().any(is_unsafe_in_text) || text.contains('=') && text.contains(char::is_whitespace)
}

/// A type that is a string behind any pointers, and is shown as one.
pub trait ToText {
    fn to_text(&self) -> Option<&str>;
}

impl ToText for str {
    fn to_text(&self) -> Option<&str> {
        Some(self)
    }
}

impl ToText for String {
    fn to_text(&self) -> Option<&str> {
        Some(self)
    }
}

impl ToText for Cow<'_, str> {
    fn to_text(&self) -> Option<&str> {
        Some(self)
    }
}

impl<T: ToText> ToText for Option<T> {
    fn to_text(&self) -> Option<&str> {
        self.as_ref().and_then(T::to_text)
    }
}

macro_rules! pointer_to_text {
    ($($pointer:ty)*) => {$(
        impl<T: ToText + ?Sized> ToText for $pointer {
            fn to_text(&self) -> Option<&str> {
                (**self).to_text()
            }
        }
    )*};
}

pointer_to_text!(&T &mut T Box<T> Rc<T> Arc<T>);

/// Returns `true` if a value's `Display` output has a character that must not reach a terminal or a log file. Does not allocate.
pub(super) fn has_unsafe(value: &(impl fmt::Display + ?Sized)) -> bool {
    struct Search(bool);
    impl Write for Search {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 |= text.chars().any(is_unsafe_in_text);
            if self.0 { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut search = Search(false);
    let _ = write!(search, "{value}");
    search.0
}

/// Returns a value's `Display` output, escaped.
pub(super) fn escaped(value: &(impl fmt::Display + ?Sized)) -> String {
    struct ByDisplay<'a, T: ?Sized>(&'a T);
    impl<T: fmt::Display + ?Sized> fmt::Display for ByDisplay<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(Escaped(f), "{}", self.0)
        }
    }
    ByDisplay(value).to_string()
}

/// A writer that escapes characters that must not reach a terminal or a log file.
pub(super) struct Escaped<'a, 'b>(pub(super) &'a mut fmt::Formatter<'b>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            if is_unsafe_in_text(c) {
                self.0.write_str(&text[plain..at])?;
                match c {
                    '\n' | '\r' | '\t' | '\0' => write!(self.0, "{}", c.escape_debug())?,
                    c => write!(self.0, "{}", c.escape_unicode())?,
                }
                plain = at + c.len_utf8();
            }
        }
        self.0.write_str(&text[plain..])
    }
}
