//! The extension trait that adds fields to a subscriber stack.

use tracing_core::Subscriber;

use super::{core::Core, filled, subscriber::ContextSubscriber};
use crate::field::Schema;

/// An extension trait that adds context fields to a subscriber stack.
///
/// It is implemented for finished subscribers: call `finish()` on the builder that `tracing_subscriber::fmt()` returns.
///
/// ```
/// use ctx_layer::{Schema, SubscriberFieldsExt};
///
/// let subscriber =
///     tracing_subscriber::fmt().json().finish().with_context_fields(Schema::well_known());
/// # drop(subscriber);
/// ```
pub trait SubscriberFieldsExt: Subscriber + Sized {
    /// Adds the fields of `schema` to every span and every event of this stack, in every output, before filters and samplers
    /// see them. Call it last, right before `.init()`: layers added over it see spans and events without the fields.
    ///
    /// A span remembers the fields that are current when it is created. Entering it, on any thread, makes them current until it
    /// is exited. If it is entered inside the same request, the fields that are current there stay.
    ///
    /// ```
    /// use ctx_layer::{Schema, SubscriberFieldsExt};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let subscriber = tracing_subscriber::registry()
    ///     .with(ctx_layer::fields_once_per_line(tracing_subscriber::fmt::layer()))
    ///     .with_context_fields(Schema::well_known());
    /// # drop(subscriber);
    /// ```
    ///
    /// # Warnings
    ///
    /// Each of these is logged once, at WARN, by the subscriber that it concerns:
    ///
    /// - A layer or a filter was added over it. The warning has the place of the call to this method.
    /// - A field was set that is in no schema, though its policy allows it on spans or events. If it was set before the subscriber
    ///   was installed, this is logged with the first span or event.
    /// - A field was set, and no layer of this crate was ever created: once for the whole process.
    /// - The stack has an OpenTelemetry layer of another version of `tracing-opentelemetry` than this crate uses, whose spans
    ///   cannot be read here (feature `tracing-opentelemetry`). This is detected by the type of the stack. A layer that is boxed
    ///   (`.boxed()`), optional, in a `Vec` or in a `reload::Layer` cannot be checked, nor can code that uses another version of
    ///   `opentelemetry` without a layer.
    #[track_caller]
    fn with_context_fields(self, schema: Schema) -> ContextSubscriber<Self> {
        if let Some(core) = (&self as &dyn Subscriber).downcast_ref::<Core>() {
            filled::adds_to_others();
            core.set_up.wrap();
        }
        ContextSubscriber::new(schema, self)
    }
}

impl<S: Subscriber> SubscriberFieldsExt for S {}
