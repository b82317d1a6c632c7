//! Between the header lines and OpenTelemetry's spans, which do not keep all of them.

use opentelemetry::{
    SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceState},
};

use super::{
    traceparent::{self, TraceParent},
    tracestate::{MAX_MEMBERS, TraceStateList},
};
use crate::context::Remote;

/// The span context, and the list if OpenTelemetry cannot hold all of it.
pub(super) fn span_context(parent: &TraceParent, list: TraceStateList) -> (SpanContext, Option<TraceStateList>) {
    let (state, is_whole) = hold(&list);
    let span = SpanContext::new(
        TraceId::from_bytes(parent.trace_id()),
        SpanId::from_bytes(parent.parent_id()),
        TraceFlags::new(parent.flags()),
        true,
        state,
    );
    (span, (!is_whole).then_some(list))
}

/// As much of a list as OpenTelemetry can hold. Its rules are narrower than Level 2's: a key may have one `@` only, and
/// not more than 13 characters after it.
fn hold(list: &TraceStateList) -> (TraceState, bool) {
    if list.is_empty() {
        return (TraceState::NONE, true);
    }
    match TraceState::from_key_value(list.members()) {
        Ok(state) => (state, true),
        Err(_) => {
            let holds = |member: &(&str, &str)| TraceState::from_key_value([*member]).is_ok();
            (TraceState::from_key_value(list.members().filter(holds)).unwrap_or_default(), false)
        }
    }
}

/// The list to send: what OpenTelemetry has now, and what it could not hold.
///
/// The second value is how many members are not sent because they are not valid.
pub(super) fn tracestate(span: &SpanContext, remote: Option<&Remote>, list: &mut TraceStateList) -> usize {
    let state = span.trace_state();
    let mut refused = 0;
    let whole = remote.and_then(|remote| TraceStateList::parse([remote.tracestate.as_deref()?.as_bytes()]).ok());
    match &whole {
        Some(whole) if hold(whole).0 == *state => *list = whole.clone(),
        _ => {
            for (key, value) in state {
                refused += usize::from(list.push(key, value).is_err());
            }
            // A sampler changed something: that is to the left of what was there before. Members that it took away
            // are told from those that could not be held.
            if let Some(whole) = &whole {
                for (key, value) in whole.members() {
                    if TraceState::from_key_value([(key, value)]).is_err() && list.len() < MAX_MEMBERS {
                        let _ = list.push(key, value);
                    }
                }
            }
        }
    }
    refused
}

/// The flags to send with a span.
#[inline]
pub(super) fn flags(span: &SpanContext, remote: Option<&Remote>, random_trace_ids: bool) -> u8 {
    let sampled = span.trace_flags().to_u8() & traceparent::SAMPLED;
    let random = match remote {
        // As it came in: a span that is not recorded has lost it.
        Some(remote) => remote.flags & traceparent::RANDOM_TRACE_ID,
        None if span.is_remote() => span.trace_flags().to_u8() & traceparent::RANDOM_TRACE_ID,
        // A trace that was started here.
        None if random_trace_ids => traceparent::RANDOM_TRACE_ID,
        None => 0,
    };
    sampled | random
}
