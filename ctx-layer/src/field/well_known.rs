//! Common fields, ready to use.
//!
//! | key | name | type | propagates |
//! |---|---|---|---|
//! | [`REQUEST_ID`] | `request_id` | `String` | yes |
//! | [`TENANT_ID`] | `tenant_id` | `String` | yes |
//! | [`USER_ID`] | `user_id` | `String` | yes |
//! | [`ROLE`] | `role` | `String` | no, and not read from baggage: a role from outside would be a privilege |
//! | [`LOCALE`] | `locale` | `String` | yes |
//! | [`CORRELATION_ID`] | `correlation_id` | `String` | yes |
//! | [`FEATURE_FLAGS`] | `feature_flags` | `String` | yes |
//! | [`TRACE_ID`] | `trace_id` | derived from the active OpenTelemetry span | by `traceparent` |
//! | [`SPAN_ID`] | `span_id` | derived from the active OpenTelemetry span | by `traceparent` |

use opentelemetry::{SpanId, TraceId};

use super::{declaration::Derived, key::DerivedField};
use crate::context_fields;

context_fields! {
    /// The request that is being handled, unique for each.
    pub static REQUEST_ID: String = "request_id" => propagated, max_len(128);
    /// The tenant on whose behalf the work is done.
    pub static TENANT_ID: String = "tenant_id" => propagated, max_len(128);
    /// The user on whose behalf the work is done.
    pub static USER_ID: String = "user_id" => propagated, max_len(128);
    /// The role in which the user acts.
    pub static ROLE: String = "role" => from_baggage(false), max_len(128);
    /// The user's locale, as a BCP 47 tag.
    pub static LOCALE: String = "locale" => propagated, max_len(35);
    /// An id that several requests share: an order, a conversation, a batch.
    pub static CORRELATION_ID: String = "correlation_id" => propagated, max_len(128);
    /// The feature flags that are on, separated by commas.
    pub static FEATURE_FLAGS: String = "feature_flags" => propagated;
}

/// The trace id of the active OpenTelemetry span: 32 hexadecimal digits on events.
pub static TRACE_ID: DerivedField<TraceId> =
    DerivedField::new("trace_id", "The trace id of the active OpenTelemetry span.", Derived::TraceId);

/// The span id of the active OpenTelemetry span: 16 hexadecimal digits on events.
pub static SPAN_ID: DerivedField<SpanId> =
    DerivedField::new("span_id", "The span id of the active OpenTelemetry span.", Derived::SpanId);
