//! The ids of an OpenTelemetry span, in the form that a backend reads.

use super::{
    escape,
    format::{Ids, Member},
};
use crate::output::{current::SpanIds, values::push_hex};

/// Appends one of the ids.
pub(super) fn push_id(bytes: &mut Vec<u8>, style: &Ids, member: Member, ids: SpanIds) {
    let (trace_id, span_id) = (ids.trace_id.to_bytes(), ids.span_id.to_bytes());
    let push_number = |bytes: &mut Vec<u8>, number: u64| {
        bytes.push(b'"');
        bytes.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        bytes.push(b'"');
    };
    match (member, style) {
        (Member::TraceId, Ids::Datadog) => {
            let [.., a, b, c, d, e, f, g, h] = trace_id;
            push_number(bytes, u64::from_be_bytes([a, b, c, d, e, f, g, h]));
        }
        (Member::SpanId, Ids::Datadog) => push_number(bytes, u64::from_be_bytes(span_id)),
        (Member::TraceId, Ids::GoogleCloud(prefix)) => {
            bytes.push(b'"');
            escape::push(bytes, prefix);
            push_hex(bytes, &trace_id);
            bytes.push(b'"');
        }
        (Member::TraceFlags, Ids::GoogleCloud(_)) => {
            bytes.extend_from_slice(if ids.flags.is_sampled() { b"true" } else { b"false" });
        }
        (Member::TraceFlags, Ids::OpenTelemetry) => {
            bytes.extend_from_slice(itoa::Buffer::new().format(ids.flags.to_u8()).as_bytes());
        }
        _ => {
            bytes.push(b'"');
            match member {
                Member::TraceId => push_hex(bytes, &trace_id),
                Member::SpanId => push_hex(bytes, &span_id),
                _ => push_hex(bytes, &[ids.flags.to_u8()]),
            }
            bytes.push(b'"');
        }
    }
}
