use std::fmt;

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// An output that looks at every value without formatting or keeping it.
#[derive(Debug)]
pub struct Visiting;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Visiting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut visitor = Visitor(0);
        event.record(&mut visitor);
        std::hint::black_box(visitor.0);
    }

    fn on_new_span(&self, attributes: &tracing::span::Attributes<'_>, _: &tracing::Id, _: Context<'_, S>) {
        let mut visitor = Visitor(0);
        attributes.record(&mut visitor);
        std::hint::black_box(visitor.0);
    }
}

struct Visitor(usize);

impl Visit for Visitor {
    fn record_str(&mut self, _: &Field, value: &str) {
        self.0 += value.len();
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {
        self.0 += 1;
    }
}
