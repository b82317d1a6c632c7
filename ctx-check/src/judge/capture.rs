//! When telemetry was captured, and what may be missing because of that.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::{
    intake::ServiceFacts,
    reader::rfc3339,
    settings::Capture,
    store::{Name, StoredSpan},
};

/// The capture, as each service's clock shows it.
#[derive(Debug)]
pub(crate) struct Window {
    from: Option<u64>,
    to: Option<u64>,
    grace: u64,
    services: HashMap<Name, (u64, u64), FixedState>,
}

/// An inferred window has a margin only if it is this many times the grace long.
const LONG: u64 = 10;

impl Window {
    pub(crate) fn new(capture: &Capture, services: &HashMap<Name, ServiceFacts, FixedState>) -> Self {
        let parse = |time: &Option<String>| time.as_deref().and_then(rfc3339);
        let services = services.iter().map(|(name, facts)| (*name, (facts.first, facts.last))).collect();
        Self { from: parse(&capture.from), to: parse(&capture.to), grace: capture.grace.nanoseconds(), services }
    }

    /// Returns `true` if what belongs to a span may be outside of the capture.
    pub(super) fn is_at_edge(&self, span: &StoredSpan) -> bool {
        if span.start == 0 {
            return false; // It says no time.
        }
        if self.from.is_some() || self.to.is_some() {
            return self.from.is_some_and(|from| span.start < from.saturating_add(self.grace))
                || self.to.is_some_and(|to| span.end.saturating_add(self.grace) > to);
        }
        let Some((first, last)) = self.services.get(&span.service).copied() else { return false };
        last.saturating_sub(first) >= self.grace.saturating_mul(LONG)
            && (span.start < first.saturating_add(self.grace) || span.end.saturating_add(self.grace) > last)
    }
}
