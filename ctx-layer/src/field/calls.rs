//! The calls that created a set of values. They tell the sets of two requests apart.
//!
//! Two requests of one tenant have equal values, and the address of a dropped set can be reused. Sets are therefore
//! compared by their calls only.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering},
};

use smallvec::SmallVec;

/// A call that sets, unsets, replaces, extracts, isolates or records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call(u64);

impl Call {
    /// The number of calls that a set keeps. A worker may record each job's tenant on one span without end.
    pub(crate) const MOST_KEPT: usize = 32;

    /// Marks a call that changes several sets: a future changes one at each poll, `record` one in each frame.
    const REPEATED: u64 = 1;

    /// Creates a call that changes one set, once. A set that contains it contains all calls of the set that it changed.
    #[inline]
    pub(crate) fn once() -> Self {
        Call(next() << 1)
    }

    /// Creates a call that changes several sets.
    #[inline]
    pub(crate) fn repeated() -> Self {
        Call(next() << 1 | Self::REPEATED)
    }

    fn is_once(self) -> bool {
        self.0 & Self::REPEATED == 0
    }
}

/// Returns a unique number. Threads reserve many at a time to avoid contention.
#[inline]
fn next() -> u64 {
    const AT_A_TIME: u64 = 1024;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        // Has no destructor, so it can be used until the thread ends.
        static OWN: Cell<u64> = const { Cell::new(0) };
    }
    let own = OWN.get();
    let next = if own.is_multiple_of(AT_A_TIME) { NEXT.fetch_add(AT_A_TIME, Ordering::Relaxed) } else { own };
    OWN.set(next + 1);
    next
}

/// The most recent calls that created a set. Only the blank set has none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Calls {
    kept: SmallVec<[Call; 6]>,
    /// Older calls were dropped.
    is_cut: bool,
}

impl Calls {
    pub(super) const NONE: Self = Calls { kept: SmallVec::new_const(), is_cut: false };

    const MOST: usize = Call::MOST_KEPT;

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Replaces these calls with a copy of others.
    #[inline]
    pub(super) fn copy_from(&mut self, others: &Calls) {
        self.kept.clear();
        self.kept.extend_from_slice(&others.kept);
        self.is_cut = others.is_cut;
    }

    pub(super) fn add_if_missing(&mut self, call: Call) {
        if !self.contains(call) {
            self.add(call);
        }
    }

    #[inline]
    pub(super) fn add(&mut self, call: Call) {
        if call.is_once() || !self.contains(call) {
            if self.kept.len() == Self::MOST {
                self.cut();
            }
            self.kept.push(call);
        }
    }

    /// Drops one call: the oldest repeated one, so that a span that is recorded on without end still belongs to the
    /// request in which it was created.
    #[cold]
    fn cut(&mut self) {
        let oldest = self.kept.iter().position(|call| !call.is_once()).unwrap_or(0);
        self.kept.remove(oldest);
        self.is_cut = true;
    }

    /// Replaces all calls with this one.
    #[inline]
    pub(super) fn replace(&mut self, call: Call) {
        self.kept.clear();
        self.kept.push(call);
        self.is_cut = false;
    }

    #[inline]
    pub(super) fn contains(&self, call: Call) -> bool {
        self.kept.iter().rev().any(|kept| *kept == call)
    }

    /// Returns `true` if all of `others` are certainly among these.
    pub(super) fn include(&self, others: &Calls) -> bool {
        for call in others.kept.iter().rev() {
            if !self.contains(*call) {
                return false;
            }
            if call.is_once() {
                // It includes all calls before it.
                return true;
            }
        }
        !others.is_cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls_of(calls: &[Call]) -> Calls {
        let mut made = Calls::NONE;
        calls.iter().for_each(|call| made.add(*call));
        made
    }

    #[test]
    fn calls_are_included_in_any_order() {
        let (set, one, other) = (Call::once(), Call::repeated(), Call::repeated());
        assert!(calls_of(&[set, one, other]).include(&calls_of(&[set, other, one])));
        assert!(calls_of(&[set, one, other]).include(&calls_of(&[set, other])));
        assert!(!calls_of(&[set, one]).include(&calls_of(&[set, other])));
        assert!(calls_of(&[set]).include(&Calls::NONE) && !Calls::NONE.include(&calls_of(&[set])));
    }

    #[test]
    fn a_set_of_many_calls_is_identified_by_its_last_single_call() {
        let calls: Vec<Call> = (0..40).map(|_| Call::once()).collect();
        assert!(calls_of(&calls).include(&calls_of(&calls[..39])));
        assert!(!calls_of(&calls[..39]).include(&calls_of(&calls)));
    }

    #[test]
    fn dropped_calls_do_not_count_as_included() {
        let recorded: Vec<Call> = (0..Calls::MOST).map(|_| Call::repeated()).collect();
        let of = |first: Call| calls_of(&[&[first], &recorded[..]].concat());
        assert!(!of(Call::repeated()).include(&of(Call::repeated())));
    }

    #[test]
    fn a_set_that_is_recorded_on_without_end_belongs_to_its_request() {
        let (set, mut worker) = (Call::once(), Calls::NONE);
        worker.add(set);
        for _ in 0..3 * Calls::MOST {
            worker.add(Call::repeated());
            assert!(worker.include(&calls_of(&[set])) && !worker.include(&calls_of(&[Call::once()])));
        }
    }

    #[test]
    fn replacing_leaves_one_call() {
        let mut calls = calls_of(&[Call::once(), Call::repeated()]);
        let call = Call::once();
        calls.replace(call);
        assert_eq!(calls, calls_of(&[call]));
    }
}
