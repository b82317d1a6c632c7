//! What is known of a call site before its first line: encoded once.

use std::sync::atomic::{AtomicUsize, Ordering};

use tracing_core::{Level, Metadata};

use super::{
    escape,
    format::{Group, Levels, Member},
    layout::{Key, Layout},
};
use crate::{field::METRIC_PREFIXES, layer::is_about_the_context};

/// What every line of a call site has.
pub(super) struct CallSite {
    /// What is between the time and the message: level and target.
    pub(super) head: Box<[u8]>,
    /// File and line.
    pub(super) source: Box<[u8]>,
    pub(super) fields: Box<[OwnField]>,
    /// The index of the message.
    pub(super) message: Option<usize>,
    pub(super) is_metric: bool,
    /// It is inside of `opentelemetry`, where the current context may be borrowed.
    pub(super) is_about_the_context: bool,
    /// It is the one that all records of the `log` crate come from.
    pub(super) is_log: bool,
    /// It may write two fields under one key, or one that the line has.
    has_conflict: bool,
    /// How many context fields were known when the fields were compared with these, and whether they have a key in common.
    compared: AtomicUsize,
}

/// A field that the call site declares.
pub(super) struct OwnField {
    /// `None` where it is not written.
    pub(super) key: Option<Key>,
    /// The key, and zeros behind it, where it is no longer than this.
    pub(super) padded: [u8; PADDED],
    /// Where the sources of an error are written.
    pub(super) sources: Option<Key>,
}

/// A copy of so many bytes takes no call.
pub(super) const PADDED: usize = 32;

impl OwnField {
    fn new(key: Option<Key>, sources: Option<Key>) -> Self {
        let mut padded = [0; PADDED];
        if let Some(key) = &key
            && let Some(begin) = padded.get_mut(..key.len())
        {
            begin.copy_from_slice(key);
        }
        OwnField { key, padded, sources }
    }
}

impl CallSite {
    pub(super) fn new(metadata: &'static Metadata<'static>, layout: &Layout) -> Self {
        let names = || metadata.fields().iter().map(|field| field.name());
        let is_log = metadata.is_event() && names().any(|name| name == "log.target");
        let message = names().position(|name| name == "message");
        let keys: Vec<Option<Key>> = names()
            .enumerate()
            .map(|(at, name)| match name {
                _ if Some(at) == message => layout.key(Member::Message).map(Key::from),
                name if is_log && name.starts_with("log.") => None,
                name => Some(layout.key_of_field(name)),
            })
            .collect();
        let sources_of = |name: &str, own: &Option<Key>| {
            let key = layout.key_of_field(&format!("{}.sources", name.strip_prefix("r#").unwrap_or(name)));
            let is_taken = keys.iter().flatten().chain(&layout.keys_of_ids).any(|known| *known == key)
                || layout.constants.iter().any(|(known, _)| *known == key);
            own.as_ref().filter(|_| !is_taken).map(|_| key)
        };
        let sources: Vec<_> = names().zip(&keys).map(|(name, own)| sources_of(name, own)).collect();
        let has_conflict = keys.iter().enumerate().any(|(at, key)| {
            key.as_ref().is_some_and(|key| {
                keys[..at].iter().flatten().any(|other| other == key)
                    || layout.keys_of_ids.contains(key)
                    || layout.naming.not_shown.contains(key)
            })
        });
        let fields = keys.into_iter().zip(sources).map(|(key, sources)| OwnField::new(key, sources)).collect();
        // The quote after the time, if there is one.
        let mut head = if layout.timestamp.is_some() { vec![b'"'] } else { Vec::new() };
        push_level(&mut head, layout, *metadata.level());
        if !is_log {
            push_target(&mut head, layout, metadata.target());
        }
        head.extend_from_slice(&layout.fixed);
        let mut source = Vec::new();
        if !is_log {
            push_source(&mut source, layout, metadata.file(), metadata.line());
        }
        CallSite {
            head: head.into(),
            source: source.into(),
            fields,
            message,
            is_metric: names().any(|name| METRIC_PREFIXES.iter().any(|prefix| name.starts_with(prefix))),
            is_about_the_context: is_about_the_context(metadata),
            is_log,
            has_conflict,
            compared: AtomicUsize::new(usize::MAX),
        }
    }

    /// What is known of a span's, for the object that lines show it as.
    pub(super) fn of_span(metadata: &'static Metadata<'static>, layout: &Layout) -> Self {
        let names: Vec<_> = metadata.fields().iter().map(|field| field.name()).collect();
        let keys: Vec<_> = names.iter().map(|name| layout.key_within_span(name)).collect();
        let is_last = |at: usize| !keys[at + 1..].contains(&keys[at]);
        let fields = keys.iter().zip(&names).enumerate().map(|(at, (key, name))| {
            let sources = layout.key_within_span(&format!("{name}.sources"));
            OwnField::new(is_last(at).then(|| key.clone()), (!keys.contains(&sources)).then_some(sources))
        });
        CallSite {
            head: Box::default(),
            source: Box::default(),
            fields: fields.collect(),
            message: None,
            is_metric: false,
            is_about_the_context: false,
            is_log: false,
            has_conflict: false,
            compared: AtomicUsize::new(usize::MAX),
        }
    }

    /// Returns `true` if two members of a line may have one key: then it has to be known which fields have a value.
    #[inline]
    pub(super) fn may_conflict(&self, layout: &Layout) -> bool {
        let compared = self.compared.load(Ordering::Relaxed);
        let may_conflict =
            if compared >> 1 == layout.naming.known() { compared & 1 == 1 } else { self.compare(layout) };
        may_conflict || self.has_conflict
    }

    #[cold]
    fn compare(&self, layout: &Layout) -> bool {
        let keys = self.fields.iter().flat_map(|field| field.key.iter().chain(&field.sources)).map(|key| &**key);
        let (known, is_any) = layout.naming.know_any(keys);
        self.compared.store(known << 1 | usize::from(is_any), Ordering::Relaxed);
        is_any
    }
}

pub(super) fn push_target(bytes: &mut Vec<u8>, layout: &Layout, target: &str) {
    let Some(key) = layout.key(Member::Target) else { return };
    in_group(bytes, layout, Group::Target, |bytes| {
        bytes.extend_from_slice(key);
        escape::push_string(bytes, target);
    });
}

pub(super) fn push_source(bytes: &mut Vec<u8>, layout: &Layout, file: Option<&str>, line: Option<u32>) {
    in_group(bytes, layout, Group::Source, |bytes| {
        if let (Some(key), Some(file)) = (layout.key(Member::File), file) {
            bytes.extend_from_slice(key);
            escape::push_string(bytes, file);
        }
        if let (Some(key), Some(line)) = (layout.key(Member::Line), line) {
            bytes.extend_from_slice(key);
            bytes.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
        }
    });
}

fn push_level(bytes: &mut Vec<u8>, layout: &Layout, level: Level) {
    // OpenTelemetry's `SeverityNumber`; `Level` orders them the other way round.
    let (upper, lower, google_cloud, number) = match level {
        Level::ERROR => ("ERROR", "error", "ERROR", "17"),
        Level::WARN => ("WARN", "warn", "WARNING", "13"),
        Level::INFO => ("INFO", "info", "INFO", "9"),
        Level::DEBUG => ("DEBUG", "debug", "DEBUG", "5"),
        Level::TRACE => ("TRACE", "trace", "DEBUG", "1"),
    };
    if let Some(key) = layout.key(Member::Level) {
        bytes.extend_from_slice(key);
        escape::push_string(
            bytes,
            match layout.levels() {
                Levels::Upper => upper,
                Levels::Lower => lower,
                Levels::GoogleCloud => google_cloud,
            },
        );
    }
    if let Some(key) = layout.key(Member::LevelNumber) {
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(number.as_bytes());
    }
}

/// Has `write` append members, in an object of their own if the group has one.
pub(super) fn in_group(bytes: &mut Vec<u8>, layout: &Layout, group: Group, write: impl FnOnce(&mut Vec<u8>)) {
    let Some(key) = layout.nest(group) else { return write(bytes) };
    let before = bytes.len();
    bytes.extend_from_slice(key);
    let start = bytes.len();
    write(bytes);
    if bytes.len() == start {
        return bytes.truncate(before);
    }
    bytes[start] = b'{';
    bytes.push(b'}');
}
