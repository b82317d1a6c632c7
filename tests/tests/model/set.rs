//! Rule 1: sets and their relations. Rule 9: baggage.

use std::collections::{BTreeMap, BTreeSet};

use super::value::{Call, Change, FIELDS, Field, Values};

/// Baggage of a foreign context. Two are the same only if one call made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Baggage {
    pub(crate) call: Call,
    pub(crate) fields: Vec<Field>,
}

/// Field values together with the calls that made them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    /// `None` is a field that was unset, which baggage does not fill.
    values: BTreeMap<Field, Option<Call>>,
    calls: BTreeSet<Call>,
    pub(crate) baggage: Option<Baggage>,
}

impl Set {
    /// Creates the set of a call that replaces: exactly what is given.
    pub(crate) fn exactly(changes: &[Change], call: Call) -> Self {
        Set::default().changed(changes, call)
    }

    /// Returns the set after a call that sets. One that neither sets nor unsets anything is no call.
    pub(crate) fn set(&self, changes: &[Change], call: Call) -> Self {
        if changes.is_empty() { self.clone() } else { self.changed(changes, call) }
    }

    /// Returns the set with what a call sets and unsets. Baggage stays.
    pub(crate) fn changed(&self, changes: &[Change], call: Call) -> Self {
        let mut set = self.clone();
        set.calls.insert(call);
        for change in changes {
            set.values.insert(change.field, change.is_set.then_some(call));
        }
        set
    }

    /// Returns the set with other baggage, as a foreign context has it.
    pub(crate) fn with_baggage(&self, baggage: Option<Baggage>) -> Self {
        Set { baggage, ..self.clone() }
    }

    pub(crate) fn records(&mut self, field: Field, call: Call) {
        self.values.insert(field, Some(call));
        self.calls.insert(call);
    }

    pub(crate) fn counts(&mut self, call: Call) {
        self.calls.insert(call);
    }

    pub(crate) fn contains(&self, call: Call) -> bool {
        self.calls.contains(&call)
    }

    /// Returns `true` if no call is in it. There may be baggage.
    pub(crate) fn calls_are_none(&self) -> bool {
        self.calls.is_empty()
    }

    /// Returns `true` if there is nothing: no call, no baggage.
    pub(crate) fn is_nothing(&self) -> bool {
        self.calls.is_empty() && self.baggage.is_none()
    }

    /// Returns the fields: the values, then baggage.
    pub(crate) fn read(&self) -> Values {
        Values(FIELDS.map(|field| match self.values.get(&field) {
            Some(value) => *value,
            None => {
                let baggage = self.baggage.as_ref()?;
                (field.takes_baggage() && baggage.fields.contains(&field)).then_some(baggage.call)
            }
        }))
    }

    /// Returns `true` if two sets have the same calls, whatever their baggage. A set without calls equals no other.
    pub(crate) fn is_same_as(&self, other: &Set) -> bool {
        !self.calls.is_empty() && self.calls == other.calls && self.values == other.values
    }

    /// Returns `true` if this has all calls of `other`. All sets descend from nothing. Only its baggage identifies a
    /// set that has no calls.
    pub(crate) fn descends_from(&self, other: &Set) -> bool {
        if other.calls.is_empty() && other.baggage.is_some() {
            return self.baggage == other.baggage;
        }
        self.calls.is_superset(&other.calls)
    }

    pub(crate) fn is_related_to(&self, other: &Set) -> bool {
        self.descends_from(other) || other.descends_from(self)
    }

    /// Returns `true` if a frame with this set replaced something unrelated when it was pushed on `below`. Unlike
    /// above, a message over nothing is unrelated (fault r8): values recorded for the message are not the receiver's.
    pub(crate) fn cuts_off(&self, below: &Set) -> bool {
        match (self.calls.is_empty(), below.calls.is_empty()) {
            (true, true) => false,
            (false, false) => !self.calls.is_superset(&below.calls) && !below.calls.is_superset(&self.calls),
            _ => true,
        }
    }
}
