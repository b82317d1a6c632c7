//! Late binding: a value that becomes known when its span is open already.

use tracing_core::{dispatcher, field::Value, span::Record};

use super::core::Core;
use crate::field::{ContextField, Entry, FieldType, Shared};

impl<T: FieldType> ContextField<T> {
    /// Sets the value on the current span, although that span never declared the field.
    ///
    /// Authentication often runs inside the request span; this is how the span gets its tenant all the same. The value
    /// is recorded on the span (where the field stands on spans), and it is in force from here until the span is left,
    /// and again whenever it is entered: for the rest of the request, across `.await`. Scopes that are open end as they
    /// would have: what they set is not kept.
    ///
    /// On this thread the value is not part of the OpenTelemetry context until the span is entered again: a context
    /// captured meanwhile does not carry it, and what is recorded while OpenTelemetry code has baggage attached is in
    /// force until that is detached, and then from when the span is entered again.
    ///
    /// Spans that were made before, the current span's parents among them, are not changed.
    ///
    /// Returns whether there was a current span to set it on, under a
    /// [`ContextSubscriber`](crate::ContextSubscriber). If not, nothing has happened.
    ///
    /// ```
    /// use ctx_layer::{Schema, WithContextExt, field::well_known::TENANT_ID};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let subscriber = tracing_subscriber::registry().with_context(Schema::well_known());
    /// tracing::subscriber::with_default(subscriber, || {
    ///     let request = tracing::info_span!("request").entered();
    ///     assert!(TENANT_ID.record("acme"));
    ///     assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
    ///
    ///     let request = request.exit();
    ///     assert_eq!(TENANT_ID.get(), None);
    ///     request.in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("acme")));
    /// });
    /// ```
    pub fn record(&'static self, value: impl Into<T>) -> bool {
        let value = Shared::new(Entry::new(self.declaration(), value.into()));
        dispatcher::get_default(|dispatch| {
            let Some(core) = dispatch.downcast_ref::<Core>() else { return false };
            let Some((id, metadata)) = dispatch.current_span().into_inner() else { return false };
            // First, so that outputs which show the field in a way of their own find the value in force.
            core.bind(&id, &value);
            let augmented = core.augmentation.of(super::metadata::original_of(metadata));
            if let Some(target) = augmented.target(self.declaration().id())
                && let Some(field) = metadata.fields().iter().nth(target.index())
            {
                let value: &dyn Value = value.entry().as_value(target.sensitivity);
                let values = [(&field, Some(value))];
                let values = metadata.fields().value_set(&values);
                augmented.declared.passing_on(&Record::new(&values), |record| dispatch.record(&id, record));
            }
            true
        })
    }
}
