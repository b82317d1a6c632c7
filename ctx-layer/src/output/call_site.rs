//! The constant parts of a call site's lines, encoded once.

use std::sync::atomic::{AtomicUsize, Ordering};

use tracing_core::Metadata;

use super::{line::PADDED, naming::Naming, notation::Key};
use crate::{field::METRIC_PREFIXES, layer::is_about_the_context};

/// The constant parts of each line of a call site.
pub(super) struct CallSite {
    /// The part between the time and the message: level and target.
    pub(super) head: Box<[u8]>,
    /// File and line.
    #[cfg_attr(not(feature = "json"), allow(dead_code, reason = "lines for people have it in the head"))]
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
    pub(super) has_conflict: bool,
    /// How many context fields were known when the fields were compared with these, and whether they have a key in common.
    compared: AtomicUsize,
}

/// A field that the call site declares.
pub(super) struct OwnField {
    /// `None` where it is not written.
    pub(super) key: Option<Key>,
    /// The key, and zeros behind it, where it is no longer than this.
    pub(super) padded: [u8; PADDED],
    /// The member in which the sources of an error are written.
    pub(super) sources: Option<Key>,
}

impl OwnField {
    pub(super) fn new(key: Option<Key>, sources: Option<Key>) -> Self {
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
    /// Creates the call site of an event. Its lines get `head` before the message and `source` behind the fields.
    pub(super) fn of_event(
        metadata: &'static Metadata<'static>,
        head: Vec<u8>,
        source: Vec<u8>,
        fields: Box<[OwnField]>,
        has_conflict: bool,
    ) -> Self {
        let names = || metadata.fields().iter().map(|field| field.name());
        CallSite {
            head: head.into(),
            source: source.into(),
            fields,
            message: names().position(|name| name == "message"),
            is_metric: names().any(|name| METRIC_PREFIXES.iter().any(|prefix| name.starts_with(prefix))),
            is_about_the_context: is_about_the_context(metadata),
            is_log: is_log(metadata),
            has_conflict,
            compared: AtomicUsize::new(usize::MAX),
        }
    }

    /// Creates the call site of a span, for the fields that lines show of it.
    pub(super) fn of_span(metadata: &'static Metadata<'static>, key_of: impl Fn(&str) -> Key) -> Self {
        let names: Vec<_> = metadata.fields().iter().map(|field| field.name()).collect();
        let keys: Vec<_> = names.iter().map(|name| key_of(name)).collect();
        let is_last = |at: usize| !keys[at + 1..].contains(&keys[at]);
        let fields = keys.iter().zip(&names).enumerate().map(|(at, (key, name))| {
            let sources = key_of(&format!("{name}.sources"));
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
    pub(super) fn may_conflict(&self, naming: &Naming) -> bool {
        let compared = self.compared.load(Ordering::Relaxed);
        let may_conflict = if compared >> 1 == naming.known() { compared & 1 == 1 } else { self.compare(naming) };
        may_conflict || self.has_conflict
    }

    #[cold]
    fn compare(&self, naming: &Naming) -> bool {
        let keys = self.fields.iter().flat_map(|field| field.key.iter().chain(&field.sources)).map(|key| &**key);
        let (known, is_any) = naming.know_any(keys);
        self.compared.store(known << 1 | usize::from(is_any), Ordering::Relaxed);
        is_any
    }
}

/// Returns `true` for the call site that all records of the `log` crate come from.
pub(super) fn is_log(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && metadata.fields().iter().any(|field| field.name() == "log.target")
}
