//! What is in force at one place and time.

use std::{fmt, sync::LazyLock};

use opentelemetry::Context;
use tracing::{Dispatch, Span, dispatcher};

use super::{snapshot_guard::SnapshotGuard, span_access};
use crate::{
    context::{
        ContextFieldsExt, ContextRemoteExt, Remembered, View, fields_in, frame_stack, has_nothing, is_nothing_in_force,
        is_recorded, read,
    },
    field::{Call, ContextField, FieldType, Fields},
    layer::in_snapshot,
    propagation::Extracted,
};

/// All that is in force at one place and time: the OpenTelemetry context (the active span or remote parent, the fields,
/// baggage, and whatever else libraries keep there) and the current `tracing` span.
///
/// [Contents](Self::capture) in one place, it is put in force in another: for a [call](Self::in_scope), until a
/// [guard](Self::enter) is dropped, or [at every poll](super::InContextExt::in_context) of a future, stream or sink.
/// [`in_current_context`](super::in_current_context()) and all else in [this module](super) is made of it.
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
/// The span is entered wherever the snapshot is in force, as [`in_current_span`](tracing::Instrument::in_current_span) does: events belong to it, spans have it as
/// their parent, and filters and all layers see it. To that end it is **held open** until the snapshot is dropped. An
/// OpenTelemetry layer notes when a span is left for the last time, which then is in the task; and it exports the span when
/// it is closed. Where a task goes on long after the request that spawned it was answered, and the request's span should
/// say so, take the snapshot [without the span](Self::without_span).
///
/// # The subscriber
///
/// The default subscriber of a thread (`with_default`, `set_default`) is **not** carried, unless
/// [asked for](Self::with_current_subscriber). `tracing` documents it as the thread's own; nearly all programs have a global
/// one; and while any thread has one of its own, events and spans of *all* threads take a slower path, so it should not be
/// set at every poll of every task. Tests are who wants it.
///
/// # Limits
///
/// - Capturing allocates nothing, with one exception: where a value was [recorded](ContextField::record) on a span that is
///   open on this thread, a context with it is created.
/// - What is recorded on the span *after* it was captured is current in the task from when it is next polled, if what was
///   captured is of the span's request. A snapshot [without the span](Self::without_span) does not get it.
/// - Where the very same OpenTelemetry span, fields and baggage are in force already, nothing is attached, and a span that is
///   the current one already is not entered again: a future that is polled where it was made costs next to nothing. A difference in
///   nothing but what *other* libraries keep in the OpenTelemetry context cannot be told, and is not carried then.
///   `future.in_context(Context::current())` attaches in any case.
/// - Where there is no span, no field and no baggage, nothing is captured, not even what other libraries keep in the
///   OpenTelemetry context.
/// - While a thread is being torn down nothing is captured, and nothing is put in force.
#[derive(Clone)]
pub struct Snapshot(Contents);

#[derive(Clone)]
pub(super) enum Contents {
    /// No span, no fields, no baggage. Nothing to be kept, so that there is nothing to be moved about and dropped.
    Nothing,
    All(All),
}

#[derive(Clone)]
pub(super) struct All {
    pub(super) context: Context,
    pub(super) within: Within,
    pub(super) subscriber: Option<Box<Dispatch>>,
    /// What is seen of the context.
    pub(super) view: View,
    /// Whether the context is attached even where what it has is in force.
    pub(super) is_always_attached: bool,
    /// The active span of the context is the parent of the `tracing` span, and not that span itself.
    pub(super) is_parent: bool,
    /// The `tracing` span is of another request: what is recorded is not for it.
    pub(super) is_span_apart: bool,
    /// It is known to be of the span's request.
    pub(super) is_related: bool,
    /// What was current where a future was given this.
    pub(super) cover: Option<Remembered>,
}

/// Which `tracing` span is current.
#[derive(Clone)]
pub(super) enum Within {
    /// This one.
    Span(Span),
    /// None.
    NoSpan,
    /// Whichever is.
    AnySpan,
}

/// The context of a snapshot that has none.
static EMPTY: LazyLock<Context> = LazyLock::new(Context::new);

impl Snapshot {
    /// Captures what is in force here.
    #[inline]
    pub fn capture() -> Self {
        if !span_access::may_any_be_current() && is_nothing_in_force() {
            return Snapshot(Contents::Nothing);
        }
        Self::capture_all()
    }

    #[inline]
    fn capture_all() -> Self {
        let span = span_access::current();
        let (subscriber, is_always_attached, is_parent) = (None, false, false);
        let is_span_apart = read(View::of).is_some_and(frame_stack::is_span_around_another);
        let context = current_context();
        let view = View::of(&context);
        // Put together in one place: moving parts of it about is what capturing would take longest for.
        if !span.is_none() {
            let within = Within::Span(span);
            return Snapshot(Contents::All(All {
                context,
                within,
                subscriber,
                view,
                is_always_attached,
                is_parent,
                is_span_apart,
                is_related: false,
                cover: None,
            }));
        }
        if view == View::NOTHING && has_nothing(&context) {
            return Snapshot(Contents::Nothing);
        }
        Self::of(context, Within::NoSpan)
    }

    /// Captures what is in force here, without the `tracing` span: short for `capture()` and
    /// [`without_span()`](Self::without_span).
    #[inline]
    pub fn capture_context() -> Self {
        Self::of(current_context(), Within::AnySpan)
    }

    /// Creates a snapshot of nothing at all: no span, no remote parent, no fields, no baggage.
    ///
    /// What is done in it is a new root, and belongs to no request. Spans that are entered around it are not current in it.
    pub fn isolated() -> Self {
        let fields = Fields::new().replaced_by(Call::once());
        Self::exactly(Context::new().with_carried(fields, None), Within::NoSpan)
    }

    /// Creates a snapshot of a context that came from elsewhere, as from a [message](crate::propagation::extract).
    ///
    /// What is done in it belongs to the sender alone: spans that are entered around it are not current in it.
    pub fn restored(context: Context) -> Self {
        Self::exactly(context, Within::NoSpan)
    }

    #[inline]
    fn of(context: Context, within: Within) -> Self {
        let view = View::of(&context);
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

    /// A span that is to be the current one, in the context in which it was created.
    #[cfg(feature = "http-server")]
    pub(crate) fn of_span(span: Span, context: Context) -> Self {
        Self::of(context, Within::Span(span)).with(|all| All { is_parent: true, ..all })
    }

    fn exactly(context: Context, within: Within) -> Self {
        Self::of(context, within).with(|all| All { is_always_attached: true, ..all })
    }

    /// With something changed.
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

    /// The same without the `tracing` span. The span is not held open, and ends when it ends.
    ///
    /// Spans made in the snapshot still have the captured span as their parent in exported traces, for the OpenTelemetry
    /// context has its ids; fields and baggage stay. What is lost: in text and JSON, lines do not show the span and what it
    /// declares itself, and layers that know no OpenTelemetry see no parent. An OpenTelemetry layer that was told not to activate its contexts
    /// (`with_context_activation(false)`) puts no ids there: then the parent is lost, too. The `tracing` span that is current where the
    /// snapshot is put in force stays so.
    ///
    /// ```
    /// use ctx_layer::{field::well_known::TENANT_ID, task::{InContextExt, Snapshot}};
    ///
    /// # async fn send_mail() -> Option<String> { TENANT_ID.get() }
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

    /// The same with another `tracing` span.
    #[must_use = "this returns a changed snapshot"]
    pub fn with_span(self, span: Span) -> Self {
        self.with(|all| All { within: Within::Span(span), is_span_apart: false, ..all })
    }

    /// Returns the snapshot with these changes made to its fields.
    #[must_use = "this returns a changed snapshot"]
    pub fn with_fields(self, fields: Fields) -> Self {
        self.with(|all| {
            let context = all.context.with_fields(fields);
            All { view: View::of(&context), context, is_always_attached: true, ..all }
        })
    }

    /// Returns the snapshot with this value set besides those it has.
    #[must_use = "this returns a changed snapshot"]
    pub fn with_field<T: FieldType>(self, field: &'static ContextField<T>, value: impl Into<T>) -> Self {
        self.with_fields(Fields::new().with(field, value))
    }

    /// The same with the subscriber that is the default here, which will be the default wherever the snapshot is in force.
    ///
    /// For tests whose subscriber is that of one thread, and that want to see what is logged by others.
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

    /// Drops the span, which can be closed then.
    #[inline]
    pub(super) fn release_span(&mut self) {
        if let Contents::All(All { within: within @ Within::Span(_), .. }) = &mut self.0 {
            *within = Within::NoSpan;
        }
    }

    /// For a future that is given this here: what was created here, and is inside the future, belongs in here.
    pub(super) fn wrapped_here(self) -> Self {
        let cover = Some(Remembered::current()).filter(|current| !current.is_blank());
        if cover.is_some() { self.with(|all| All { cover, ..all }) } else { self }
    }

    /// Takes over what was recorded on the span since it was captured, so that it need not be added anew at each poll.
    #[inline]
    pub(crate) fn update(&mut self) {
        if let Contents::All(all) = &mut self.0
            && let All { context, within: Within::Span(span), view, is_span_apart: false, is_related, .. } = all
            && let (_, Some(fields)) = in_snapshot(span, context, *is_related)
        {
            // From now on there are calls in it that the span does not remember.
            *is_related = true;
            *context = context.with_carried(fields, context.remote().cloned());
            *view = View::of(context);
        }
    }

    /// What was captured.
    #[inline]
    pub(super) fn captured(&self) -> &Contents {
        &self.0
    }

    /// The OpenTelemetry context.
    pub fn context(&self) -> &Context {
        match &self.0 {
            Contents::Nothing => &EMPTY,
            Contents::All(all) => &all.context,
        }
    }

    /// The `tracing` span, if there is one.
    pub fn span(&self) -> Option<&Span> {
        match &self.0 {
            Contents::All(All { within: Within::Span(span), .. }) => Some(span),
            _ => None,
        }
    }

    /// Puts it in force on this thread until the guard is dropped; not for use across `.await`.
    #[inline]
    pub fn enter(&self) -> SnapshotGuard<'_> {
        let mut entered = SnapshotGuard::nothing();
        self.enter_in(&mut entered);
        entered
    }

    /// Calls `f` with it in force.
    ///
    /// What `f` owns is dropped while it is.
    #[inline]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let mut entered = SnapshotGuard::nothing();
        self.enter_in(&mut entered);
        f()
    }
}

/// The context here, with what was recorded.
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
    /// The same as [`isolated`](Self::isolated).
    fn default() -> Self {
        Self::isolated()
    }
}

impl From<Context> for Snapshot {
    /// An OpenTelemetry context, one restored from a message for instance. The `tracing` span that is current where it is
    /// put in force stays so.
    fn from(context: Context) -> Self {
        Self::exactly(context, Within::AnySpan)
    }
}

impl From<Extracted> for Snapshot {
    /// What was extracted from a message: as [`restored`](Self::restored), no `tracing` span around it is current.
    fn from(extracted: Extracted) -> Self {
        Self::restored(extracted.into_context())
    }
}

impl From<&Extracted> for Snapshot {
    /// A copy of what was extracted from a message.
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
