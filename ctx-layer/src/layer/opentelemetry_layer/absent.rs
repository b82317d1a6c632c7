//! Stubs: without the feature `tracing-opentelemetry` no span of `tracing` has an exported one that this crate could change.

use opentelemetry::{Context, trace::SpanContext};
use tracing::Span;
use tracing_core::{Dispatch, span::Id};

/// The end of the warning about an OpenTelemetry layer that cannot be used.
pub(crate) const UNSEEN: &str = "that `ctx-layer` cannot see: its spans get no status and no links, and some events have no \
    trace ids. Add `tracing-opentelemetry` to the `features` of `ctx-layer` in Cargo.toml";

pub(crate) fn set_ok(_: &Span) {}

pub(crate) fn set_error(_: &Span, _: &str) {}

pub(crate) fn add_exception(_: &Span, _: &str) {}

pub(crate) fn set_cancelled(_: &Span) {}

pub(crate) fn add_link(_: &Span, _: SpanContext) {}

#[cfg(feature = "_received")]
pub(crate) fn set_current_as_parent(_: &Span) {}

#[cfg(any(feature = "http-server", feature = "http-client"))]
pub(crate) fn rename(_: &Span, _: &'static str) {}

pub(crate) fn context_of(_: &Id, _: &Dispatch) -> Option<Context> {
    None
}

/// Returns `true`: no OpenTelemetry layer can be found.
pub(crate) fn is_there(_: &Dispatch) -> bool {
    true
}

#[inline]
pub(crate) fn intercept(_: bool) -> bool {
    false
}
