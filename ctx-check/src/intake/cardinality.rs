//! How many values the fields have, and which values were seen just before.

use std::{collections::HashMap, hash::BuildHasher};

use foldhash::{fast, quality};

use super::distinct::Distinct;
use crate::store::Name;

/// Values that were looked at and are harmless: most values come again and again.
const KNOWN: usize = 1 << 14;
/// The fields of all services that are counted. More are not.
const FIELDS: usize = 8192;

/// The number of values of each field of each service.
#[derive(Debug)]
pub(crate) struct Cardinality {
    known: Vec<u64>,
    hasher: quality::FixedState,
    fields: HashMap<(Name, u32), (String, Distinct), fast::FixedState>,
    names: HashMap<Name, Distinct, fast::FixedState>,
    named: Vec<u64>,
}

impl Default for Cardinality {
    fn default() -> Self {
        Self {
            known: vec![0; KNOWN],
            hasher: quality::FixedState::default(),
            fields: HashMap::default(),
            names: HashMap::default(),
            named: vec![0; KNOWN],
        }
    }
}

impl Cardinality {
    #[inline]
    fn hash(&self, service: Name, key: u32, value: &str) -> u64 {
        let of_field = (u64::from(service.0) << 32 | u64::from(key)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // Never 0, which is an empty slot.
        (self.hasher.hash_one(value) ^ of_field) | 1 << 63
    }

    /// Returns `true` if the value was seen, counted and found harmless.
    #[inline]
    pub(crate) fn is_known(&self, service: Name, key: u32, value: &str) -> bool {
        let hash = self.hash(service, key, value);
        self.known[hash as usize % KNOWN] == hash
    }

    /// Remembers a value that is harmless.
    pub(crate) fn remember(&mut self, service: Name, key: u32, value: &str) -> u64 {
        let hash = self.hash(service, key, value);
        self.known[hash as usize % KNOWN] = hash;
        hash
    }

    /// Counts a value that is harmless.
    pub(crate) fn add(&mut self, service: Name, key: u32, name: &str, value: &str) {
        let hash = self.remember(service, key, value);
        let has_room = self.fields.len() < FIELDS;
        match self.fields.get_mut(&(service, key)) {
            Some((_, distinct)) => distinct.add(hash),
            None if has_room => {
                let mut distinct = Distinct::default();
                distinct.add(hash);
                self.fields.insert((service, key), (name.to_owned(), distinct));
            }
            None => {}
        }
    }

    /// Counts the name of a span.
    #[inline]
    pub(crate) fn add_name(&mut self, service: Name, name: Name) {
        let hash = self.hasher.hash_one((service.0, name.0)) | 1 << 63;
        let slot = &mut self.named[hash as usize % KNOWN];
        if *slot != hash {
            *slot = hash;
            self.names.entry(service).or_default().add(hash);
        }
    }

    /// Returns the number of span names of each service.
    pub(crate) fn names(&self) -> impl Iterator<Item = (Name, u64)> {
        self.names.iter().map(|(service, distinct)| (*service, distinct.count()))
    }

    /// Returns the number of values of each field of each service.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (Name, &str, u64)> {
        self.fields.iter().map(|((service, _), (name, distinct))| (*service, &**name, distinct.count()))
    }
}
