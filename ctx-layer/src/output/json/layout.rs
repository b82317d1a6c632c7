//! A format made ready: keys that are encoded already.

use std::{
    borrow::Cow,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    escape,
    format::{Format, Group, Ids, Levels, Member, Times},
};
use crate::{field::Declaration, layer::AddressMap};

/// A key as it is written: `,"name":`. What comes first in an object has its comma replaced by the bracket.
pub(super) type Key = Box<[u8]>;

pub(super) fn key_of(name: &str) -> Key {
    let mut key = vec![b','];
    escape::push_string(&mut key, name);
    key.push(b':');
    key.into()
}

/// What a line may have besides its fields, as far as it was asked for.
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
    /// What the format says on every line.
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
        let naming = Naming::of(format.renames(), &reserved, &not_shown);
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
        key_of(&field_name(&self.format, &self.reserved, name))
    }

    /// The key of a span's field in the object of the span, which has a `name` already.
    pub(super) fn key_within_span(&self, name: &str) -> Key {
        key_of(&field_name(&self.format, &["name".to_owned()], name))
    }
}

fn field_name(format: &Format, reserved: &[String], name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let mut name = format.renamed(name).to_owned();
    while reserved.contains(&name) {
        name.insert_str(0, "fields.");
    }
    name
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

/// How context fields are named. One for all layers that name them alike, for as long as the process: so they share what is
/// encoded.
pub(super) struct Naming {
    pub(super) id: u32,
    format: Format,
    reserved: Vec<String>,
    pub(super) not_shown: Vec<Key>,
    /// The key of each field; `None` where it is not shown.
    of_fields: AddressMap<Option<Key>>,
    /// Every key that a context field was ever written under.
    keys: Mutex<Vec<Key>>,
    /// How many these are.
    known: AtomicUsize,
}

static NAMINGS: Mutex<Vec<&'static Naming>> = Mutex::new(Vec::new());

impl Naming {
    fn of(renames: &[(Cow<'static, str>, Cow<'static, str>)], reserved: &[String], not_shown: &[Key]) -> &'static Self {
        let mut namings = NAMINGS.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |known: &&&'static Naming| {
            known.format.renames() == renames && known.reserved == reserved && known.not_shown == not_shown
        };
        if let Some(known) = namings.iter().find(is_same) {
            return known;
        }
        let format =
            renames.iter().fold(Format::plain(), |format, (from, to)| format.rename_field(from.clone(), to.clone()));
        let naming = Box::leak(Box::new(Naming {
            id: u32::try_from(namings.len()).unwrap_or(u32::MAX),
            format,
            reserved: reserved.to_vec(),
            not_shown: not_shown.to_vec(),
            of_fields: AddressMap::new(),
            keys: Mutex::default(),
            known: AtomicUsize::new(0),
        }));
        namings.push(naming);
        naming
    }

    /// The key of a context field, which is known from now on.
    pub(super) fn key_of_field(&self, name: &str) -> Key {
        let key = key_of(&field_name(&self.format, &self.reserved, name));
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if !keys.contains(&key) {
            keys.push(key.clone());
            self.known.store(keys.len(), Ordering::Release);
        }
        key
    }

    /// The key of a context field; `None` where something else has it on every line.
    #[inline]
    pub(super) fn key_of(&self, declaration: &'static Declaration) -> Option<&[u8]> {
        let key = self.of_fields.get_or_insert_with(declaration, || {
            let key = self.key_of_field(declaration.name());
            (!self.not_shown.contains(&key)).then_some(key)
        });
        key.as_deref()
    }

    /// How many keys are known.
    #[inline]
    pub(super) fn known(&self) -> usize {
        self.known.load(Ordering::Acquire)
    }

    /// Returns how many keys are known, and whether one of these is among them.
    pub(super) fn know_any<'a>(&self, mut these: impl Iterator<Item = &'a [u8]>) -> (usize, bool) {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        (keys.len(), these.any(|this| keys.iter().any(|key| **key == *this)))
    }
}
