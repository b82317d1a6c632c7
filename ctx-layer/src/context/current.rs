//! Reading the values in force.

use std::{
    cell::Cell,
    panic,
    sync::{PoisonError, RwLock},
};

use opentelemetry::{
    Context, SpanId, TraceId,
    baggage::{Baggage, BaggageExt},
    trace::TraceContextExt,
};

use crate::field::{ContextField, Declaration, DerivedField, FieldType, Fields, parse_entry};

thread_local! {
    /// Lives exactly while OpenTelemetry's own thread-local may be used.
    static ALIVE: Alive = Alive::new();
}

/// Thread-locals are destroyed last-made first, so what is made after OpenTelemetry's is gone before it.
struct Alive(Cell<bool>);

impl Alive {
    fn new() -> Self {
        // Fails only where a thread that never saw this crate logs from the destructor of a thread-local, after
        // OpenTelemetry's is gone.
        Alive(Cell::new(panic::catch_unwind(|| Context::map_current(|_| ())).is_ok()))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Reads the current OpenTelemetry context; `None` while the thread is being torn down, when reading it would panic.
///
/// `f` must not call foreign code: it could attach a context while this one is borrowed.
#[inline]
pub(crate) fn read<R>(f: impl FnOnce(&Context) -> R) -> Option<R> {
    match ALIVE.try_with(|alive| alive.0.get()) {
        Ok(true) => Some(Context::map_current(f)),
        _ => None,
    }
}

/// The fields of all schemas in use, for those who ask for all values: their baggage counts.
static REGISTERED: RwLock<Vec<&'static Declaration>> = RwLock::new(Vec::new());

pub(crate) fn register(declarations: impl Iterator<Item = &'static Declaration>) {
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    for declaration in declarations {
        if !registered.iter().any(|known| std::ptr::eq(*known, declaration)) {
            registered.push(declaration);
        }
    }
}

impl Fields {
    /// The values in force: those the program set, and baggage under the key of a field that a layer in use knows.
    pub fn current() -> Self {
        let Some((fields, with_baggage)) =
            read(|cx| (cx.fields().clone(), (!cx.baggage().is_empty()).then(|| cx.clone())))
        else {
            return Fields::new();
        };
        match with_baggage {
            None => fields,
            Some(cx) => {
                let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner).clone();
                fields.with_baggage(cx.baggage(), registered.into_iter())
            }
        }
    }

    /// The set with what `baggage` says of the given fields, where the program did not set them itself.
    pub(crate) fn with_baggage(
        self,
        baggage: &Baggage,
        declarations: impl Iterator<Item = &'static Declaration>,
    ) -> Self {
        declarations.fold(self, |fields, declaration| {
            if fields.is_set(declaration) {
                return fields;
            }
            match baggage.get(declaration.baggage_key()).and_then(|text| parse_entry(declaration, text.as_str())) {
                Some(entry) => fields.with_entry(entry, true),
                None => fields,
            }
        })
    }
}

impl<T: FieldType> ContextField<T> {
    /// The value in force: the one the program set, else the one in OpenTelemetry baggage. `None` where there is none.
    pub fn get(&'static self) -> Option<T> {
        let (fields, with_baggage) = read(|cx| (cx.fields().clone(), (!cx.baggage().is_empty()).then(|| cx.clone())))?;
        let fields = match with_baggage {
            None => fields,
            Some(cx) => fields.with_baggage(cx.baggage(), [self.declaration()].into_iter()),
        };
        fields.get(self).cloned()
    }
}

impl DerivedField<TraceId> {
    /// The trace id of the active OpenTelemetry span; `None` where there is none.
    pub fn get(&'static self) -> Option<TraceId> {
        read(|cx| active_ids(cx).map(|(trace_id, _)| trace_id)).flatten()
    }
}

impl DerivedField<SpanId> {
    /// The span id of the active OpenTelemetry span; `None` where there is none.
    pub fn get(&'static self) -> Option<SpanId> {
        read(|cx| active_ids(cx).map(|(_, span_id)| span_id)).flatten()
    }
}

/// The ids of a context's active span, where it is a real one.
pub(crate) fn active_ids(cx: &Context) -> Option<(TraceId, SpanId)> {
    if !cx.has_active_span() {
        return None;
    }
    let span = cx.span();
    let span_context = span.span_context();
    span_context.is_valid().then(|| (span_context.trace_id(), span_context.span_id()))
}

static EMPTY: Fields = Fields::new();

/// Fields in an OpenTelemetry context.
///
/// ```
/// use ctx_layer::{Fields, context::ContextFieldsExt, field::well_known::TENANT_ID};
/// use opentelemetry::Context;
///
/// let cx = Context::new().with_fields(Fields::new().with(&TENANT_ID, "acme"));
/// assert_eq!(cx.fields().get(&TENANT_ID).map(String::as_str), Some("acme"));
/// ```
pub trait ContextFieldsExt {
    /// The fields that the program set in this context. Baggage is not looked at.
    fn fields(&self) -> &Fields;

    /// A context with these fields in place of its own. Span, baggage and all else are kept.
    #[must_use = "a context does nothing until it is attached"]
    fn with_fields(&self, fields: Fields) -> Self;
}

impl ContextFieldsExt for Context {
    #[inline]
    fn fields(&self) -> &Fields {
        self.get().unwrap_or(&EMPTY)
    }

    fn with_fields(&self, fields: Fields) -> Self {
        self.with_value(fields)
    }
}
