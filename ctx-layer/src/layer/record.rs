//! Recording values on spans that are already open.

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
    /// Sets the value on the current span, which need not have declared the field.
    ///
    /// Authentication often runs inside the request span; this sets the tenant on that span. The value is recorded on the span
    /// in outputs, if the field is on spans. It is current in everything inside the span: at once in the scopes and spans that
    /// are open on this thread, and elsewhere when the span is next entered, or a future next polled. It ends with the span.
    /// Open scopes end as before. Recording a field again replaces the value.
    ///
    /// Spans around the current one are not changed. Use [`record_on`](Self::record_on) or
    /// [`record_on_request`](Self::record_on_request) for them.
    ///
    /// The context that `opentelemetry::Context::current()` returns on this thread may lack the value until the span is entered
    /// again; [`current_context`](crate::task::current_context) and everything in [`task`](crate::task) include it.
    ///
    /// Returns `true` if the value was set on a span. Otherwise:
    ///
    /// - Inside fields that replaced another request's, such as a received message's, the value is set for that scope only.
    ///   The span around it belongs to the receiver.
    /// - In an OpenTelemetry context that another library attached, in isolated or restored work, without a current span, and
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
    /// Use it for a span that is not the current one: that of a connection, or one passed in by a caller. On this thread the
    /// value is current at once if the span is entered; elsewhere when it is next entered. For the span of the
    /// [request](crate::declare_request), use [`record_on_request`](Self::record_on_request).
    ///
    /// Returns `false`, and does nothing, if the span is disabled, or belongs to a subscriber without a
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
    ///     let authenticate = tracing::info_span!("authenticate");
    ///     authenticate.in_scope(|| assert!(TENANT_ID.record_on(&request, "acme")));
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

    /// Sets the value for the whole current request: on the request's own span, and on everything inside it.
    ///
    /// Authentication is often a function with a span of its own. [`record`](Self::record) sets a value on that span, which
    /// ends with the function. This method sets it on the span of the request: for the rest of the request, its outgoing calls,
    /// tasks that are spawned from now on, and the exported span.
    ///
    /// The span of a request is the one that `http::ServerLayer` creates, or one that the program
    /// [declares](crate::declare_request). It is searched among the spans that are entered on this thread and the spans around
    /// them. Work for another request, such as a received message or an isolated task, does not find the request around it.
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
    ///     let authenticate = tracing::info_span!("authenticate");
    ///     authenticate.in_scope(|| assert!(USER_ID.record_on_request("ada")));
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

/// Declares a span as that of a request: [`record_on_request`](ContextField::record_on_request), called anywhere inside it,
/// sets values on it.
///
/// `http::ServerLayer` declares its own spans. Call this for the span of one consumed message, of a job, or of a WebSocket
/// message.
///
/// Returns `false`, and does nothing, if the span is disabled, or belongs to a subscriber without a
/// [`ContextSubscriber`](crate::ContextSubscriber).
pub fn declare_request(span: &Span) -> bool {
    let declared = span.with_subscriber(|(id, dispatch)| {
        let core = dispatch.downcast_ref::<Core>()?;
        core.mark_request(id);
        Some(())
    });
    declared.flatten().is_some()
}

/// Calls `f` with the current subscriber, if it has a [`ContextSubscriber`](crate::ContextSubscriber).
fn with_core(f: impl FnOnce(&Dispatch, &Core) -> bool) -> bool {
    // Cloned, because events that a layer emits while it is borrowed are lost.
    let dispatch = dispatcher::get_default(Dispatch::clone);
    dispatch.downcast_ref::<Core>().is_some_and(|core| f(&dispatch, core))
}

/// Returns the metadata of a span that is entered on this thread.
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
