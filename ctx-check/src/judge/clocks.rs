//! Clocks: what must be before what.

use super::trace::{Judge, Trace};
use crate::{
    finding::Key,
    model::Kind,
    store::{Flags, StoredSpan},
};

impl Judge<'_> {
    pub(super) fn clocks(&mut self, trace: &Trace<'_>) {
        let tolerance = self.settings.tolerance.nanoseconds();
        let tree = trace.tree;
        for (number, span) in tree.spans.iter().enumerate() {
            if span.end < span.start && span.end > 0 {
                self.groups.add(Key::EndBeforeStart { service: span.service }, Trace::evidence(span, None));
                continue;
            }
            let Some((_, parent)) = tree.parent(number as u32) else { continue };
            if span.start == 0 || parent.start == 0 {
                continue; // It says no time: a part of a span, as Zipkin's tracers send them.
            }
            let is_before = span.start.saturating_add(tolerance) < parent.start;
            if parent.service == span.service && !span.flags.has(Flags::SHARED) {
                if is_before {
                    self.groups
                        .add(Key::ChildBeforeParent { service: span.service }, Trace::evidence(span, Some(parent)));
                }
            } else if is_before || is_after(parent, span, tolerance) {
                let key = Key::Clock { from: parent.service, to: span.service };
                if let Some(group) = self.groups.get(key) {
                    group.add(Trace::evidence(span, Some(parent)));
                    group.add_offset(offset(parent, span));
                }
            }
        }
    }
}

/// Returns `true` for a server that answers after its client has the answer. One that takes longer than the client waited, and all
/// that is asynchronous, is excused.
fn is_after(client: &StoredSpan, server: &StoredSpan, tolerance: u64) -> bool {
    client.kind == Kind::Client
        && server.kind == Kind::Server
        && server.end > client.end.saturating_add(tolerance)
        && length(server) <= length(client).saturating_add(tolerance)
}

fn length(span: &StoredSpan) -> u64 {
    span.end.saturating_sub(span.start)
}

/// Returns how far the clock of `span` is ahead. A synchronous call is assumed to be in the middle of its client's span; of a message
/// only the start is known.
fn offset(parent: &StoredSpan, span: &StoredSpan) -> i64 {
    let difference = |a: u64, b: u64| i64::try_from(i128::from(a) - i128::from(b)).unwrap_or_default();
    if parent.kind == Kind::Client && span.kind == Kind::Server {
        difference(span.start, parent.start) / 2 + difference(span.end, parent.end) / 2
    } else {
        difference(span.start, parent.start)
    }
}
