//! Warnings of this crate that go to a given dispatcher.
//!
//! `warn!` goes to the default dispatcher of the thread, and nowhere while that one handles a span or an event. What is wrong
//! with a stack is found there and then.

use std::fmt;

use tracing::{
    Dispatch, Event, Level, Metadata,
    callsite::{DefaultCallsite, Identifier},
    field::{FieldSet, Value},
    metadata::Kind,
};

static METADATA: Metadata<'static> = Metadata::new(
    "context is not shown",
    "ctx_layer",
    Level::WARN,
    Some(file!()),
    Some(line!()),
    Some(module_path!()),
    FieldSet::new(&["message", "field"], Identifier(&CALLSITE)),
    Kind::EVENT,
);
static CALLSITE: DefaultCallsite = DefaultCallsite::new(&METADATA);

/// Emits a warning, if the dispatcher's subscriber takes warnings. `field` is the field that it is about.
#[cold]
pub(crate) fn warn(dispatch: &Dispatch, field: Option<&str>, message: fmt::Arguments<'_>) {
    // Layers register what they get. Not by the call site: it would ask the default dispatcher, which is none here, and disable
    // itself for good.
    if dispatch.register_callsite(&METADATA).is_never() || !dispatch.enabled(&METADATA) {
        return;
    }
    let values = [Some(&message as &dyn Value), field.as_ref().map(|field| field as &dyn Value)];
    dispatch.event(&Event::new(&METADATA, &METADATA.fields().value_set_all(&values)));
}
