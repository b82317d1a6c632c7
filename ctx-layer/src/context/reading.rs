//! Reading the current values.

use std::{
    cell::Cell,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use opentelemetry::{
    Context, SpanId, TraceId,
    baggage::{Baggage, BaggageExt},
    trace::TraceContextExt,
};

use super::{context_value::ContextValueExt, frame_stack::fields_in, thread_state::read};
use crate::field::{Call, ContextField, Declaration, FieldType, Fields, set_any_layer};

/// The fields of all schemas in use. Their baggage is included when all values are read.
static REGISTERED: RwLock<Vec<&'static Declaration>> = RwLock::new(Vec::new());

/// Changes whenever a field is registered.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn register(declarations: impl Iterator<Item = &'static Declaration>) {
    set_any_layer();
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    for declaration in declarations {
        declaration.set_registered();
        if !registered.iter().any(|known| std::ptr::eq(*known, declaration)) {
            // Numbers follow the order in which fields are registered, and the order in which they are sent follows them.
            declaration.id();
            registered.push(declaration);
            GENERATION.fetch_add(1, Ordering::Release);
        }
    }
}

/// Returns a number that changes when fields are registered.
pub(crate) fn generation() -> usize {
    GENERATION.load(Ordering::Acquire)
}

/// Returns the fields of all schemas in use.
pub(crate) fn registered() -> Vec<&'static Declaration> {
    REGISTERED.read().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Fields {
    /// Returns the current values: those the program set, and baggage under the key of a field that a layer in use has.
    ///
    /// The set does not distinguish the two: attaching it elsewhere sets the values from baggage, too.
    pub fn current() -> Self {
        let Some((fields, with_baggage)) = read(|cx| (fields_in(cx), (!cx.baggage().is_empty()).then(|| cx.clone())))
        else {
            return Fields::new();
        };
        match with_baggage {
            None => fields,
            Some(cx) => fields.with_baggage(cx.baggage(), registered().into_iter()),
        }
    }

    /// Adds values from `baggage` for the given fields, unless the program set them itself.
    pub(crate) fn with_baggage(
        self,
        baggage: &Baggage,
        declarations: impl Iterator<Item = &'static Declaration>,
    ) -> Self {
        let mut fields = self;
        // A type's `FromStr` may log, and would be called again for that event.
        let Some(_reading) = Reading::begin() else { return fields };
        for declaration in declarations {
            if !fields.is_decided(declaration)
                && let Some(text) = baggage.get(declaration.baggage_key())
            {
                // An invalid value is ignored.
                let _ = fields.set_from_baggage(declaration, text.as_str(), false);
            }
        }
        fields
    }
}

/// A guard for reading baggage on this thread.
struct Reading;

thread_local! {
    /// Has no destructor, and so can always be read.
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

impl Reading {
    fn begin() -> Option<Self> {
        (!IS_READING.replace(true)).then_some(Reading)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        IS_READING.set(false);
    }
}

impl<T: FieldType> ContextField<T> {
    /// Returns the current value: the one the program set, else the one in OpenTelemetry baggage. Returns `None` if there is none.
    pub fn get(&'static self) -> Option<T> {
        let (fields, with_baggage) = read(|cx| (fields_in(cx), (!cx.baggage().is_empty()).then(|| cx.clone())))?;
        let fields = match with_baggage {
            None => fields,
            Some(cx) => fields.with_baggage(cx.baggage(), [self.declaration()].into_iter()),
        };
        fields.get(self).cloned()
    }
}

/// Returns the ids of a context's active span, if they are valid.
pub(crate) fn active_ids(cx: &Context) -> Option<(TraceId, SpanId)> {
    if !cx.has_active_span() {
        return None;
    }
    let span = cx.span();
    let span_context = span.span_context();
    span_context.is_valid().then(|| (span_context.trace_id(), span_context.span_id()))
}

/// An extension trait that reads and sets fields in an OpenTelemetry context.
///
/// ```
/// use ctx_layer::{Fields, context::ContextFieldsExt, field::well_known::TENANT_ID};
/// use opentelemetry::Context;
///
/// let cx = Context::new().with_fields(Fields::new().with(&TENANT_ID, "acme"));
/// assert_eq!(cx.fields().get(&TENANT_ID).map(|tenant| tenant.as_str()), Some("acme"));
/// ```
pub trait ContextFieldsExt {
    /// Returns the fields that the program set in this context. Baggage is not included.
    fn fields(&self) -> &Fields;

    /// Returns a context with changes to its fields. Its span, baggage and other values are kept.
    #[must_use = "a context does nothing until it is attached"]
    fn with_fields(&self, fields: Fields) -> Self;
}

impl ContextFieldsExt for Context {
    #[inline]
    fn fields(&self) -> &Fields {
        self.fields_alone()
    }

    fn with_fields(&self, fields: Fields) -> Self {
        let fields = fields_in(self).changed_by(fields, Call::once());
        self.with_carried(fields, self.remote().cloned())
    }
}
