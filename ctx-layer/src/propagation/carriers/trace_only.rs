//! A carrier from which only a span to link to is read.

use crate::propagation::{boundary::Boundary, carrier::Carrier, names};

/// A carrier without its baggage, for spans that are only linked to.
pub(crate) struct TraceOnly<'a, C: ?Sized>(pub(crate) &'a C);

impl<C: Carrier + ?Sized> Carrier for TraceOnly<'_, C> {
    fn lines(&self, key: &str, line: &mut dyn FnMut(&[u8])) {
        if key != names::BAGGAGE {
            self.0.lines(key, line);
        }
    }

    fn boundary(&self) -> &'static Boundary {
        self.0.boundary()
    }
}
