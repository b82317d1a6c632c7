//! Warnings that are sent to a given dispatcher.
//!
//! `warn!` uses the default dispatcher of the thread, and does nothing while that one handles a span or an event. Errors in the
//! set-up of a stack are found during such a call.

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

/// Emits a warning, if the dispatcher's subscriber enables it. `field` is the context field that the warning is about.
#[cold]
pub(crate) fn warn(dispatch: &Dispatch, field: Option<&str>, message: fmt::Arguments<'_>) {
    // Layers need the call site to be registered. Registering it globally would ask the default dispatcher, which is `none`
    // here, and disable the call site for good.
    if dispatch.register_callsite(&METADATA).is_never() || !dispatch.enabled(&METADATA) {
        return;
    }
    let values = [Some(&message as &dyn Value), field.as_ref().map(|field| field as &dyn Value)];
    dispatch.event(&Event::new(&METADATA, &METADATA.fields().value_set_all(&values)));
}
