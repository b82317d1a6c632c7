//! Events from made-up bytes.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use tracing_core::{
    Interest, Level, Metadata, callsite::Callsite, callsite::Identifier, field::FieldSet, field::Value as Visited,
    metadata::Kind,
};

/// Names of own fields: those that the line has itself, those of context fields, and those that have to be escaped.
pub(super) const NAMES: [&str; 16] = [
    "message",
    "timestamp",
    "level",
    "target",
    "span",
    "truncated",
    "trace_id",
    "shared",
    "user.id",
    "plain",
    "plain.sources",
    "",
    "quo\"te\\",
    "line\n\u{2028}",
    "r#type",
    "fields.level",
];

/// Returns the rest of the input; zeros once nothing is left.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl Input<'_> {
    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(super) fn bytes(&mut self) -> Vec<u8> {
        let len = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes.to_vec()
    }

    pub(super) fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    fn number(&mut self) -> u128 {
        (0..16).fold(0, |number, _| number << 8 | u128::from(self.byte()))
    }

    pub(super) fn own(&mut self) -> Own {
        match self.byte() % 10 {
            0 => Own::Nothing,
            1 => Own::Bool(self.byte() % 2 == 1),
            2 => Own::I64(self.number() as i64),
            3 => Own::U64(self.number() as u64),
            4 => Own::F64(f64::from_bits(self.number() as u64)),
            5 => Own::I128(self.number() as i128),
            6 => Own::U128(self.number()),
            7 => Own::Bytes(self.bytes().into()),
            8 => Own::Error(Box::new(Caused(
                self.text(),
                (self.byte() % 2 == 1).then(|| Box::new(Caused(self.text(), None))),
            ))),
            _ => Own::Text(self.text()),
        }
    }
}

/// A value of an event's own.
pub(super) enum Own {
    Nothing,
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    I128(i128),
    U128(u128),
    Text(String),
    Bytes(Box<[u8]>),
    Error(Box<dyn Error + 'static>),
}

impl Own {
    pub(super) fn as_value(&self) -> Option<&dyn Visited> {
        Some(match self {
            Own::Nothing => return None,
            Own::Bool(value) => value,
            Own::I64(value) => value,
            Own::U64(value) => value,
            Own::F64(value) => value,
            Own::I128(value) => value,
            Own::U128(value) => value,
            Own::Text(value) => value,
            Own::Bytes(value) => value,
            Own::Error(value) => value,
        })
    }
}

#[derive(Debug)]
struct Caused(String, Option<Box<Caused>>);

impl fmt::Display for Caused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Caused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

/// The bytes that an output has written.
#[derive(Clone, Default)]
pub(super) struct Lines(pub(super) Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A call site with fields of these names: one for each list of them, for ever.
struct Site(std::sync::OnceLock<Metadata<'static>>);

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().expect("it is set at its creation")
    }
}

pub(super) fn metadata_of(names: &[usize]) -> &'static Metadata<'static> {
    static KNOWN: Mutex<Option<HashMap<Vec<usize>, &'static Site>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let site = known.get_or_insert_default().entry(names.to_vec()).or_insert_with(|| {
        let site: &'static Site = Box::leak(Box::new(Site(std::sync::OnceLock::new())));
        let names: Vec<&'static str> = names.iter().map(|name| NAMES[*name]).collect();
        let fields = FieldSet::new(names.leak(), Identifier(site));
        let made = Metadata::new("event", "made::up", Level::INFO, None, None, None, fields, Kind::EVENT);
        assert!(site.0.set(made).is_ok());
        site
    });
    site.0.get().expect("it is set at its creation")
}
