//! The keys of context fields.

use std::{
    borrow::Cow,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::notation::{Key, Notation};
use crate::{field::Declaration, layer::AddressMap};

/// A name, and the name that is written for it.
pub(super) type Rename = (Cow<'static, str>, Cow<'static, str>);

type Renames = Vec<Rename>;

/// Returns the name that a field of this name is written under.
pub(super) fn renamed<'a>(renames: &'a [Rename], name: &'a str) -> &'a str {
    renames.iter().rev().find(|(from, _)| from == name).map_or(name, |(_, to)| to)
}

/// Returns the name of a field on a line that needs the reserved names for itself.
pub(super) fn field_name(renames: &[Rename], reserved: &[String], name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let mut name = renamed(renames, name).to_owned();
    while reserved.contains(&name) {
        name.insert_str(0, "fields.");
    }
    name
}

/// How context fields are named. One for all layers that name them alike, for as long as the process: so they share what is
/// encoded.
pub(in crate::output) struct Naming {
    pub(super) id: u32,
    notation: u8,
    key: fn(&str) -> Key,
    renames: Renames,
    reserved: Vec<String>,
    pub(super) not_shown: Vec<Key>,
    /// The key of each field; `None` where it is not shown.
    of_fields: AddressMap<Option<Key>>,
    /// The keys in `of_fields`, each with its declaration.
    declared: Mutex<Vec<(&'static Declaration, Key)>>,
    /// Two declarations have the same key.
    may_repeat: AtomicBool,
    /// Every key that a context field was ever written under.
    keys: Mutex<Vec<Key>>,
    /// How many these are.
    known: AtomicUsize,
}

static NAMINGS: Mutex<Vec<&'static Naming>> = Mutex::new(Vec::new());

impl Naming {
    /// The naming of lines of this notation.
    pub(super) fn of<N: Notation>(renames: &[Rename], reserved: &[String], not_shown: &[Key]) -> &'static Self {
        let mut namings = NAMINGS.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |known: &&&'static Naming| {
            known.notation == N::ID
                && *known.renames == *renames
                && known.reserved == reserved
                && known.not_shown == not_shown
        };
        if let Some(known) = namings.iter().find(is_same) {
            return known;
        }
        let naming = Box::leak(Box::new(Naming {
            id: u32::try_from(namings.len()).unwrap_or(u32::MAX),
            notation: N::ID,
            key: N::key,
            renames: renames.to_vec(),
            reserved: reserved.to_vec(),
            not_shown: not_shown.to_vec(),
            of_fields: AddressMap::new(),
            declared: Mutex::default(),
            may_repeat: AtomicBool::new(false),
            keys: Mutex::default(),
            known: AtomicUsize::new(0),
        }));
        namings.push(naming);
        naming
    }

    /// The key of a context field, which is known from now on.
    pub(super) fn key_of_field(&self, name: &str) -> Key {
        let key = (self.key)(&field_name(&self.renames, &self.reserved, name));
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
        match self.of_fields.get(declaration) {
            Some(key) => key.as_deref(),
            None => self.key_of_unknown(declaration),
        }
    }

    #[cold]
    fn key_of_unknown(&self, declaration: &'static Declaration) -> Option<&[u8]> {
        let key = self.key_of_field(declaration.name());
        let mut declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
        if declared.iter().any(|(other, known)| !std::ptr::eq(*other, declaration) && *known == key) {
            self.may_repeat.store(true, Ordering::Relaxed);
        }
        declared.push((declaration, key.clone()));
        let key = (!self.not_shown.contains(&key)).then_some(key);
        // Under the lock, so that a thread that finds this key also finds that it may repeat.
        self.of_fields.get_or_insert_with(declaration, || key).as_deref()
    }

    /// Returns `true` if two of the context fields written so far have the same key.
    #[inline]
    pub(super) fn may_repeat(&self) -> bool {
        self.may_repeat.load(Ordering::Relaxed)
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
