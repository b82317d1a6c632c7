//! The fields that a span remembers, and the values recorded on it.

use super::{
    set::Set,
    value::{Call, Field},
};

#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    /// The set that was current at its creation, if any was.
    base: Option<Set>,
    /// The last record of each field.
    recorded: Vec<(Field, Call)>,
    /// All records, replaced ones too.
    calls: Vec<Call>,
}

impl Span {
    pub(crate) fn created_in(set: &Set) -> Self {
        Span { base: (!set.is_nothing()).then(|| set.clone()), ..Span::default() }
    }

    /// Returns what it remembers, without what was recorded. `None` if it has nothing.
    pub(crate) fn base(&self) -> Option<&Set> {
        self.base.as_ref()
    }

    /// Returns what it remembers, with what was recorded.
    pub(crate) fn whole(&self) -> Set {
        self.over(self.base.clone().unwrap_or_default())
    }

    /// Rule 5: recorded values overlay related sets only. Values that a set has already do not overlay it again: what
    /// was set since then stays.
    pub(crate) fn over_related(&self, set: Set) -> Set {
        match &self.base {
            Some(base) if set.is_related_to(base) => self.over(set),
            _ => set,
        }
    }

    fn over(&self, mut set: Set) -> Set {
        for (field, call) in &self.recorded {
            if !set.contains(*call) {
                set.records(*field, *call);
            }
        }
        self.calls.iter().for_each(|call| set.counts(*call));
        set
    }

    /// Records a value. `current` is the set that is current on the recording thread before: a span without fields
    /// counts as created there.
    ///
    /// Returns the set to which the other sets that get the value are related.
    pub(crate) fn record(&mut self, field: Field, call: Call, current: &Set) -> Set {
        let base = self.base.get_or_insert_with(|| {
            // If that set has no call either, the record identifies the span's request.
            let mut base = current.clone();
            if base.calls_are_none() {
                base.records(field, call);
            }
            base
        });
        let base = base.clone();
        self.recorded.retain(|(known, _)| *known != field);
        self.recorded.push((field, call));
        self.calls.push(call);
        base
    }
}
