//! What is in force at one place and time.

use std::{fmt, marker::PhantomData};

use opentelemetry::{Context, trace::TraceContextExt};
use tracing::{Dispatch, Span, dispatcher, span};

use super::{
    leave::{Left, leave_all},
    spans,
};
use crate::{
    context::{Attached, BAGGAGE, ContextFieldsExt, NOTHING, address_alone, attach, attach_known, late, read},
    field::{ContextField, FieldType, Fields},
};

/// All that is in force at one place and time: the OpenTelemetry context (the active span or remote parent, the fields,
/// baggage, and whatever else libraries keep there) and the current `tracing` span.
///
/// [Captured](Self::capture) in one place, it is put in force in another: for a [call](Self::in_scope), until a
/// [guard](Self::enter) is dropped, or [at every poll](super::Propagate::in_context) of a future, stream or sink.
/// [`propagate`](super::propagate()) and all else in [this module](super) is made of it.
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
/// - Capturing allocates nothing, with one exception: [values recorded](ContextField::record) on a span that is open on
///   this thread are not in the OpenTelemetry context yet, and a context with them is made.
/// - What is recorded on the span *after* it was captured is in force in the task from when it is next polled, where it
///   contradicts nothing that was captured.
/// - Where the very same OpenTelemetry span, fields and baggage are in force already, nothing is attached, and a span that is
///   the current one already is not entered again: a future that is polled where it was made costs next to nothing. A difference in
///   nothing but what *other* libraries keep in the OpenTelemetry context cannot be told, and is not carried then; so is one
///   between nothing and nothing. `future.in_context(Context::current())` attaches in any case.
/// - While a thread is being torn down nothing is captured, and nothing is put in force.
#[derive(Clone)]
pub struct Snapshot {
    context: Context,
    within: Within,
    subscriber: Option<Box<Dispatch>>,
    /// Where the context's fields stand.
    address: usize,
    /// Whether the context has an OpenTelemetry span.
    has_span: bool,
    /// Whether the context is attached even where what it has is in force.
    is_always_attached: bool,
}

/// Which `tracing` span is current.
#[derive(Clone)]
enum Within {
    /// This one.
    Span(Span),
    /// None.
    NoSpan,
    /// Whichever is.
    AnySpan,
}

impl Snapshot {
    /// Captures what is in force here.
    #[inline]
    pub fn capture() -> Self {
        let context = current_context();
        let (address, has_span) = (address_alone(&context), context.has_active_span());
        // Put together in one place: moving parts of it about is what capturing would take longest for.
        let span = spans::current();
        if span.is_none() {
            let within = Within::NoSpan;
            return Snapshot { context, within, subscriber: None, address, has_span, is_always_attached: false };
        }
        let within = Within::Span(span);
        Snapshot { context, within, subscriber: None, address, has_span, is_always_attached: false }
    }

    /// Captures what is in force here, without the `tracing` span: short for `capture()` and
    /// [`without_span()`](Self::without_span).
    #[inline]
    pub fn capture_context() -> Self {
        Self::of(current_context(), Within::AnySpan)
    }

    /// Nothing at all: no span, no remote parent, no fields, no baggage. What is done in it is a new root.
    ///
    /// Spans that are entered where it is put in force are left for the time, and entered again afterwards.
    pub fn isolated() -> Self {
        Self::exactly(Context::new(), Within::NoSpan)
    }

    /// A context that came from elsewhere, as from a [message](crate::propagation::extract), and no `tracing` span: those that
    /// are entered where it is put in force are left for the time. What is done in it belongs to whoever sent it, and to
    /// nobody else.
    pub fn restored(context: Context) -> Self {
        // Though the same is in force already, a span may be entered that is not of it.
        Self::exactly(context, Within::NoSpan)
    }

    #[inline]
    fn of(context: Context, within: Within) -> Self {
        let (address, has_span) = (address_alone(&context), context.has_active_span());
        Snapshot { context, within, subscriber: None, address, has_span, is_always_attached: false }
    }

    fn exactly(context: Context, within: Within) -> Self {
        Snapshot { is_always_attached: true, ..Self::of(context, within) }
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
    /// use ctx_layer::{field::well_known::TENANT_ID, task::{Propagate, Snapshot}};
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
        Snapshot { within: Within::AnySpan, ..self }
    }

    /// The same with another `tracing` span.
    #[must_use = "this returns a changed snapshot"]
    pub fn with_span(self, span: Span) -> Self {
        Snapshot { within: Within::Span(span), ..self }
    }

    /// The same with exactly these fields.
    #[must_use = "this returns a changed snapshot"]
    pub fn with_fields(self, fields: Fields) -> Self {
        Snapshot { subscriber: self.subscriber, ..Self::exactly(self.context.with_fields(fields), self.within) }
    }

    /// The same with this value set besides those it has.
    #[must_use = "this returns a changed snapshot"]
    pub fn with_field<T: FieldType>(self, field: &'static ContextField<T>, value: impl Into<T>) -> Self {
        let fields = self.context.fields().clone().with(field, value);
        self.with_fields(fields)
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
        Snapshot { subscriber: Some(Box::new(subscriber)), is_always_attached: true, ..self }
    }

    /// Lets go of the span, which can be closed then.
    #[inline]
    pub(super) fn release_span(&mut self) {
        if matches!(self.within, Within::Span(_)) {
            self.within = Within::NoSpan;
        }
    }

    /// The OpenTelemetry context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The `tracing` span, if there is one.
    pub fn span(&self) -> Option<&Span> {
        match &self.within {
            Within::Span(span) => Some(span),
            Within::NoSpan | Within::AnySpan => None,
        }
    }

    /// Puts it in force on this thread until the guard is dropped; not for use across `.await`.
    #[inline]
    pub fn enter(&self) -> Entered<'_> {
        if !self.is_in_force() {
            return self.enter_elsewhere();
        }
        let span = match &self.within {
            Within::Span(span) => span,
            // Another request's, which may say whose it is.
            Within::NoSpan if spans::is_any_current() => return self.enter_elsewhere(),
            Within::NoSpan | Within::AnySpan => return Entered::NOTHING,
        };
        if !spans::is_usable() || spans::is_current(span) {
            return Entered::NOTHING;
        }
        self.enter_span(span)
    }

    /// Enters the span where all else is in force.
    #[inline]
    fn enter_span<'a>(&self, span: &'a Span) -> Entered<'a> {
        let span = Some(span.enter());
        // An OpenTelemetry layer may have put in force what was when the span was made.
        let over = if self.has_span && !self.is_in_force() { Some(self.attach_over()) } else { None };
        Entered::all(All { _over: over, _span: span, ..All::default() })
    }

    #[inline(never)]
    fn enter_elsewhere(&self) -> Entered<'_> {
        if !spans::may_be_entered() {
            return Entered::NOTHING;
        }
        let subscriber = self.subscriber.as_deref().map(dispatcher::set_default);
        let left = if matches!(self.within, Within::NoSpan) { leave_all() } else { None };
        let Within::Span(span) = &self.within else {
            let context = Some(self.attach());
            return Entered::all(All { _context: context, _left: left, _subscriber: subscriber, ..All::default() });
        };
        // First, so that the span finds its fields in force, and the layer has nothing to do.
        // Only where nothing is in force, and nothing is captured but the span, will that put all in force itself.
        let is_first =
            !self.has_span || self.address != NOTHING || late::is_any() || read(address_alone) != Some(NOTHING);
        let context = if is_first { Some(self.attach()) } else { None };
        let span = Some(span.enter());
        let over = if self.has_span { Some(self.attach_over()) } else { None };
        Entered::all(All { _over: over, _span: span, _context: context, _left: left, _subscriber: subscriber })
    }

    #[inline]
    fn attach(&self) -> Attached {
        let cx = self.context.clone();
        if self.address == BAGGAGE { attach(cx) } else { attach_known(cx, self.address) }
    }

    /// Attaches the context where the span is entered, which may have put another in force: an OpenTelemetry layer attaches
    /// the one in which it saw the span made, without what was set since.
    fn attach_over(&self) -> Attached {
        let mine = self.context.fields();
        let here = read(late::effective).unwrap_or_default();
        if mine.is_same(&here) || !mine.is_within(&here) {
            self.attach()
        } else {
            // Recorded on the span since.
            attach(self.context.with_fields(here))
        }
    }

    /// Whether the context need not be attached: its span, fields and baggage are in force.
    #[inline]
    fn is_in_force(&self) -> bool {
        !self.is_always_attached && read(|here| is_same(here, &self.context, self.address, self.has_span)) == Some(true)
    }

    /// Calls `f` with it in force.
    ///
    /// What `f` owns is dropped while it is.
    #[inline]
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        f()
    }
}

/// The context here, with what was recorded late.
#[inline]
pub(super) fn current_context() -> Context {
    let context = read(Context::clone).unwrap_or_default();
    if late::is_any() { with_late(context) } else { context }
}

#[cold]
fn with_late(context: Context) -> Context {
    let fields = late::effective(&context);
    if fields.is_same(context.fields()) { context } else { context.with_fields(fields) }
}

/// Whether the two have the same span, fields and baggage. Whatever else there may be in them cannot be compared.
#[inline]
fn is_same(here: &Context, mine: &Context, my_fields: usize, has_span: bool) -> bool {
    address_alone(here) == my_fields
        && my_fields != BAGGAGE
        && here.has_active_span() == has_span
        && (!has_span || is_same_span(here, mine))
        && here.is_telemetry_suppressed() == mine.is_telemetry_suppressed()
}

fn is_same_span(here: &Context, mine: &Context) -> bool {
    let (here, mine) = (here.span(), mine.span());
    let (here, mine) = (here.span_context(), mine.span_context());
    here.span_id() == mine.span_id() && here.trace_id() == mine.trace_id() && here.is_remote() == mine.is_remote()
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

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("context", &self.context)
            .field("fields", self.context.fields())
            .field("span", &self.span())
            .finish_non_exhaustive()
    }
}

/// Keeps a [`Snapshot`] in force on this thread; dropping it brings back what was before.
#[must_use = "the snapshot is in force only until the guard is dropped: bind it, as in `let _entered = ...`"]
pub struct Entered<'a> {
    /// `None` where all was in force already. One thing to look at when it is dropped, and not five.
    _all: Option<All<'a>>,
    /// Contexts belong to a thread.
    _not_send: PhantomData<*const ()>,
}

/// What was put in force.
#[derive(Default)]
struct All<'a> {
    // In this order they are dropped.
    _over: Option<Attached>,
    _span: Option<span::Entered<'a>>,
    _context: Option<Attached>,
    _left: Option<Left>,
    _subscriber: Option<dispatcher::DefaultGuard>,
}

impl<'a> Entered<'a> {
    const NOTHING: Self = Entered { _all: None, _not_send: PhantomData };

    fn all(all: All<'a>) -> Self {
        Entered { _all: Some(all), _not_send: PhantomData }
    }
}

impl fmt::Debug for Entered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}
