use opentelemetry::{Context, trace::TraceContextExt};

use super::owner::owner_in;
use crate::{
    context::read,
    propagation::Crossing,
    testing::captured::{CapturedMessage, Direction},
};

/// Captures context that crosses a boundary, for the test to which it belongs.
pub(in crate::testing) fn witness(crossing: Crossing) {
    let cx = read(Context::clone).unwrap_or_default();
    let Some(owner) = owner_in(&cx) else { return };
    let span = cx.span();
    let span = span.span_context();
    owner.add_message(CapturedMessage {
        direction: if crossing.is_sent { Direction::Sent } else { Direction::Received },
        boundary: crossing.boundary,
        headers: crossing.headers,
        ids: span.is_valid().then(|| (span.trace_id(), span.span_id())),
    });
}
