//! The constant parts of a call site's JSON lines.

use tracing_core::{Level, Metadata};

use super::{
    escape,
    format::{Group, Levels, Member},
    layout::Layout,
};
use crate::output::{
    call_site::{CallSite, OwnField, is_log},
    notation::Key,
};

/// Creates the call site of an event.
pub(super) fn of_event(metadata: &'static Metadata<'static>, layout: &Layout) -> CallSite {
    let names = || metadata.fields().iter().map(|field| field.name());
    let is_log = is_log(metadata);
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
    CallSite::of_event(metadata, head, source, fields, has_conflict)
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
