//! The values that were recorded on an open span.

use crate::field::{Call, Fields, Shared};

/// The values that were recorded on a span since it was created: the last of each field.
#[derive(Clone)]
pub(super) struct Recorded {
    values: Vec<(Call, Shared)>,
    /// The calls whose values were replaced by others: sets still contain them.
    replaced: Vec<Call>,
    /// The remembered fields with these values: what becomes current if something else was.
    whole: Fields,
    /// The span was created where nothing was current.
    was_nothing: bool,
}

impl Recorded {
    /// Starts with no value on a span that remembers these fields, since it was created or only since now.
    pub(super) fn on(remembered: Fields, was_nothing: bool) -> Self {
        Recorded { values: Vec::new(), replaced: Vec::new(), whole: remembered, was_nothing }
    }

    /// Returns `true` if the span was created where nothing was current.
    pub(super) fn was_nothing(&self) -> bool {
        self.was_nothing
    }

    /// Returns a copy with one more value, which replaces an earlier one of the field.
    pub(super) fn and(&self, call: Call, value: &Shared) -> Self {
        let is_of_field =
            |(_, other): &&(Call, Shared)| std::ptr::eq(other.entry().declaration(), value.entry().declaration());
        let others = self.values.iter().filter(|other| !is_of_field(other)).cloned();
        let values = others.chain([(call, value.clone())]).collect();
        let mut replaced = self.replaced.clone();
        replaced.extend(self.values.iter().filter(is_of_field).map(|(call, _)| *call));
        // A set does not keep more than these.
        let surplus = replaced.len().saturating_sub(Call::MOST_KEPT);
        replaced.drain(..surplus);
        let whole = self.whole.clone().with_recorded(call, value);
        Recorded { values, replaced, whole, was_nothing: self.was_nothing }
    }

    /// Returns the remembered fields with the recorded values.
    pub(super) fn whole(&self) -> &Fields {
        &self.whole
    }

    /// Returns `below`, fields of the span's request, with the values recorded since they were set. A scope inside the span
    /// that set a field after it was recorded keeps its value.
    pub(super) fn over(&self, below: &Fields, remembered: &Fields) -> Fields {
        if below.is_same(remembered) {
            return self.whole.clone();
        }
        let below = below.clone().with_calls(&self.replaced);
        self.values.iter().fold(below, |fields, (call, value)| fields.with_recorded(*call, value))
    }
}
