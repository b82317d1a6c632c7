//! An event while its line is written.

use tracing_core::Event;

use super::{
    call_site::CallSite,
    line::Line,
    values::{Look, Part, Place, Seen, Values},
};
use crate::layer::Filled;

/// An event that is written, and what is known of it.
pub(super) struct Written<'a, 'e> {
    pub(super) event: &'a Event<'e>,
    pub(super) call_site: &'a CallSite,
    filled: Filled,
}

impl<'a, 'e> Written<'a, 'e> {
    #[inline]
    pub(super) fn new(event: &'a Event<'e>, call_site: &'a CallSite) -> Self {
        Written { event, call_site, filled: Filled::before(event) }
    }

    /// Returns which of the event's own fields have a value.
    pub(super) fn look(&self) -> Seen {
        let mut seen = Seen::default();
        self.event.record(&mut Look { seen: &mut seen, call_site: self.call_site, filled: self.filled });
        seen
    }

    /// Appends the event's own fields.
    #[inline]
    pub(super) fn push_values<P: Place>(
        &self,
        line: &mut Line<P::Notation>,
        part: Part,
        seen: Option<&Seen>,
        place: &mut P,
    ) {
        let Written { event, call_site, filled } = *self;
        event.record(&mut Values { line, call_site, filled, part, seen, place });
    }
}
