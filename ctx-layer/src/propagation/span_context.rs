//! Conversion between header lines and OpenTelemetry's spans, which cannot hold every `tracestate`.

use opentelemetry::{
    SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceState},
};

use super::{
    traceparent::{self, TraceParent},
    tracestate::{MAX_MEMBERS, TraceStateList},
};
use crate::context::Remote;

/// Returns the span context, and the list if OpenTelemetry cannot hold all of it.
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

/// Returns the part of a list that OpenTelemetry can hold. Its rules are stricter than Level 2's: a key may contain
/// only one `@`, followed by at most 13 characters.
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

/// Returns the list to send: OpenTelemetry's members, and those that it could not hold.
///
/// The second value is the number of members that are invalid and not sent.
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
            // A sampler changed the list, on the left of what was there before. Members that it removed are
            // distinguished from those that OpenTelemetry could not hold.
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

/// Returns the flags to send with a span.
#[inline]
pub(super) fn flags(span: &SpanContext, remote: Option<&Remote>, random_trace_ids: bool) -> u8 {
    let sampled = span.trace_flags().to_u8() & traceparent::SAMPLED;
    let random = match remote {
        // The received flag: a span that is not recorded has lost it.
        Some(remote) => remote.flags & traceparent::RANDOM_TRACE_ID,
        None if span.is_remote() => span.trace_flags().to_u8() & traceparent::RANDOM_TRACE_ID,
        // The trace was started here.
        None if random_trace_ids => traceparent::RANDOM_TRACE_ID,
        None => 0,
    };
    sampled | random
}
