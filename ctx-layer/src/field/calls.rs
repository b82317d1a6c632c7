//! The calls that made a set of values: what tells one request's set from another's.
//!
//! Two requests of one tenant have equal values, and a set that was dropped may leave its address to another's. So sets
//! are compared by the calls that made them, and by nothing else.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering},
};

use smallvec::SmallVec;

/// One call that sets, unsets, replaces, extracts, isolates or records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call(u64);

impl Call {
    /// How many calls a set keeps: a worker records each job's tenant on one span, for ever.
    pub(crate) const MOST_KEPT: usize = 32;

    /// Set where the call changes many sets: a future changes one at each poll, `record` one in each frame.
    const REPEATED: u64 = 1;

    /// A call that changes one set, once. A set that has it has all the calls of the set that it changed.
    #[inline]
    pub(crate) fn once() -> Self {
        Call(next() << 1)
    }

    /// A call that changes several sets.
    #[inline]
    pub(crate) fn repeated() -> Self {
        Call(next() << 1 | Self::REPEATED)
    }

    fn is_once(self) -> bool {
        self.0 & Self::REPEATED == 0
    }
}

/// A number that no other call got. Threads take many at a time, so that they do not all wait for one another.
#[inline]
fn next() -> u64 {
    const AT_A_TIME: u64 = 1024;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        // Has no destructor, and so can always be used.
        static OWN: Cell<u64> = const { Cell::new(0) };
    }
    let own = OWN.get();
    let next = if own.is_multiple_of(AT_A_TIME) { NEXT.fetch_add(AT_A_TIME, Ordering::Relaxed) } else { own };
    OWN.set(next + 1);
    next
}

/// The calls that made a set, the last ones at most. Only the set of which nothing was ever made has none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Calls {
    kept: SmallVec<[Call; 6]>,
    /// There were more.
    is_cut: bool,
}

impl Calls {
    pub(super) const NONE: Self = Calls { kept: SmallVec::new_const(), is_cut: false };

    const MOST: usize = Call::MOST_KEPT;

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Makes these the same as others.
    #[inline]
    pub(super) fn be_like(&mut self, others: &Calls) {
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

    /// Forgets a call: the oldest of those that are repeated, so that a span which is recorded on for ever goes on belonging
    /// to the request in which it was created.
    #[cold]
    fn cut(&mut self) {
        let oldest = self.kept.iter().position(|call| !call.is_once()).unwrap_or(0);
        self.kept.remove(oldest);
        self.is_cut = true;
    }

    /// Forgets all calls but this one.
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
                // With it come all that were before it.
                return true;
            }
        }
        !others.is_cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_by(calls: &[Call]) -> Calls {
        let mut made = Calls::NONE;
        calls.iter().for_each(|call| made.add(*call));
        made
    }

    #[test]
    fn calls_are_included_in_whatever_order_they_came() {
        let (set, one, other) = (Call::once(), Call::repeated(), Call::repeated());
        assert!(made_by(&[set, one, other]).include(&made_by(&[set, other, one])));
        assert!(made_by(&[set, one, other]).include(&made_by(&[set, other])));
        assert!(!made_by(&[set, one]).include(&made_by(&[set, other])));
        assert!(made_by(&[set]).include(&Calls::NONE) && !Calls::NONE.include(&made_by(&[set])));
    }

    #[test]
    fn a_set_made_by_many_calls_is_known_by_its_last_single_one() {
        let calls: Vec<Call> = (0..40).map(|_| Call::once()).collect();
        assert!(made_by(&calls).include(&made_by(&calls[..39])));
        assert!(!made_by(&calls[..39]).include(&made_by(&calls)));
    }

    #[test]
    fn calls_that_are_not_kept_any_more_are_not_taken_for_included() {
        let recorded: Vec<Call> = (0..Calls::MOST).map(|_| Call::repeated()).collect();
        let of = |first: Call| made_by(&[&[first], &recorded[..]].concat());
        assert!(!of(Call::repeated()).include(&of(Call::repeated())));
    }

    #[test]
    fn a_set_that_is_recorded_on_for_ever_belongs_to_its_request() {
        let (set, mut worker) = (Call::once(), Calls::NONE);
        worker.add(set);
        for _ in 0..3 * Calls::MOST {
            worker.add(Call::repeated());
            assert!(worker.include(&made_by(&[set])) && !worker.include(&made_by(&[Call::once()])));
        }
    }

    #[test]
    fn replacing_leaves_one_call() {
        let mut calls = made_by(&[Call::once(), Call::repeated()]);
        let call = Call::once();
        calls.replace(call);
        assert_eq!(calls, made_by(&[call]));
    }
}
