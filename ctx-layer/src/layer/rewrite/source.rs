//! The source of the values that are rebuilt.

use tracing_core::{
    Event,
    field::Visit,
    span::{Attributes, Record},
};

/// A span, event or record with values to visit.
pub(in crate::layer) trait Source {
    fn record(&self, visitor: &mut dyn Visit);
}

impl Source for Event<'_> {
    fn record(&self, visitor: &mut dyn Visit) {
        Event::record(self, visitor);
    }
}

impl Source for Attributes<'_> {
    fn record(&self, visitor: &mut dyn Visit) {
        Attributes::record(self, visitor);
    }
}

impl Source for Record<'_> {
    fn record(&self, visitor: &mut dyn Visit) {
        Record::record(self, visitor);
    }
}
