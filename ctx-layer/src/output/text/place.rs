//! The place of an event: target, file, line and thread.

use std::thread;

use tracing_core::{Event, Metadata};

use super::{
    colours::Colours,
    line::Line,
    readable::{Readable, push_title},
    text_layer::{Settings, TextLayer},
};
use crate::{
    context::is_gone,
    output::{
        call_site::{CallSite, OwnField, is_log},
        common::{LogSource, thread_number},
        naming::field_name,
        notation::{Key, Notation},
    },
};

impl<W> TextLayer<W> {
    /// Creates the constant parts of a call site's lines.
    pub(super) fn call_site(&self, metadata: &'static Metadata<'static>, colours: &Colours) -> CallSite {
        let names = || metadata.fields().iter().map(|field| field.name());
        let is_log = is_log(metadata);
        let message = names().position(|name| name == "message");
        let keys: Vec<Option<Key>> = names()
            .enumerate()
            .map(|(at, name)| match name {
                _ if Some(at) == message => Some(Box::from(*b" ")),
                name if is_log && name.starts_with("log.") => None,
                name => Some(Readable::key(&field_name(&[], &[], name))),
            })
            .collect();
        let has_conflict = keys.iter().enumerate().any(|(at, key)| key.is_some() && keys[at + 1..].contains(key));
        let fields = keys.into_iter().map(|key| OwnField::new(key, None)).collect();
        let mut head = Vec::new();
        if !is_log {
            self.push_place(&mut head, colours, metadata.target(), metadata.file(), metadata.line());
        }
        CallSite::of_event(metadata, head, Vec::new(), fields, has_conflict)
    }

    /// Appends target, file and line.
    pub(super) fn push_place(
        &self,
        bytes: &mut Vec<u8>,
        colours: &Colours,
        target: &str,
        file: Option<&str>,
        line: Option<u32>,
    ) {
        let Settings { target: has_target, full_target, file: has_file, line: has_line, .. } = self.settings;
        let file = file.filter(|_| has_file);
        let line = line.filter(|_| has_line);
        if !has_target && file.is_none() && line.is_none() {
            return;
        }
        bytes.push(b' ');
        bytes.extend_from_slice(colours.dim.as_bytes());
        if has_target {
            match shortened(target).filter(|_| !full_target) {
                Some((first, last)) => {
                    push_title(bytes, first);
                    bytes.extend_from_slice(b"::..::");
                    push_title(bytes, last);
                }
                None => push_title(bytes, target),
            }
            if file.is_some() || line.is_some() {
                bytes.push(b' ');
            }
        }
        if let Some(file) = file {
            push_title(bytes, file);
        }
        if let Some(line) = line {
            bytes.push(b':');
            bytes.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
        }
        bytes.extend_from_slice(colours.reset.as_bytes());
    }

    #[cold]
    pub(super) fn push_place_of_log(&self, line: &mut Line, colours: &Colours, event: &Event<'_>) {
        let source = LogSource::of(event);
        let target = source.target.as_deref().unwrap_or(event.metadata().target());
        self.push_place(line.raw(), colours, target, source.file.as_deref(), source.line);
    }

    #[cold]
    pub(super) fn push_thread(&self, line: &mut Line) {
        // While the thread is being torn down it has no name.
        if is_gone() {
            return;
        }
        let current = thread::current();
        let name = current.name().filter(|_| self.settings.thread_name);
        if name.is_none() && !self.settings.thread_id {
            return;
        }
        line.push(b" [");
        if let Some(name) = name {
            push_title(line.raw(), name);
        }
        if self.settings.thread_id {
            line.push(if name.is_some() { b" " } else { b"" });
            line.push(itoa::Buffer::new().format(thread_number()).as_bytes());
        }
        line.push_byte(b']');
    }
}

/// Returns the first and the last of a target's parts, if it has more than two.
fn shortened(target: &str) -> Option<(&str, &str)> {
    let (first, rest) = target.split_once("::")?;
    let (_, last) = rest.rsplit_once("::")?;
    Some((first, last))
}
