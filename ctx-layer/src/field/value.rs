//! One value as it is stored: typed for who reads it, and as it stands on spans and events.

use std::{
    any::{Any, TypeId},
    cell::Cell,
    fmt,
    marker::PhantomData,
    mem,
    str::FromStr,
    sync::OnceLock,
    thread::LocalKey,
};

use tracing_core::field::Value;

use super::{
    declaration::{Declaration, Parse},
    hash,
    key::FieldType,
    policy::Sensitivity,
    set::Fields,
    text,
};

/// What a masked value shows.
pub(crate) const MASK: &str = "[redacted]";

/// A value in the primitive types that `tracing` and OpenTelemetry attributes know.
#[derive(Debug, PartialEq)]
pub(crate) enum Shown {
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    /// Not a `Box<str>`, which `tracing` visits by one more virtual call.
    Text(String),
}

impl Shown {
    fn as_value(&self) -> &(dyn Value + 'static) {
        match self {
            Shown::Bool(v) => v,
            Shown::I64(v) => v,
            Shown::U64(v) => v,
            Shown::F64(v) => v,
            Shown::Text(v) => v,
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Bool(v) => v.fmt(f),
            Shown::I64(v) => v.fmt(f),
            Shown::U64(v) => v.fmt(f),
            Shown::F64(v) => v.fmt(f),
            Shown::Text(v) => v.fmt(f),
        }
    }
}

/// The user's value, its type forgotten.
pub(crate) trait Erased: fmt::Display + Send + Sync {
    fn as_any(&self) -> &dyn Any;
}

impl<T: FieldType> Erased for T {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A field's value: made once when it is set, shared by everything that carries it.
pub(crate) struct Entry {
    declaration: &'static Declaration,
    shown: Shown,
    /// Dropping the value does nothing but free memory, and the value is not sensitive.
    is_plain: bool,
    hashed: OnceLock<Box<str>>,
    /// Behind a pointer of its own, so that what is looked at on every event stands at a fixed place. `None` where the
    /// value is a `String` that is shown as it is: it stands in `shown`, and only there.
    value: Option<Box<dyn Erased>>,
}

impl Entry {
    pub(crate) fn new<T: FieldType>(declaration: &'static Declaration, value: T) -> Entry {
        match shown_as_it_is(declaration, value) {
            Ok(text) => Entry::of_text(declaration, text),
            Err(value) => Entry::of_other(declaration, value),
        }
    }

    /// A `String` that is shown as it is.
    #[inline(always)]
    pub(super) fn of_text(declaration: &'static Declaration, text: String) -> Entry {
        let is_plain = declaration.policy().sensitivity() == Sensitivity::Public;
        Entry { declaration, shown: Shown::Text(text), is_plain, hashed: OnceLock::new(), value: None }
    }

    /// Anything else.
    pub(super) fn of_other<T: FieldType>(declaration: &'static Declaration, value: T) -> Entry {
        let shown = show(&value, declaration.policy().max_text_len());
        let any: &dyn Any = &value;
        let is_text = any.is::<String>() || any.is::<&'static str>();
        let is_public = declaration.policy().sensitivity() == Sensitivity::Public;
        let is_plain = is_public && (is_text || !matches!(shown, Shown::Text(_)));
        Entry { declaration, shown, is_plain, hashed: OnceLock::new(), value: Some(Box::new(value)) }
    }

    /// Hashes the value, if that is how it is shown: while it is not in force yet, so that a `Display` that logs does not
    /// come back here.
    #[inline]
    pub(super) fn prepare(&self) {
        if self.declaration.policy().sensitivity() == Sensitivity::Hashed {
            self.hashed();
        }
    }

    pub(crate) fn declaration(&self) -> &'static Declaration {
        self.declaration
    }

    /// The user's value, where it has the type asked for.
    pub(crate) fn downcast<T: 'static>(&self) -> Option<&T> {
        match (&self.value, &self.shown) {
            (Some(value), _) => (**value).as_any().downcast_ref(),
            (None, Shown::Text(text)) => (text as &dyn Any).downcast_ref(),
            // Not made: only texts have no value of their own.
            (None, _) => None,
        }
    }

    /// The user's value itself, whatever its length and however sensitive: for the wire.
    pub(crate) fn raw(&self) -> &dyn fmt::Display {
        match &self.value {
            Some(value) => &**value,
            None => &self.shown,
        }
    }

    /// The value as outputs get it.
    #[inline]
    pub(crate) fn as_value(&self, sensitivity: Sensitivity) -> &(dyn Value + 'static) {
        // Nearly all values are plain texts: two comparisons instead of two jumps by table.
        if let (Sensitivity::Public, Shown::Text(text)) = (sensitivity, &self.shown) {
            return text;
        }
        self.as_any_value(sensitivity)
    }

    fn as_any_value(&self, sensitivity: Sensitivity) -> &(dyn Value + 'static) {
        match sensitivity {
            Sensitivity::Public => self.shown.as_value(),
            Sensitivity::Masked => &MASK,
            Sensitivity::Hashed => match self.hashed() {
                Some(hashed) => hashed,
                None => &MASK,
            },
        }
    }

    /// `None` where the value is just being hashed, and its `Display` logs.
    #[allow(clippy::borrowed_box)] // `str` itself cannot be passed on as a `dyn Value`.
    fn hashed(&self) -> Option<&Box<str>> {
        thread_local! {
            static HASHING: Cell<bool> = const { Cell::new(false) };
        }
        if let Some(hashed) = self.hashed.get() {
            return Some(hashed);
        }
        if HASHING.replace(true) {
            return None;
        }
        // A `Display` that panics must not leave the mark: every hashed value of this thread would be masked from then on.
        let unmark = Unmark(&HASHING);
        let hashed = hash::hashed(self.declaration.name(), self.raw());
        drop(unmark);
        Some(self.hashed.get_or_init(|| hashed))
    }

    /// Whether the value may be kept a little longer than asked for.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// The value as text, as sensitive as its declaration says.
    pub(crate) fn display(&self) -> &dyn fmt::Display {
        match self.declaration.policy().sensitivity() {
            Sensitivity::Public => &self.shown,
            Sensitivity::Masked | Sensitivity::Hashed => &MASK,
        }
    }
}

/// Takes a thread's mark away.
struct Unmark(&'static LocalKey<Cell<bool>>);

impl Drop for Unmark {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// A `String` that fits and is fit to be shown, moved and not copied; gives all else back.
#[inline]
pub(super) fn shown_as_it_is<T: FieldType>(declaration: &Declaration, value: T) -> Result<String, T> {
    let max_len = declaration.policy().max_text_len();
    let mut value = Some(value);
    let any: &mut dyn Any = &mut value;
    if let Some(text) = any.downcast_mut::<Option<String>>()
        && text.as_ref().is_some_and(|text| text::is_presentable(text, max_len))
        && let Some(text) = text.take()
    {
        return Ok(text);
    }
    // Still there: it is taken out only where this has returned.
    value.map_or_else(|| Ok(String::new()), Err)
}

/// Finds the primitive in which a value keeps its type, else its text.
fn show<T: FieldType>(value: &T, max_len: usize) -> Shown {
    macro_rules! primitives {
        ($($type:ty => $shown:expr),* $(,)?) => {
            $(if let Some(value) = (value as &dyn Any).downcast_ref::<$type>() {
                return $shown(*value);
            })*
        };
    }
    primitives!(
        bool => Shown::Bool,
        i64 => Shown::I64, i32 => signed, i16 => signed, i8 => signed, isize => |v| Shown::I64(v as i64),
        u64 => unsigned, u32 => unsigned, u16 => unsigned, u8 => unsigned, usize => |v| unsigned(v as u64),
        f64 => Shown::F64, f32 => |v| Shown::F64(f64::from(v)),
    );
    Shown::Text(text::presentable(value, max_len))
}

fn signed(value: impl Into<i64>) -> Shown {
    Shown::I64(value.into())
}

/// OpenTelemetry has no unsigned integers, and `tracing-opentelemetry` makes texts of them. What fits goes as `i64`.
fn unsigned(value: impl Into<u64>) -> Shown {
    let value = value.into();
    i64::try_from(value).map_or(Shown::U64(value), Shown::I64)
}

/// Finds out, at compile time, whether a type can come back from text.
///
/// An inherent constant is preferred to one of a trait, so `Parser::<T>::PARSE` is `Some` exactly where
/// `T: FromStr`, and [`NoParser`]'s `None` elsewhere. Only the [`context_fields!`](crate::context_fields) macro, which
/// knows a concrete `T`, can ask this way.
#[doc(hidden)]
#[derive(Debug)]
pub struct Parser<T>(PhantomData<T>);

#[doc(hidden)]
pub trait NoParser {
    /// The fallback.
    const PARSE: Option<Parse> = None;
}

impl<T> NoParser for Parser<T> {}

impl<T: FieldType + FromStr> Parser<T> {
    /// The parser of a type that has one.
    pub const PARSE: Option<Parse> = Some(Parse(parse::<T>));
}

/// The text is presentable, and no longer than the field allows. Says whether it is of the field's type.
fn parse<T: FieldType + FromStr>(fields: &mut Fields, declaration: &'static Declaration, text: &str) -> bool {
    if TypeId::of::<T>() == TypeId::of::<String>() {
        *fields = mem::take(fields).with_text(declaration, text.to_owned());
        return true;
    }
    let Ok(value) = text.parse::<T>() else { return false };
    *fields = mem::take(fields).with_entry(Entry::new(declaration, value));
    true
}

/// Why a text from outside is not a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Baggage does not count for the field.
    NotFromBaggage,
    /// It is longer than the field allows.
    TooLong,
    /// It has control characters.
    ControlCharacters,
    /// The field's type has no parser, or refuses the text.
    WrongType,
}

impl Fields {
    /// Sets what baggage, which is untrusted text, says of a field. Text that is known to be printable is not looked at again.
    pub(crate) fn set_from_baggage(
        &mut self,
        declaration: &'static Declaration,
        untrusted: &str,
        is_printable: bool,
    ) -> Result<(), Refused> {
        if !declaration.policy().is_from_baggage() {
            return Err(Refused::NotFromBaggage);
        }
        if untrusted.len() > declaration.policy().max_text_len() {
            return Err(Refused::TooLong);
        }
        if !is_printable && text::has_unsafe(untrusted) {
            return Err(Refused::ControlCharacters);
        }
        let parse = declaration.parse().ok_or(Refused::WrongType)?;
        if (parse.0)(self, declaration, untrusted) { Ok(()) } else { Err(Refused::WrongType) }
    }
}
