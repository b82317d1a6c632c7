//! Which names and paths are exempt: patterns cost more than a look at what was found before.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;

use crate::settings::Patterns;

/// Patterns, with the answers for what was asked lately.
pub(super) struct Exemptions {
    patterns: Patterns,
    known: Vec<(u64, bool)>,
    hasher: FixedState,
}

const KNOWN: usize = 1 << 12;

impl Exemptions {
    pub(super) fn new(patterns: &Patterns) -> Self {
        Self { patterns: patterns.clone(), known: vec![(0, false); KNOWN], hasher: FixedState::default() }
    }

    #[inline]
    pub(super) fn matches(&mut self, text: &str) -> bool {
        let hash = self.hasher.hash_one(text) | 1 << 63;
        let slot = &mut self.known[hash as usize % KNOWN];
        if slot.0 != hash {
            *slot = (hash, self.patterns.matches(text));
        }
        slot.1
    }
}
