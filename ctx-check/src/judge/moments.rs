//! Times of events, of which so few are kept that they fit, and so that those of two kinds can be compared: a second of the day is
//! either kept for all, or for none.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;

/// Times that are kept before half of them are left out.
const MOST: usize = 16_384;
const SECOND: u64 = 1_000_000_000;

/// Times of events.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    level: u32,
    times: Vec<(u64, u64)>,
}

fn is_kept(time: u64, level: u32) -> bool {
    level == 0 || FixedState::default().hash_one(time / SECOND).trailing_zeros() >= level
}

impl Moments {
    /// Adds an event from `start` to `end`.
    pub(super) fn add(&mut self, start: u64, end: u64) {
        if !is_kept(start, self.level) {
            return;
        }
        self.times.push((start, end));
        while self.times.len() > MOST && self.level < 40 {
            self.level += 1;
            let level = self.level;
            self.times.retain(|(start, _)| is_kept(*start, level));
        }
    }

    /// Returns the share of these events during which one of `others` starts, each of which is taken once.
    pub(super) fn share_with(&self, others: &Self, tolerance: u64) -> f64 {
        let level = self.level.max(others.level);
        let mut starts: Vec<u64> =
            others.times.iter().map(|(start, _)| *start).filter(|start| is_kept(*start, level)).collect();
        starts.sort_unstable();
        let mut events: Vec<_> = self.times.iter().filter(|(start, _)| is_kept(*start, level)).collect();
        events.sort_unstable_by_key(|(start, end)| (*end, *start));
        let mut is_taken = vec![false; starts.len()];
        let mut found = 0;
        for (start, end) in &events {
            let from = starts.partition_point(|time| *time + tolerance < *start);
            let free = (from..starts.len())
                .take(64)
                .take_while(|at| starts[*at] <= end.saturating_add(tolerance))
                .find(|at| !is_taken[*at]);
            if let Some(at) = free {
                is_taken[at] = true;
                found += 1;
            }
        }
        if events.is_empty() { 0.0 } else { f64::from(found) / events.len() as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_compared_also_where_most_are_left_out() {
        let (mut calls, mut roots, mut others) = (Moments::default(), Moments::default(), Moments::default());
        for second in 0..100_000 {
            let start = second * SECOND + 500;
            calls.add(start, start + 1000);
            roots.add(start + 10, start + 900);
            others.add(start + SECOND / 2, start + SECOND / 2 + 10);
        }
        assert!(calls.times.len() <= MOST && calls.level > 0);
        assert!((calls.share_with(&roots, 0) - 1.0).abs() < 1e-9);
        assert!(calls.share_with(&others, 0) < 1e-9);
    }

    #[test]
    fn an_event_is_taken_once() {
        let (mut calls, mut roots) = (Moments::default(), Moments::default());
        calls.add(0, 10);
        calls.add(1, 11);
        roots.add(5, 6);
        assert!((calls.share_with(&roots, 0) - 0.5).abs() < 1e-9);
    }
}
