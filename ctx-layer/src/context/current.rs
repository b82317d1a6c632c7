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
    /// Whether OpenTelemetry's own thread-local may be used. Has no destructor, and so can always be read, fast.
    static CAN_READ: Cell<CanRead> = const { Cell::new(CanRead::NotKnown) };
    static LOCAL: Local = Local::new();
}

#[derive(Clone, Copy)]
enum CanRead {
    NotKnown,
    Yes,
    No,
}

/// What is kept per thread, as long as OpenTelemetry's thread-local may be used.
///
/// Thread-locals are destroyed last-made first, so what is made after OpenTelemetry's is gone before it.
struct Local {
    /// The fields of the last event of this thread. See [`Lease`].
    kept: Cell<Fields>,
}

impl Local {
    fn new() -> Self {
        // Fails only where a thread that never saw this crate logs from the destructor of a thread-local, after
        // OpenTelemetry's is gone.
        let can_read = panic::catch_unwind(|| Context::map_current(|_| ())).is_ok();
        CAN_READ.set(if can_read { CanRead::Yes } else { CanRead::No });
        Local { kept: Cell::new(Fields::new()) }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        CAN_READ.set(CanRead::No);
    }
}

#[inline]
fn can_read() -> bool {
    match CAN_READ.get() {
        CanRead::Yes => true,
        CanRead::No => false,
        CanRead::NotKnown => find_out(),
    }
}

#[cold]
fn find_out() -> bool {
    LOCAL.try_with(|_| ()).is_ok() && matches!(CAN_READ.get(), CanRead::Yes)
}

/// Reads the current OpenTelemetry context; `None` while the thread is being torn down, when reading it would panic.
///
/// `f` must not call foreign code: it could attach a context while this one is borrowed.
#[inline]
pub(crate) fn read<R>(f: impl FnOnce(&Context) -> R) -> Option<R> {
    can_read().then(|| Context::map_current(f))
}

/// The fields in force for a moment, without touching their count of references where that can be avoided.
///
/// A thread keeps the fields of its last event, and the next event nearly always has the same ones. So two threads that
/// work for one request do not pass the cache line with the count back and forth with every event. The price: a set of
/// values lives on until the thread logs with another.
pub(crate) struct Lease(Fields);

impl Lease {
    /// The fields, to be kept elsewhere.
    #[inline]
    pub(crate) fn into_fields(mut self) -> Fields {
        std::mem::take(&mut self.0)
    }

    /// Keeps fields that were given back for the next event of this thread.
    #[inline]
    pub(crate) fn give_back(fields: Fields) {
        drop(Lease(fields));
    }
}

impl std::ops::Deref for Lease {
    type Target = Fields;

    #[inline]
    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl Drop for Lease {
    #[inline]
    fn drop(&mut self) {
        let fields = std::mem::take(&mut self.0);
        if !fields.is_empty() {
            let _ = LOCAL.try_with(|local| local.kept.set(fields));
        }
    }
}

/// What the current context has for a layer. Small enough to be returned in registers.
pub(crate) enum InForce {
    Nothing,
    Fields(Lease),
    /// It takes a closer look: there is baggage.
    More,
}

/// What is in force.
#[inline]
pub(crate) fn in_force() -> InForce {
    read(|cx| {
        if !cx.baggage().is_empty() {
            return InForce::More;
        }
        let fields = cx.fields();
        if fields.is_empty() {
            return InForce::Nothing;
        }
        let kept = LOCAL.try_with(|local| local.kept.take()).unwrap_or_default();
        if kept.is_same(fields) {
            return InForce::Fields(Lease(kept));
        }
        // Put back, to be dropped by `Lease` when the context is no longer borrowed.
        let _ = LOCAL.try_with(|local| local.kept.set(kept));
        InForce::Fields(Lease(fields.clone()))
    })
    .unwrap_or(InForce::Nothing)
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
    ///
    /// In the set all are alike: attached elsewhere, it makes values of what was baggage.
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
            if fields.entry(declaration).is_some() {
                return fields;
            }
            match baggage.get(declaration.baggage_key()).and_then(|text| parse_entry(declaration, text.as_str())) {
                Some(entry) => fields.with_entry(entry),
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
