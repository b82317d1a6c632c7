//! Strings that occur often, each kept once.

use std::{collections::HashMap, hash::BuildHasher, sync::Arc};

use foldhash::fast::FixedState;

/// A string that is kept in [`Names`]. The default is the empty one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name(pub(crate) u32);

/// A name that found no room: its bits are those of a hash, so that equal names are still equal.
const HASHED: u32 = 1 << 31;

impl Name {
    pub(crate) const EMPTY: Self = Self(0);

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Strings, each kept once, up to a number of bytes.
#[derive(Debug)]
pub(crate) struct Names {
    known: HashMap<Arc<str>, u32, FixedState>,
    names: Vec<Arc<str>>,
    hasher: FixedState,
    room: usize,
}

/// The cost of an entry beside its bytes.
const OVERHEAD: usize = 64;

impl Names {
    /// Creates a set that takes about as many bytes as `room`.
    pub(crate) fn new(room: usize) -> Self {
        let empty: Arc<str> = Arc::from("");
        let hasher = FixedState::default();
        let mut known = HashMap::with_hasher(hasher.clone());
        known.insert(Arc::clone(&empty), 0);
        Self { known, names: vec![empty], hasher, room }
    }

    /// Returns the name of a string.
    #[inline]
    pub(crate) fn add(&mut self, text: &str) -> Name {
        match self.known.get(text) {
            Some(number) => Name(*number),
            None => self.insert(text),
        }
    }

    #[cold]
    fn insert(&mut self, text: &str) -> Name {
        let cost = text.len() + OVERHEAD;
        if cost > self.room {
            return Name(self.hasher.hash_one(text) as u32 | HASHED);
        }
        self.room -= cost;
        let number = self.names.len() as u32;
        let kept: Arc<str> = Arc::from(text);
        self.known.insert(Arc::clone(&kept), number);
        self.names.push(kept);
        Name(number)
    }

    /// Returns the name of a string that is known.
    pub(crate) fn find(&self, text: &str) -> Option<Name> {
        self.known.get(text).map(|number| Name(*number))
    }

    /// Returns the string of a name.
    pub(crate) fn get(&self, name: Name) -> &str {
        self.names.get(name.0 as usize).map_or("(one of very many)", |text| text)
    }

    /// Returns all names but the empty one.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Name, &str)> {
        self.names.iter().enumerate().skip(1).map(|(number, text)| (Name(number as u32), &**text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_room_are_still_equal_or_not() {
        let mut names = Names::new(2 * OVERHEAD + 2);
        let (a, b) = (names.add("a"), names.add("b"));
        assert_eq!((names.get(a), names.get(b)), ("a", "b"));
        let (c, d) = (names.add("c"), names.add("d"));
        assert_ne!(c, d);
        assert_eq!(names.add("c"), c);
        assert_eq!(names.get(c), "(one of very many)");
        assert_eq!(names.add(""), Name::EMPTY);
    }
}
