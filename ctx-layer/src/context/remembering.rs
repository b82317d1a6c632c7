//! Remembering what is current on this thread, with values that were recorded on its frames.

use opentelemetry::Context;

use super::{
    frame_stack::{self, fields_in},
    remembered::Remembered,
    thread_state::read,
};

impl Remembered {
    /// Returns the values that are current in a context on this thread.
    #[inline]
    pub(crate) fn of(cx: &Context) -> Self {
        Self::with_baggage_of(cx, fields_in(cx))
    }

    /// Returns the current values.
    #[inline]
    pub(crate) fn current() -> Self {
        read(Self::of).unwrap_or_default()
    }

    /// Returns `true` if this, which is current here, counts as descending from `other`: it does, or a future around it that has
    /// a context of its own was wrapped where the values descended from `other`.
    pub(crate) fn counts_as_descending_from(&self, other: &Remembered) -> bool {
        self.descends_from(other) || frame_stack::is_covered(other)
    }

    /// Returns `true` if a context has these fields and this baggage.
    pub(crate) fn is_in(&self, cx: &Context) -> bool {
        fields_in(cx).is_same(&self.fields) && self.has_baggage_of(cx)
    }
}
