//! What was read from a carrier.

use std::marker::PhantomData;

use opentelemetry::{Context, trace::SpanContext};

use super::dropped::{Dropped, Invalid};
use crate::{
    Fields,
    context::{ContextFieldsExt, Scope},
};

/// What was read from a carrier, as far as it is believed: a context to put in force, a span to link to, and what was
/// dropped.
///
/// ```
/// use std::collections::HashMap;
/// use ctx_layer::{Schema, field::well_known::TENANT_ID, propagation::{self, Trust}};
///
/// # let _stack = ctx_layer::SubscriberFieldsExt::with_context_fields(tracing_subscriber::registry(), Schema::well_known());
/// let message = HashMap::from([("baggage".to_owned(), "tenant_id=acme".to_owned())]);
///
/// let extracted = propagation::extract(&message, Trust::internal());
/// extracted.in_scope(|| assert_eq!(TENANT_ID.get().as_deref(), Some("acme")));
///
/// // The same from a stranger.
/// let extracted = propagation::extract(&message, Trust::external());
/// extracted.in_scope(|| assert_eq!(TENANT_ID.get(), None));
/// assert_eq!(extracted.dropped()[0].to_string(), "`baggage`: baggage of an external caller is not believed");
/// ```
///
/// For a future, [`in_context`](crate::task::InContextExt::in_context) takes it.
#[derive(Clone, Debug)]
#[must_use = "what was extracted is in force only where it is attached"]
pub struct Extracted {
    pub(super) cx: Context,
    pub(super) remote: Option<SpanContext>,
    pub(super) is_continued: bool,
    pub(super) invalid: Option<Invalid>,
    pub(super) dropped: Vec<Dropped>,
}

impl Extracted {
    /// The context: the caller's span as parent if its trace is continued, and what is believed of fields and baggage.
    /// Nothing of what is in force here is in it.
    pub fn context(&self) -> &Context {
        &self.cx
    }

    /// The same, taken out.
    pub fn into_context(self) -> Context {
        self.cx
    }

    /// The caller's span, whether its trace is continued or not: what to link to. `None` where there is no valid one.
    pub fn remote(&self) -> Option<&SpanContext> {
        self.remote.as_ref()
    }

    /// Whether spans made under the context belong to the caller's trace.
    pub fn is_continued(&self) -> bool {
        self.is_continued
    }

    /// The fields that are believed.
    pub fn fields(&self) -> &Fields {
        self.cx.fields()
    }

    /// Why the `traceparent` was not taken over, where there was one that is not valid.
    pub fn invalid(&self) -> Option<Invalid> {
        self.invalid
    }

    /// What else was not taken over, and why.
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// Puts the context in force on this thread until the guard is dropped, in place of what is in force.
    ///
    /// The guard must not be held across `.await`: a future has [`in_context`](crate::task::InContextExt::in_context).
    pub fn attach(&self) -> ExtractedGuard {
        ExtractedGuard { _scope: Scope::of_context(self.cx.clone()), _not_send: PhantomData }
    }

    /// Calls `f` with the context in force.
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _guard = self.attach();
        f()
    }
}

/// Keeps an extracted context in force on this thread; dropping it brings back the one before.
#[derive(Debug)]
#[must_use = "the context is in force only until the guard is dropped: bind it, as in `let _guard = ...`"]
pub struct ExtractedGuard {
    _scope: Scope,
    /// Contexts belong to a thread.
    _not_send: PhantomData<*const ()>,
}
