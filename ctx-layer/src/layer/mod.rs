//! Adding the current fields to spans and events.
//!
//! `tracing` layers can read events but not change them. A [`Subscriber`] that wraps the finished stack can: it gets
//! each span and event before any layer does, and passes on another with more fields. The other one has the same name,
//! target, level, file, line and *call site*, so layers, filters and `Span::record` see no other difference.
//!
//! [`Subscriber`]: tracing_core::Subscriber

mod address_map;
mod ambient;
#[cfg(feature = "_received")]
mod complete_span;
mod context_layer;
mod core;
mod declared;
pub(crate) mod entered_spans;
mod filled;
mod kept;
mod kept_spans;
mod last_recorded;
mod metadata;
pub(crate) mod opentelemetry_layer;
mod other_version;
mod parent;
#[cfg(feature = "_output")]
mod policies;
mod postponed;
#[cfg(feature = "_output")]
mod reading;
mod record;
mod recorded;
mod rewrite;
mod sensitive;
#[cfg(feature = "fmt")]
mod separate_span_fields;
mod set_up;
mod shared_targets;
mod side_channel;
mod span_lock;
mod span_memory;
mod stack_dispatch;
mod subscriber;
mod subscriber_fields_ext;

#[cfg(feature = "_received")]
pub(crate) use complete_span::{WithRoom, open};
pub(crate) use core::{in_snapshot, is_kept_only};
#[cfg(all(test, feature = "json", feature = "text"))]
pub(crate) use reading::{ignores_fields_of_spans, reads_fields_itself};
pub(crate) use sensitive::is_sensitive;
pub(crate) use stack_dispatch::ids_of;
#[cfg(feature = "_output")]
pub(crate) use {
    address_map::AddressMap, core::is_about_the_context, filled::Filled, metadata::original_of, parent::Parentage,
    policies::Policies, side_channel::elsewhere, stack_dispatch::StackDispatch,
};

pub use context_layer::ContextLayer;
pub use record::declare_request;
#[cfg(feature = "fmt")]
pub use separate_span_fields::SeparateSpanFields;
pub use subscriber::ContextSubscriber;
pub use subscriber_fields_ext::SubscriberFieldsExt;

use crate::field::Schema;

/// Wraps an output so that each line shows each registered field once, however deep the spans.
///
/// Most formats, JSON and text alike, show the fields of enclosing spans on every line, and formats that flatten spans write a
/// field twice. In the wrapped output a registered field is on the event alone, with its own value, else the current one, else
/// that of the innermost span that declares the field. Spans show only fields that are not registered.
///
/// If the stack has another `fmt` output of the same format, give one of the two [`SeparateSpanFields`].
///
/// Lines about a span's life (`with_span_events` of `fmt`, `START` and `END` of `tracing-bunyan-formatter`) are not events, so
/// they show no registered fields in the wrapped output; without the wrapper they do.
///
/// ```
/// use ctx_layer::{Schema, SubscriberFieldsExt, fields_once_per_line};
/// use tracing_subscriber::{fmt::layer, prelude::*};
///
/// let json = layer().json().flatten_event(true).with_writer(std::io::stderr);
/// let subscriber = tracing_subscriber::registry()
///     .with(fields_once_per_line(layer()))
///     .with(fields_once_per_line(json))
///     .with_context_fields(Schema::well_known());
/// # drop(subscriber);
/// ```
#[cfg_attr(not(feature = "fmt"), doc = "\n[`SeparateSpanFields`]: crate#features")]
pub fn fields_once_per_line<L>(output: L) -> ContextLayer<L> {
    ContextLayer::new(output, Schema::empty()).hide_on_spans()
}
