//! `output::json`: its lines, read as a collector reads them.

mod bad_input;
mod fields;
mod fuzzed;
mod page;
mod schemas;
mod spans;
mod stacks;
mod strict;
mod values;

use ctx_layer::{SubscriberFieldsExt, output::json::JsonLayer};
use ctx_tests::{Captured, schema};
use serde_json::Value;
use tracing::{Subscriber, subscriber::with_default};
use tracing_subscriber::prelude::*;

/// A writer for [`JsonLayer::with_writer`].
type Kept = JsonLayer<Captured>;

/// Runs `run` under the subscriber over the whole stack, and alone with the fields that it attaches. Returns the lines,
/// which must be equal.
fn lines_of(change: impl Fn(JsonLayer) -> JsonLayer, run: impl Fn()) -> Vec<String> {
    let under = lines_under(&change, &run);
    let beside = {
        let lines = Captured::default();
        let stack = tracing_subscriber::registry().with(kept(&change, &lines)).with(Looking);
        with_default(stack.with_context_fields(schema()), &run);
        lines.lines()
    };
    assert_eq!(under, beside, "a layer beside it changes the lines");
    let alone = {
        let lines = Captured::default();
        with_default(tracing_subscriber::registry().with(kept(&change, &lines)), &run);
        lines.lines()
    };
    assert_eq!(under, alone, "the lines are others without the subscriber over the stack");
    under
}

/// Runs `run` under the subscriber over the whole stack only.
fn lines_under(change: impl Fn(JsonLayer) -> JsonLayer, run: impl Fn()) -> Vec<String> {
    let lines = Captured::default();
    with_default(tracing_subscriber::registry().with(kept(change, &lines)).with_context_fields(schema()), &run);
    lines.lines()
}

fn kept(change: impl Fn(JsonLayer) -> JsonLayer, lines: &Captured) -> Kept {
    change(ctx_layer::output::json::layer().without_time().with_target(false)).with_writer(lines.clone())
}

/// Returns the one line that `run` writes. Checks that it is a JSON object with unique keys.
fn line_of(run: impl Fn()) -> Value {
    let mut lines = lines_of(|layer| layer, run);
    assert_eq!(lines.len(), 1, "{lines:?}");
    strict::parse(&lines.remove(0))
}

/// A layer that looks at every event, so that events are rewritten for it.
struct Looking;

impl<S: Subscriber> tracing_subscriber::Layer<S> for Looking {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        event.record(&mut |_: &tracing::field::Field, _: &dyn std::fmt::Debug| {});
    }
}
