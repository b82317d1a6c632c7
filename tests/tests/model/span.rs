//! What a span remembers, and what was recorded on it.

use super::{
    set::Set,
    value::{Call, Field},
};

#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    /// What was current when it was created, if anything was.
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

    /// What it remembers, apart from what was recorded. `None` where it has nothing.
    pub(crate) fn base(&self) -> Option<&Set> {
        self.base.as_ref()
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Set {
        self.over(self.base.clone().unwrap_or_default())
    }

    /// Rule 5: what was recorded is laid over related sets only. What a set has already is not laid over it again: what was
    /// set since then stays.
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

    /// Records a value. `current` is the set that is current on the recording thread, before: if the span has nothing, it
    /// counts as created there.
    ///
    /// Returns what the sets that get the value, too, are related to.
    pub(crate) fn record(&mut self, field: Field, call: Call, current: &Set) -> Set {
        let base = self.base.get_or_insert_with(|| {
            // Where no call had been made either, the record is what the span's request is known by.
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
