//! Findings that are alike are one group: counted, with the earliest examples.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
};

use foldhash::fast::FixedState;

use super::Consequence;
use crate::{
    model::{Kind, SpanId, TraceId},
    reader::Place,
    store::Name,
};

/// A trace and at most two of its spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Evidence {
    /// The order of examples: the earliest first.
    pub(crate) time: u64,
    pub(crate) trace_id: TraceId,
    pub(crate) spans: [SpanId; 2],
    pub(crate) place: Place,
}

/// The place where a field gets lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Boundary {
    /// The first span of a trace has none.
    Root,
    /// The first span of a trace has none, and is an inner one of a service that serves requests.
    Task,
    /// A span whose parent is not there has none.
    Orphan,
    /// A span has none, and its parent has one.
    Parent,
    /// A log record has none, and its span has one.
    Log,
}

/// A sign of the other side in the trace of a call without its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Sign {
    /// Nothing of the other side.
    Nothing,
    /// The other side starts a new trace with a link.
    Linked(Name),
    /// The other side's span is in the trace, with a parent that is not there.
    OtherParent(Name),
    /// The children of the other side's span are in the trace, and the span is not.
    Inner(Name),
    /// The other side's span is in the trace, without a parent.
    NoParent(Name),
}

/// The properties that findings of a group have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    /// A call without its server, or a message without its consumer.
    Broken {
        from: Name,
        peer: Name,
        is_message: bool,
        sign: Sign,
    },
    Orphan {
        service: Name,
        kind: Kind,
        is_remote: Option<bool>,
    },
    Roots {
        service: Name,
        first: Name,
    },
    UnexpectedRoot {
        service: Name,
    },
    MixedTenants {
        first: Name,
        second: Name,
    },
    TenantChange {
        from: Name,
        to: Name,
    },
    TenantOfLog {
        service: Name,
    },
    MissingField {
        field: u8,
        from: Name,
        to: Name,
        at: Boundary,
    },
    Clock {
        from: Name,
        to: Name,
    },
    EndBeforeStart {
        service: Name,
    },
    ChildBeforeParent {
        service: Name,
    },
    SharedId {
        service: Name,
    },
    Circle {
        service: Name,
    },
    LinkNotParent {
        queue: Name,
        from: Name,
        to: Name,
    },
    ParentNotLink {
        queue: Name,
        from: Name,
        to: Name,
    },
    Sensitive {
        service: Name,
        field: Name,
        what: Name,
    },
    Size {
        service: Name,
        field: Name,
        limit: u32,
    },
    OwnRule {
        rule: u16,
        service: Name,
    },
    LargeTrace {
        service: Name,
    },
}

/// How many examples a group has.
const EXAMPLES: usize = 5;
/// How many clock differences a group keeps, for their median.
const OFFSETS: usize = 301;

/// Findings that are alike.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) count: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) consequences: [u64; Consequence::ALL.len()],
    pub(crate) examples: Vec<Evidence>,
    pub(crate) offsets: Vec<i64>,
}

impl Group {
    pub(crate) fn add(&mut self, evidence: Evidence) {
        self.count += 1;
        if evidence.time > 0 {
            self.first = if self.first == 0 { evidence.time } else { self.first.min(evidence.time) };
            self.last = self.last.max(evidence.time);
        }
        let at = self.examples.partition_point(|example| *example < evidence);
        if at < EXAMPLES && self.examples.get(at) != Some(&evidence) {
            self.examples.insert(at, evidence);
            self.examples.truncate(EXAMPLES);
        }
    }

    pub(crate) fn add_consequence(&mut self, consequence: Consequence, count: u64) {
        self.consequences[consequence as usize] += count;
    }

    pub(crate) fn add_offset(&mut self, offset: i64) {
        if self.offsets.len() < OFFSETS {
            self.offsets.push(offset);
        }
    }

    /// Adds what is another sign of the same cause.
    pub(crate) fn join(&mut self, other: &Self) {
        for (sum, count) in self.consequences.iter_mut().zip(&other.consequences) {
            *sum += count;
        }
        let count = self.count + other.count;
        other.examples.iter().for_each(|evidence| self.add(*evidence));
        if other.first > 0 {
            self.first = if self.first == 0 { other.first } else { self.first.min(other.first) };
        }
        self.last = self.last.max(other.last);
        self.count = count;
        self.offsets.extend(other.offsets.iter().take(OFFSETS.saturating_sub(self.offsets.len())));
    }

    /// Returns the median of the clock differences.
    pub(crate) fn offset(&self) -> i64 {
        let mut offsets = self.offsets.clone();
        offsets.sort_unstable();
        offsets.get(offsets.len() / 2).copied().unwrap_or_default()
    }
}

/// The most groups. More keys than that are no pattern.
const MOST: usize = 20_000;

/// All groups.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    by_key: HashMap<Key, Group, FixedState>,
    /// The number of findings that found no room.
    pub(crate) left_out: u64,
    /// How often something was added.
    pub(crate) added: u64,
}

impl Groups {
    pub(crate) fn add(&mut self, key: Key, evidence: Evidence) {
        if let Some(group) = self.get(key) {
            group.add(evidence);
        }
    }

    /// Returns the group of a key.
    pub(crate) fn get(&mut self, key: Key) -> Option<&mut Group> {
        self.added += 1;
        let has_room = self.by_key.len() < MOST;
        match self.by_key.entry(key) {
            Entry::Occupied(group) => Some(group.into_mut()),
            Entry::Vacant(room) if has_room => Some(room.insert(Group::default())),
            Entry::Vacant(_) => {
                self.left_out += 1;
                None
            }
        }
    }

    /// Returns the groups in the order of their keys.
    pub(crate) fn into_sorted(self) -> Vec<(Key, Group)> {
        let mut groups: Vec<_> = self.by_key.into_iter().collect();
        groups.sort_by_key(|(key, _)| *key);
        groups
    }
}
