//! Capturing the current context.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use opentelemetry::Context;
use tracing::{Dispatch, Span, dispatcher};

use super::span_access;
use crate::{
    context::{
        ContextFieldsExt, ContextValueExt, Remembered, View, fields_in, frame_stack, has_nothing, is_recorded, read,
    },
    field::{Call, ContextField, FieldType, Fields},
    layer::in_snapshot,
    propagation::Extracted,
};

/// A captured context: the OpenTelemetry context (the active span or remote parent, the fields, baggage, and the values of other
/// libraries) and the current `tracing` span.
///
/// It is [captured](Self::capture) in one place, and made current in another: for a [call](Self::in_scope), until a
/// [guard](Self::enter) is dropped, or [at every poll](super::InContextExt::in_context) of a future, stream or sink.
/// [`in_current_context`](super::in_current_context()) and everything else in [this module](super) is built on it.
///
/// ```
/// use ctx_layer::{field::well_known::TENANT_ID, task::Snapshot};
///
/// let snapshot = TENANT_ID.in_scope("acme", Snapshot::capture);
/// assert_eq!(TENANT_ID.get(), None);
///
/// let on_a_thread = std::thread::spawn(move || snapshot.in_scope(|| TENANT_ID.get()));
/// assert_eq!(on_a_thread.join().unwrap().as_deref(), Some("acme"));
/// ```
///
/// # The span
///
/// The span is entered wherever the snapshot is current, as by [`in_current_span`](tracing::Instrument::in_current_span): events
/// belong to it, new spans are its children, and filters and all layers see it. For this it is **kept open** until the snapshot is
/// dropped. An OpenTelemetry layer records when a span is last exited, which is then in the task, and exports the span when it
/// is closed. If a task continues long after its request was answered, and the request's span should end earlier, capture the
/// snapshot [without the span](Self::without_span).
///
/// # The subscriber
///
/// The default subscriber of a thread (`with_default`, `set_default`) is **not** carried, unless
/// [requested](Self::with_current_subscriber). `tracing` documents it as the thread's own, and nearly all programs have a global
/// one. While any thread has its own subscriber, events and spans of *all* threads take a slower path, so it should not be set at
/// every poll of every task. Tests are the main use.
///
/// # Limits
///
/// - Capturing does not allocate, with one exception: if a value was [recorded](ContextField::record) on a span that is
///   open on this thread, a context with the value is created.
/// - Values that are recorded on the span *after* it was captured are current in the task from its next poll on, if the captured
///   fields belong to the span's request. A snapshot [without the span](Self::without_span) does not get them.
/// - If the same OpenTelemetry span, fields and baggage are current already, nothing is attached, and a span that is current
///   already is not entered again: a future that is polled where it was created costs next to nothing. A context that differs only in
///   values of *other* libraries cannot be distinguished, and is not carried then. `future.in_context(Context::current())` always
///   attaches.
/// - If there is no span, no field and no baggage, nothing is captured, not even values of other libraries in the OpenTelemetry
///   context.
/// - While a thread is being torn down, nothing is captured or made current.
#[derive(Clone)]
pub struct Snapshot(Contents);

#[derive(Clone)]
pub(super) enum Contents {
    /// No span, no fields, no baggage. A variant without data, so that nothing has to be moved and dropped.
    Nothing,
    All(All),
}

#[derive(Clone)]
pub(super) struct All {
    pub(super) context: Context,
    pub(super) within: Within,
    pub(super) subscriber: Option<Box<Dispatch>>,
    /// The view of the context.
    pub(super) view: View,
    /// The context is attached even if its contents are current already.
    pub(super) is_always_attached: bool,
    /// The active span of the context is the parent of the `tracing` span, and not that span itself.
    pub(super) is_parent: bool,
    /// The `tracing` span belongs to another request: values recorded on it are not added.
    pub(super) is_span_apart: bool,
    /// The fields are known to belong to the span's request.
    pub(super) is_related: bool,
    /// The values that were current where a future was given this snapshot.
    pub(super) cover: Option<Arc<Remembered>>,
}

/// The `tracing` span that is current in a snapshot.
#[derive(Clone)]
pub(super) enum Within {
    /// This span.
    Span(Span),
    /// No span.
    NoSpan,
    /// The span that is current already.
    AnySpan,
}

/// The context of an empty snapshot.
static EMPTY: LazyLock<Context> = LazyLock::new(Context::new);

impl Snapshot {
    /// Captures the current context, including the `tracing` span.
    #[inline]
    pub fn capture() -> Self {
        let span = span_access::current();
        if span.is_none() {
            return Self::capture_without_span();
        }
        let (subscriber, is_always_attached, is_parent) = (None, false, false);
        let here = read(View::of);
        let is_span_apart = here.is_some_and(frame_stack::is_span_around_another);
        let context = current_context();
        // Recorded values are in a context of their own.
        let view = here.filter(|_| !is_recorded()).unwrap_or_else(|| View::of(&context));
        // Built in place, because moving its parts would be the main cost of capturing.
        Snapshot(Contents::All(All {
            view,
            context,
            within: Within::Span(span),
            subscriber,
            is_always_attached,
            is_parent,
            is_span_apart,
            is_related: false,
            cover: None,
        }))
    }

    /// Captures the current context where there is no `tracing` span.
    #[inline]
    fn capture_without_span() -> Self {
        let context = current_context();
        let view = View::of(&context);
        if view == View::NOTHING && has_nothing(&context) {
            return Snapshot(Contents::Nothing);
        }
        Self::seen(context, view, Within::NoSpan)
    }

    /// Captures the current context without the `tracing` span. The same as `capture()` followed by
    /// [`without_span()`](Self::without_span).
    #[inline]
    pub fn capture_context() -> Self {
        Self::of(current_context(), Within::AnySpan)
    }

    /// Creates an empty snapshot: no span, no remote parent, no fields, no baggage.
    ///
    /// Work in it is a new root, and belongs to no request. Spans that are entered around it are not current in it.
    pub fn isolated() -> Self {
        let fields = Fields::new().replaced_by(Call::once());
        Self::exactly(Context::new().with_carried(fields, None), Within::NoSpan)
    }

    /// Creates a snapshot of a context that came from elsewhere, such as from a [message](crate::propagation::extract).
    ///
    /// Work in it belongs to the sender alone: spans that are entered around it are not current in it.
    pub fn restored(context: Context) -> Self {
        Self::exactly(context, Within::NoSpan)
    }

    #[inline]
    fn of(context: Context, within: Within) -> Self {
        let view = View::of(&context);
        Self::seen(context, view, within)
    }

    /// Creates a snapshot of a context with this view.
    #[inline]
    fn seen(context: Context, view: View, within: Within) -> Self {
        let (subscriber, is_always_attached, is_parent, is_span_apart) = (None, false, false, false);
        Snapshot(Contents::All(All {
            context,
            within,
            subscriber,
            view,
            is_always_attached,
            is_parent,
            is_span_apart,
            is_related: false,
            cover: None,
        }))
    }

    /// Creates a snapshot of a span, which will be current, and the context in which it was created.
    #[cfg(feature = "_received")]
    pub(crate) fn of_span(span: Span, context: Context) -> Self {
        Self::of(context, Within::Span(span)).with(|all| All { is_parent: true, ..all })
    }

    fn exactly(context: Context, within: Within) -> Self {
        Self::of(context, within).with(|all| All { is_always_attached: true, ..all })
    }

    /// Returns a changed snapshot.
    fn with(self, change: impl FnOnce(All) -> All) -> Self {
        Snapshot(Contents::All(change(match self.0 {
            Contents::Nothing => All {
                context: Context::new(),
                within: Within::NoSpan,
                subscriber: None,
                view: View::NOTHING,
                is_always_attached: false,
                is_parent: false,
                is_span_apart: false,
                is_related: false,
                cover: None,
            },
            Contents::All(all) => all,
        })))
    }

    /// Removes the `tracing` span from the snapshot. The span is not kept open, and ends on its own.
    ///
    /// In exported traces, spans created in the snapshot still have the captured span as their parent, because the OpenTelemetry
    /// context has its ids; fields and baggage stay. In text and JSON, lines do not show the span and its own fields, and layers
    /// that do not use OpenTelemetry see no parent. An OpenTelemetry layer that does not activate its contexts
    /// (`with_context_activation(false)`) puts no ids in the context: then the parent is lost, too. The `tracing` span that is
    /// current where the snapshot is used stays current.
    ///
    /// ```
    /// use ctx_layer::{field::well_known::TENANT_ID, task::{InContextExt, Snapshot}};
    ///
    /// # async fn send_mail() -> Option<ctx_layer::field::FieldString> { TENANT_ID.get() }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let _guard = TENANT_ID.attach("acme");
    /// // Answer the request now; its span does not last until the mail is sent.
    /// let mail = tokio::spawn(send_mail().in_context(Snapshot::capture().without_span()));
    /// # assert_eq!(mail.await.unwrap().as_deref(), Some("acme"));
    /// # });
    /// ```
    #[must_use = "this returns a changed snapshot"]
    pub fn without_span(self) -> Self {
        self.with(|all| All { within: Within::AnySpan, ..all })
    }

    /// Replaces the `tracing` span of the snapshot.
    #[must_use = "this returns a changed snapshot"]
    pub fn with_span(self, span: Span) -> Self {
        self.with(|all| All { within: Within::Span(span), is_span_apart: false, ..all })
    }

    /// Applies changes to the fields of the snapshot.
    #[must_use = "this returns a changed snapshot"]
    pub fn with_fields(self, fields: Fields) -> Self {
        self.with(|all| {
            let context = all.context.with_fields(fields);
            All { view: View::of(&context), context, is_always_attached: true, ..all }
        })
    }

    /// Sets one field of the snapshot, and keeps the others.
    #[must_use = "this returns a changed snapshot"]
    pub fn with_field<T: FieldType>(self, field: &'static ContextField<T>, value: impl Into<T>) -> Self {
        self.with_fields(Fields::new().with(field, value))
    }

    /// Adds the current default subscriber to the snapshot. It will be the default wherever the snapshot is current.
    ///
    /// Use it in tests whose subscriber is set for one thread, to see the events of other threads.
    ///
    /// ```
    /// use ctx_layer::task::Snapshot;
    ///
    /// # let subscriber = tracing_subscriber::registry();
    /// tracing::subscriber::with_default(subscriber, || {
    ///     let snapshot = Snapshot::capture().with_current_subscriber();
    ///     let made = std::thread::spawn(move || snapshot.in_scope(|| tracing::info_span!("seen")));
    ///     assert!(!made.join().unwrap().is_disabled());
    /// });
    /// ```
    #[must_use = "this returns a changed snapshot"]
    pub fn with_current_subscriber(self) -> Self {
        let subscriber = dispatcher::get_default(Dispatch::clone);
        self.with(|all| All { subscriber: Some(Box::new(subscriber)), is_always_attached: true, ..all })
    }

    /// Drops the span, which can then be closed.
    #[inline]
    pub(super) fn release_span(&mut self) {
        if let Contents::All(All { within: within @ Within::Span(_), .. }) = &mut self.0 {
            *within = Within::NoSpan;
        }
    }

    /// Returns the snapshot for a future that is given it here: spans created here that the future enters belong to it.
    pub(super) fn wrapped_here(self) -> Self {
        let cover = Some(Remembered::current()).filter(|current| !current.is_blank()).map(Arc::new);
        if cover.is_some() { self.with(|all| All { cover, ..all }) } else { self }
    }

    /// Adds the values that were recorded on the span since it was captured, so that they need not be added at each poll.
    #[inline]
    pub(crate) fn update(&mut self) {
        if let Contents::All(all) = &mut self.0
            && let All { context, within: Within::Span(span), view, is_span_apart: false, is_related, .. } = all
            && let (_, Some(fields)) = in_snapshot(span, context, *is_related)
        {
            // From now on it contains calls that the span does not remember.
            *is_related = true;
            *context = context.with_carried(fields, context.remote().cloned());
            *view = View::of(context);
        }
    }

    /// Returns the captured contents.
    #[inline]
    pub(super) fn captured(&self) -> &Contents {
        &self.0
    }

    /// Returns the OpenTelemetry context.
    pub fn context(&self) -> &Context {
        match &self.0 {
            Contents::Nothing => &EMPTY,
            Contents::All(all) => &all.context,
        }
    }

    /// Returns the `tracing` span, if there is one.
    pub fn span(&self) -> Option<&Span> {
        match &self.0 {
            Contents::All(All { within: Within::Span(span), .. }) => Some(span),
            _ => None,
        }
    }
}

/// Returns the current context, including recorded values.
#[inline]
pub(super) fn current_context() -> Context {
    let context = read(Context::clone).unwrap_or_default();
    if is_recorded() { with_recorded(context) } else { context }
}

#[cold]
fn with_recorded(context: Context) -> Context {
    let fields = fields_in(&context);
    if fields.is_same(context.fields()) { context } else { context.with_carried(fields, context.remote().cloned()) }
}

impl Default for Snapshot {
    /// Returns [`Snapshot::isolated()`](Self::isolated).
    fn default() -> Self {
        Self::isolated()
    }
}

impl From<Context> for Snapshot {
    /// Creates a snapshot of an OpenTelemetry context, such as one restored from a message. The `tracing` span that is current
    /// where the snapshot is used stays current.
    fn from(context: Context) -> Self {
        Self::exactly(context, Within::AnySpan)
    }
}

impl From<Extracted> for Snapshot {
    /// Creates a snapshot of an extracted context. As with [`restored`](Self::restored), no `tracing` span around it is current.
    fn from(extracted: Extracted) -> Self {
        Self::restored(extracted.into_context())
    }
}

impl From<&Extracted> for Snapshot {
    /// Creates a snapshot of a copy of an extracted context.
    fn from(extracted: &Extracted) -> Self {
        Self::restored(extracted.context().clone())
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("context", self.context())
            .field("fields", self.context().fields())
            .field("span", &self.span())
            .finish_non_exhaustive()
    }
}
