//! Common fields, ready to use.
//!
//! | key | name | type | propagates |
//! |---|---|---|---|
//! | [`REQUEST_ID`] | `request_id` | [`FieldString`] | yes |
//! | [`TENANT_ID`] | `tenant_id` | [`FieldString`] | yes |
//! | [`USER_ID`] | `user_id` | [`FieldString`] | yes |
//! | [`ROLE`] | `role` | [`FieldString`] | no, and not read from baggage: a role from outside would be a privilege |
//! | [`LOCALE`] | `locale` | [`FieldString`] | yes |
//! | [`CORRELATION_ID`] | `correlation_id` | [`FieldString`] | yes |
//! | [`FEATURE_FLAGS`] | `feature_flags` | [`FieldString`] | yes |
//! | [`TRACE_ID`] | `trace_id` | derived from the active OpenTelemetry span | by `traceparent` |
//! | [`SPAN_ID`] | `span_id` | derived from the active OpenTelemetry span | by `traceparent` |

use opentelemetry::{SpanId, TraceId};

use super::{declaration::Derived, field_string::FieldString, key::DerivedField};
use crate::context_fields;

context_fields! {
    /// The request that is being handled, unique for each.
    pub static REQUEST_ID: FieldString = "request_id" => propagated, max_len(128);
    /// The tenant on whose behalf the work is done.
    pub static TENANT_ID: FieldString = "tenant_id" => propagated, max_len(128);
    /// The user on whose behalf the work is done.
    pub static USER_ID: FieldString = "user_id" => propagated, max_len(128);
    /// The role in which the user acts.
    pub static ROLE: FieldString = "role" => from_baggage(false), max_len(128);
    /// The user's locale, as a BCP 47 tag.
    pub static LOCALE: FieldString = "locale" => propagated, max_len(35);
    /// An id that several requests share: an order, a conversation, a batch.
    pub static CORRELATION_ID: FieldString = "correlation_id" => propagated, max_len(128);
    /// The feature flags that are on, separated by commas.
    pub static FEATURE_FLAGS: FieldString = "feature_flags" => propagated;
}

/// The trace id of the active OpenTelemetry span: 32 hexadecimal digits on events.
pub static TRACE_ID: DerivedField<TraceId> =
    DerivedField::new("trace_id", "The trace id of the active OpenTelemetry span.", Derived::TraceId);

/// The span id of the active OpenTelemetry span: 16 hexadecimal digits on events.
pub static SPAN_ID: DerivedField<SpanId> =
    DerivedField::new("span_id", "The span id of the active OpenTelemetry span.", Derived::SpanId);
