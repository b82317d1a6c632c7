//! Extracted context.

use std::marker::PhantomData;

use opentelemetry::{Context, trace::SpanContext};

use super::dropped::{Dropped, Invalid};
use crate::{
    Fields,
    context::{ContextFieldsExt, Scope},
};

/// A context that was read from a carrier, as far as it is trusted. It has the span to link to, and what was dropped.
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
/// // From an external caller:
/// let extracted = propagation::extract(&message, Trust::external());
/// extracted.in_scope(|| assert_eq!(TENANT_ID.get(), None));
/// let dropped = extracted.dropped()[0].to_string();
/// assert_eq!(dropped, "`baggage`: baggage of an external caller is not trusted");
/// ```
///
/// For a future, pass it to [`in_context`](crate::task::InContextExt::in_context).
#[derive(Clone, Debug)]
#[must_use = "an extracted context does nothing until it is attached"]
pub struct Extracted {
    pub(super) cx: Context,
    pub(super) remote: Option<SpanContext>,
    pub(super) is_continued: bool,
    pub(super) invalid: Option<Invalid>,
    pub(super) dropped: Vec<Dropped>,
}

impl Extracted {
    /// Returns the context: the caller's span as parent if its trace is continued, and the trusted fields and baggage.
    /// It contains nothing of the context that is current here.
    pub fn context(&self) -> &Context {
        &self.cx
    }

    /// Converts it into its [context](Self::context).
    pub fn into_context(self) -> Context {
        self.cx
    }

    /// Returns the caller's span, to be linked to, whether its trace is continued or not. `None` if there is no valid
    /// one.
    pub fn remote(&self) -> Option<&SpanContext> {
        self.remote.as_ref()
    }

    /// Returns `true` if spans created under the context belong to the caller's trace.
    pub fn is_continued(&self) -> bool {
        self.is_continued
    }

    /// Returns the trusted fields.
    pub fn fields(&self) -> &Fields {
        self.cx.fields()
    }

    /// Returns why the `traceparent` was ignored, if it was not valid.
    pub fn invalid(&self) -> Option<Invalid> {
        self.invalid
    }

    /// Returns what else was dropped, and why.
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }

    /// Makes the context current on this thread until the guard is dropped.
    ///
    /// The guard must not be held across `.await`. For a future use
    /// [`in_context`](crate::task::InContextExt::in_context).
    pub fn attach(&self) -> ExtractedGuard {
        ExtractedGuard { _scope: Scope::of_context(self.cx.clone()), _not_send: PhantomData }
    }

    /// Calls `f` with the context as the current one.
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _guard = self.attach();
        f()
    }
}

/// A guard that restores the previous context on drop.
#[derive(Debug)]
#[must_use = "the context is current only until the guard is dropped: bind it, as in `let _guard = ...`"]
pub struct ExtractedGuard {
    _scope: Scope,
    /// Contexts belong to a thread.
    _not_send: PhantomData<*const ()>,
}
