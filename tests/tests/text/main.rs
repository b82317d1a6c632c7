//! `output::text`: what its lines are, read back as strictly as they can be read.

mod auto;
mod bad_input;
mod fields;
mod forged;
mod lines;
mod page;
mod reader;
mod stacks;

use ctx_layer::{
    SubscriberFieldsExt,
    output::text::{TextLayer, layer},
};
use ctx_tests::{Captured, schema};
use tracing::{Subscriber, subscriber::with_default};
use tracing_subscriber::prelude::*;

/// Runs `run` under the subscriber over the whole stack, beside another layer, and alone with the fields that it attaches, and returns
/// what is written: it has to be the same.
fn text_of(change: impl Fn(TextLayer) -> TextLayer, run: impl Fn()) -> String {
    let under = text_under(&change, &run);
    let beside = {
        let lines = Captured::default();
        let stack = tracing_subscriber::registry().with(kept(&change, &lines)).with(Looking);
        with_default(stack.with_context_fields(schema()), &run);
        lines.text()
    };
    assert_eq!(under, beside, "a layer beside it changes the lines");
    let alone = {
        let lines = Captured::default();
        with_default(tracing_subscriber::registry().with(kept(&change, &lines)), &run);
        lines.text()
    };
    assert_eq!(under, alone, "the lines are others without the subscriber over the stack");
    under
}

/// Runs under the subscriber over the whole stack alone.
fn text_under(change: impl Fn(TextLayer) -> TextLayer, run: impl Fn()) -> String {
    let lines = Captured::default();
    with_default(tracing_subscriber::registry().with(kept(change, &lines)).with_context_fields(schema()), &run);
    lines.text()
}

fn kept(change: impl Fn(TextLayer) -> TextLayer, lines: &Captured) -> TextLayer<Captured> {
    change(layer().without_time().with_target(false)).with_writer(lines.clone())
}

/// A layer that looks at what every event has: events are rewritten for it.
struct Looking;

impl<S: Subscriber> tracing_subscriber::Layer<S> for Looking {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        event.record(&mut |_: &tracing::field::Field, _: &dyn std::fmt::Debug| {});
    }
}
