//! Late binding: a value that becomes known when its span is open already.

use tracing::Span;
use tracing_core::{
    Dispatch, Metadata, dispatcher,
    field::Value,
    span::{Id, Record},
};
use tracing_subscriber::{
    Registry,
    registry::{LookupSpan, SpanData},
};

use super::{core::Core, metadata::original_of};
use crate::field::{ContextField, Entry, FieldType, Shared};

impl<T: FieldType> ContextField<T> {
    /// Sets the value on the current span, although that span never declared the field.
    ///
    /// Authentication often runs inside the request span; this is how the span gets its tenant all the same. The value
    /// is recorded on the span in outputs, if the field is on spans. It is current in everything inside the span: at once in
    /// the scopes and spans that are open on this thread, and elsewhere from when the span is next entered, or a future next
    /// polled. It ends with the span. Scopes that are open end as they would have. Recording a field again replaces the value.
    ///
    /// The spans around it are not changed. For them there are [`record_on`](Self::record_on) and
    /// [`record_on_request`](Self::record_on_request).
    ///
    /// A context that is taken by `opentelemetry::Context::current()` on this thread may be without the value until the span
    /// is entered again; [`current_context`](crate::task::current_context) and all of [`task`](crate::task) have it.
    ///
    /// Returns `true` if a span was set. Otherwise:
    ///
    /// - Inside fields that replaced another request's, such as a received message's, the value is set for that scope only.
    ///   The span around it belongs to the receiver.
    /// - In an OpenTelemetry context that other code attached, in isolated or restored work, without a current span, and
    ///   without a [`ContextSubscriber`](crate::ContextSubscriber), nothing happens.
    ///
    /// ```
    /// use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::TENANT_ID};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let subscriber = tracing_subscriber::registry().with_context_fields(Schema::well_known());
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
    #[must_use = "returns `false` if there is no span to record on: then nothing has happened, or only for this scope"]
    pub fn record(&'static self, value: impl Into<T>) -> bool {
        let value = Shared::new(Entry::new(self.declaration(), value.into()));
        with_core(|dispatch, core| match core.record(&value) {
            Some(span) => {
                if let Some(metadata) = metadata_of(dispatch, &span) {
                    show(dispatch, core, &span, metadata, &value);
                }
                true
            }
            None => false,
        })
    }

    /// Sets the value on a given span and everything inside it, wherever that span is entered.
    ///
    /// For a span that is not the current one: that of a connection, or of a caller who handed it on. On this thread the
    /// value is current at once where the span is entered, and from when it is next entered elsewhere. A value recorded on
    /// a span of the [request](crate::declare_request) has a call of its own,
    /// [`record_on_request`](Self::record_on_request).
    ///
    /// Returns `false`, and does nothing, if the span is disabled, or of a subscriber without a
    /// [`ContextSubscriber`](crate::ContextSubscriber).
    ///
    /// ```
    /// use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::TENANT_ID};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let subscriber = tracing_subscriber::registry().with_context_fields(Schema::well_known());
    /// tracing::subscriber::with_default(subscriber, || {
    ///     let request = tracing::info_span!("request");
    ///     let _request = request.enter();
    ///     tracing::info_span!("authenticate").in_scope(|| assert!(TENANT_ID.record_on(&request, "acme")));
    ///     assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
    /// });
    /// ```
    #[must_use = "returns `false` if the span cannot be recorded on"]
    pub fn record_on(&'static self, span: &Span, value: impl Into<T>) -> bool {
        let value = Shared::new(Entry::new(self.declaration(), value.into()));
        let recorded = span.with_subscriber(|(id, dispatch)| {
            let Some(core) = dispatch.downcast_ref::<Core>() else { return false };
            core.record_on(id, &value);
            if let Some(metadata) = span.metadata() {
                show(dispatch, core, id, metadata, &value);
            }
            true
        });
        recorded.unwrap_or_default()
    }

    /// Sets the value for the whole request that is being worked for here: on the request's own span, and on everything
    /// inside it.
    ///
    /// Authentication is often a function with a span of its own. [`record`](Self::record) sets a value on that span, and
    /// is over with it; this sets it on the span of the request: for the rest of the request, its outgoing calls, tasks
    /// that are spawned from now on, and for the exported span.
    ///
    /// The span of a request is the one that `http::ServerLayer` creates, or one that the program
    /// [declares](crate::declare_request) to be that. It is looked for among the spans that are entered on this thread and
    /// those around them. In work that is done for somebody else, such as a message or an isolated task, the request
    /// around that is not found.
    ///
    /// Returns `false`, and does nothing, if there is no such span.
    ///
    /// ```
    /// use ctx_layer::{Schema, SubscriberFieldsExt, declare_request, field::well_known::USER_ID};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let subscriber = tracing_subscriber::registry().with_context_fields(Schema::well_known());
    /// tracing::subscriber::with_default(subscriber, || {
    ///     let request = tracing::info_span!("request");
    ///     assert!(declare_request(&request));
    ///     let _request = request.enter();
    ///     tracing::info_span!("authenticate").in_scope(|| assert!(USER_ID.record_on_request("ada")));
    ///     assert_eq!(USER_ID.get().as_deref(), Some("ada"));
    /// });
    /// ```
    #[must_use = "returns `false` if there is no request: then nothing has happened"]
    pub fn record_on_request(&'static self, value: impl Into<T>) -> bool {
        let value = Shared::new(Entry::new(self.declaration(), value.into()));
        with_core(|dispatch, core| {
            let Some(span) = core.record_on_request(&value, dispatch.downcast_ref()) else { return false };
            if let Some(metadata) = metadata_of(dispatch, &span) {
                show(dispatch, core, &span, metadata, &value);
            }
            true
        })
    }
}

/// Declares that a span is that of a request: where [`record_on_request`](ContextField::record_on_request), called
/// anywhere inside it, sets a value.
///
/// `http::ServerLayer` does so for its spans. For a consumer's span of one message, a job's, a WebSocket message's.
///
/// Returns `false`, and does nothing, if the span is disabled, or of a subscriber without a
/// [`ContextSubscriber`](crate::ContextSubscriber).
pub fn declare_request(span: &Span) -> bool {
    let declared = span.with_subscriber(|(id, dispatch)| {
        let core = dispatch.downcast_ref::<Core>()?;
        core.mark_request(id);
        Some(())
    });
    declared.flatten().is_some()
}

/// Calls `f` with the subscriber that is current here, if it is one that knows what spans remember.
fn with_core(f: impl FnOnce(&Dispatch, &Core) -> bool) -> bool {
    // Cloned, and not lent: while it is lent, what a layer logs goes nowhere.
    let dispatch = dispatcher::get_default(Dispatch::clone);
    dispatch.downcast_ref::<Core>().is_some_and(|core| f(&dispatch, core))
}

/// The metadata of a span that is entered on this thread.
fn metadata_of(dispatch: &Dispatch, id: &Id) -> Option<&'static Metadata<'static>> {
    match dispatch.current_span().into_inner() {
        Some((current, metadata)) if current == *id => Some(metadata),
        _ => Some(dispatch.downcast_ref::<Registry>()?.span_data(id)?.metadata()),
    }
}

/// Records a value on a span in all outputs.
fn show(dispatch: &Dispatch, core: &Core, id: &Id, metadata: &'static Metadata<'static>, value: &Shared) {
    let augmented = core.augmentation.of(original_of(metadata));
    let fields = augmented.metadata.fields();
    if let Some(target) = augmented.target(value.entry().declaration().id())
        && let Some(field) = fields.iter().nth(target.index())
    {
        let value: &dyn Value = value.entry().as_value(target.sensitivity);
        let values = [(&field, Some(value))];
        let values = fields.value_set(&values);
        augmented.declared.passing_on(&Record::new(&values), |record| dispatch.record(id, record));
    }
}
