//! A format made ready: keys that are encoded already.

use std::borrow::Cow;

use super::{
    escape::{self, Json},
    format::{Format, Group, Ids, Levels, Member, Times},
};
use crate::output::{
    naming::{Naming, field_name},
    notation::{Key, Notation},
};

fn key_of(name: &str) -> Key {
    Json::key(name)
}

/// The members that a line may have besides its fields, as far as they are enabled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) timestamp: bool,
    pub(super) level: bool,
    pub(super) target: bool,
    pub(super) span: bool,
    pub(super) spans: bool,
    pub(super) file: bool,
    pub(super) line: bool,
    pub(super) thread_name: bool,
    pub(super) thread_id: bool,
    pub(super) ids: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Wanted {
            timestamp: true,
            level: true,
            target: true,
            span: true,
            spans: false,
            file: false,
            line: false,
            thread_name: false,
            thread_id: false,
            ids: true,
        }
    }
}

impl Wanted {
    fn has(&self, member: Member) -> bool {
        match member {
            Member::Timestamp => self.timestamp,
            Member::Level | Member::LevelNumber => self.level,
            Member::Target => self.target,
            Member::Message | Member::Truncated => true,
            Member::Span => self.span,
            Member::Spans => self.spans,
            Member::File => self.file,
            Member::Line => self.line,
            Member::ThreadName => self.thread_name,
            Member::ThreadId => self.thread_id,
            Member::TraceId | Member::SpanId | Member::TraceFlags => self.ids,
        }
    }
}

/// A format with what was asked for, made ready.
pub(super) struct Layout {
    format: Format,
    keys: [Option<Key>; Member::ALL.len()],
    nests: [Option<Key>; 6],
    /// The key of the time, and the quote after it.
    pub(super) timestamp: Option<Key>,
    /// The constant members of the format.
    pub(super) fixed: Box<[u8]>,
    /// The constants, each with its key.
    pub(super) constants: Vec<(Key, Vec<u8>)>,
    /// All of them.
    pub(super) constant_bytes: Box<[u8]>,
    /// Names that fields cannot have where they are.
    reserved: Vec<String>,
    /// Keys of the ids, where they are beside the fields.
    pub(super) keys_of_ids: Vec<Key>,
    pub(super) naming: &'static Naming,
}

impl Layout {
    pub(super) fn new(format: Format, wanted: Wanted, constants: &[(Cow<'static, str>, Cow<'static, str>)]) -> Self {
        let mut names = Names::default();
        let mut keys = [const { None }; Member::ALL.len()];
        let mut nests = [const { None }; 6];
        let groups = [Group::Target, Group::Fields, Group::Source, Group::Thread, Group::Ids, Group::Constants];
        let fields_in = format.nest_of(Group::Fields).map(str::to_owned);
        let top = None;
        // Objects first: no member has the name of one.
        for group in groups {
            let within = match group {
                Group::Source | Group::Thread if format.has_members_in_fields => &fields_in,
                _ => &top,
            };
            if let Some(name) = format.nest_of(group) {
                nests[group as usize] = Some(key_of(&names.take(within, name)));
            }
        }
        for member in Member::ALL {
            let group = match member {
                Member::Target => Some(Group::Target),
                Member::File | Member::Line => Some(Group::Source),
                Member::ThreadName | Member::ThreadId => Some(Group::Thread),
                Member::TraceId | Member::SpanId | Member::TraceFlags => Some(Group::Ids),
                _ => None,
            };
            let is_in_fields = matches!(
                member,
                Member::Span
                    | Member::Spans
                    | Member::File
                    | Member::Line
                    | Member::ThreadName
                    | Member::ThreadId
                    | Member::Truncated
            ) && format.has_members_in_fields;
            let around = if is_in_fields { fields_in.as_deref() } else { None };
            let nest = group.and_then(|group| format.nest_of(group));
            let within = match (around, nest) {
                (_, Some(nest)) => Some(format!("{}/{nest}", around.unwrap_or_default())),
                (around, None) => around.map(str::to_owned),
            };
            if let Some(name) = format.name_of(member).filter(|_| wanted.has(member)) {
                keys[member as usize] = Some(key_of(&names.take(&within, name)));
            }
        }
        // Those of the format itself.
        let mut fixed = Vec::new();
        for (name, value) in &format.constants {
            fixed.extend_from_slice(&key_of(&names.take(&top, name)));
            escape::push_string(&mut fixed, value);
        }
        let ids_in = format.nest_of(Group::Ids).map(|nest| format!("/{nest}"));
        let is_of_ids = |member: &&Member| matches!(member, Member::TraceId | Member::SpanId | Member::TraceFlags);
        let keys_of_ids: Vec<_> = match ids_in == fields_in {
            true => Member::ALL.iter().filter(is_of_ids).filter_map(|member| keys[*member as usize].clone()).collect(),
            false => Vec::new(),
        };
        // What an event sets itself counts more than the ids.
        let reserved = names.taken.iter().filter(|(within, _)| *within == fields_in).map(|(_, name)| name.clone());
        let reserved: Vec<_> = reserved.filter(|name| !keys_of_ids.contains(&key_of(name))).collect();
        let constants_in = format.nest_of(Group::Constants).map(|nest| format!("/{nest}"));
        let constants: Vec<_> = constants
            .iter()
            .map(|(name, value)| {
                let mut text = Vec::new();
                escape::push_string(&mut text, value);
                (key_of(&names.take(&constants_in, format.renamed(name))), text)
            })
            .collect();
        let constant_bytes = constants.iter().flat_map(|(key, value)| key.iter().chain(value)).copied().collect();
        let not_shown: Vec<Key> = match fields_in == constants_in {
            true => constants.iter().map(|(key, _)| key.clone()).collect(),
            false => Vec::new(),
        };
        let naming = Naming::of::<Json>(format.renames(), &reserved, &not_shown);
        let timestamp = keys[Member::Timestamp as usize].as_ref().map(|key| [&**key, b"\""].concat().into());
        Layout {
            timestamp,
            format,
            keys,
            nests,
            fixed: fixed.into(),
            constants,
            constant_bytes,
            reserved,
            keys_of_ids,
            naming,
        }
    }

    #[inline]
    pub(super) fn key(&self, member: Member) -> Option<&[u8]> {
        self.keys[member as usize].as_deref()
    }

    #[inline]
    pub(super) fn nest(&self, group: Group) -> Option<&[u8]> {
        self.nests[group as usize].as_deref()
    }

    #[inline]
    pub(super) fn times(&self) -> Times {
        self.format.times
    }

    #[inline]
    pub(super) fn ids(&self) -> &Ids {
        &self.format.ids
    }

    pub(super) fn levels(&self) -> Levels {
        self.format.levels
    }

    #[inline]
    pub(super) fn has_members_in_fields(&self) -> bool {
        self.format.has_members_in_fields
    }

    /// The key of a field. One that the line needs for itself is written under `fields.`.
    pub(super) fn key_of_field(&self, name: &str) -> Key {
        key_of(&field_name(self.format.renames(), &self.reserved, name))
    }

    /// Returns the key of each field of a span in the object of the span, which has a `name` already.
    pub(super) fn keys_within_span(&self) -> impl Fn(&str) -> Key + Send + Sync + use<> {
        let renames = self.format.renames().to_vec();
        move |name| key_of(&field_name(&renames, &["name".to_owned()], name))
    }
}

/// The names that are taken, each with the object that it is in.
#[derive(Default)]
struct Names {
    taken: Vec<(Option<String>, String)>,
}

impl Names {
    fn take(&mut self, within: &Option<String>, name: &str) -> String {
        let mut name = name.to_owned();
        while self.taken.iter().any(|(object, taken)| object == within && *taken == name) {
            name.push('_');
        }
        self.taken.push((within.clone(), name.clone()));
        name
    }
}
