//! A subscriber over a whole stack, which adds fields to every span and every event before any layer sees them.

use std::{any::TypeId, borrow::Cow};

use tracing_core::{
    Dispatch, Event, Interest, LevelFilter, Metadata, Subscriber,
    span::{self, Attributes, Current, Id},
};
use tracing_subscriber::{
    Registry,
    registry::{LookupSpan, SpanData},
};

use crate::{
    context::{CurrentFields, frame_stack, give_back},
    field::{Fields, Schema},
    layer::{
        core::{Core, is_about_the_context},
        kept_spans::{KeptSpans, close},
        last_recorded,
        metadata::Augmentation,
        other_version,
        parent::Parentage,
        postponed,
        set_up::SetUp,
        span_lock,
    },
};

/// A subscriber that adds the current registered fields to every span and every event it passes on.
///
/// Created by [`with_context_fields`](crate::SubscriberFieldsExt::with_context_fields). It forwards every method of
/// [`Subscriber`], and `downcast_ref` finds what it wraps.
pub struct ContextSubscriber<S> {
    pub(super) inner: S,
    pub(super) core: Core,
    /// All layers that read the fields of events read the current fields themselves.
    #[cfg(feature = "_output")]
    reads_fields_itself: bool,
    /// And nothing looks at those of spans.
    #[cfg(feature = "_output")]
    ignores_fields_of_spans: bool,
}

impl<S> ContextSubscriber<S> {
    #[track_caller]
    pub(in crate::layer) fn new(schema: Schema, inner: S) -> Self
    where
        S: Subscriber,
    {
        crate::context::register(schema.fields().map(|(declaration, _)| declaration));
        let has_registry = (&inner as &dyn Subscriber).is::<Registry>();
        let kept = if has_registry { LevelFilter::INFO } else { LevelFilter::OFF };
        let augmentation = Augmentation::new(schema);
        ContextSubscriber {
            inner,
            core: Core::new(augmentation, kept, SetUp::over::<S>()),
            #[cfg(feature = "_output")]
            reads_fields_itself: crate::layer::reading::reads_fields_itself(std::any::type_name::<S>()),
            #[cfg(feature = "_output")]
            ignores_fields_of_spans: crate::layer::reading::ignores_fields_of_spans(std::any::type_name::<S>()),
        }
    }

    /// Sets the level up to which disabled spans carry fields. Defaults to `INFO`.
    ///
    /// A filter that lets only warnings through disables the span of the request. Values
    /// [recorded](crate::ContextField::record) on it would be lost, and so would the fields that `work.instrument(span)` carries to
    /// another task. So such a span is stored in the registry without any layer seeing it: no output shows it, and what is inside
    /// it belongs to the nearest enabled span. With [`LevelFilter::OFF`] only enabled spans carry fields.
    ///
    /// An enabled span costs nothing more. A disabled one costs as much as a span without layers, some 150 ns, instead of next
    /// to nothing.
    ///
    /// The stack needs a [`Registry`](tracing_subscriber::Registry). With another subscriber, or above this level, a disabled
    /// span carries nothing. Neither does one that `tracing`'s `max_level_*` features compile out.
    ///
    /// ```
    /// use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::TENANT_ID};
    /// use tracing_subscriber::{filter::LevelFilter, prelude::*};
    ///
    /// let stack = tracing_subscriber::registry().with(LevelFilter::WARN);
    /// let stack = stack.with_context_fields(Schema::well_known()).keep_spans(LevelFilter::DEBUG);
    /// tracing::subscriber::with_default(stack, || {
    ///     let _request = tracing::debug_span!("request").entered();
    ///     assert!(TENANT_ID.record("acme"));
    ///     assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
    /// });
    /// ```
    #[must_use = "this returns a changed subscriber"]
    pub fn keep_spans(mut self, level: LevelFilter) -> Self
    where
        S: Subscriber,
    {
        if self.registry().is_some() {
            self.core.kept = KeptSpans::new(level);
        }
        self
    }

    /// Adds targets whose spans carry no fields, because they serve many requests.
    ///
    /// A span belongs to the request in which it was created. That is wrong for the span of a connection, a pool or a cache,
    /// which a library creates once, inside whichever request comes first, and enters for all. Such spans remember nothing and
    /// show no registered fields; entering one changes nothing. A target includes its modules: `"h2"` matches `h2::client`.
    ///
    /// `h2`, `hyper`, `hyper_util`, `quinn`, `quinn_proto` and `rustls` are always included.
    ///
    /// ```
    /// use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::TENANT_ID};
    ///
    /// let stack = tracing_subscriber::registry().with_context_fields(Schema::well_known());
    /// tracing::subscriber::with_default(stack.shared_targets(["my_pool::connection"]), || {
    ///     let connect = || tracing::info_span!(target: "my_pool::connection", "connection");
    ///     let connection = TENANT_ID.in_scope("acme", connect);
    ///     assert_eq!(connection.in_scope(|| TENANT_ID.get()), None);
    /// });
    /// ```
    #[must_use = "this returns a changed subscriber"]
    pub fn shared_targets(mut self, targets: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.core.augmentation = self.core.augmentation.and_shared(targets);
        self
    }
}

impl<S: Subscriber> ContextSubscriber<S> {
    /// Logs what is wrong with the stack, before the first span or event is passed on.
    #[cold]
    #[inline(never)]
    fn check_set_up(&self, about_to: &Metadata<'_>) {
        if !span_lock::may_be_held()
            && let Some(dispatch) = self.core.home.dispatch()
        {
            self.core.set_up.check(&dispatch, about_to);
        }
    }

    pub(super) fn registry(&self) -> Option<&Registry> {
        (&self.inner as &dyn Subscriber).downcast_ref()
    }
}

impl<S: Subscriber> Subscriber for ContextSubscriber<S> {
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.core.home.set(subscriber, true);
        self.inner.on_register_dispatch(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let interest = self.inner.register_callsite(self.core.augmentation.to_register(metadata));
        self.core.kept.registered(metadata, interest)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if self.core.kept.is_decided_later(metadata) {
            return true;
        }
        self.core.augmentation.with(metadata, |metadata| self.inner.enabled(metadata))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // Disabled spans have to reach this subscriber before they can be kept.
        self.inner.max_level_hint().map(|level| level.max(self.core.kept.level()))
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        if !self.core.set_up.is_checked() {
            self.check_set_up(attributes.metadata());
        }
        #[cfg(feature = "_received")]
        if let Some(fields) = crate::layer::complete_span::fields_of(attributes) {
            if let Some(id) =
                self.kept_if_unwanted(attributes, crate::layer::metadata::original_of(attributes.metadata()))
            {
                return id;
            }
            let id = self.create(attributes);
            self.core.remember(&id, fields);
            return id;
        }
        if let Some(id) = self.kept_if_unwanted(attributes, attributes.metadata()) {
            return id;
        }
        if let Some(parent) = self.kept_parent(attributes.parent()) {
            return self.new_span_in_kept(attributes, parent);
        }
        let augmented = self.core.augmentation.of(attributes.metadata());
        let current = match augmented.is_shared {
            true => CurrentFields::Nothing,
            false => self.core.augmentation.fields_for_span(Parentage::of_span(attributes)),
        };
        match current {
            CurrentFields::Nothing => {
                let id = self.new_span_with(attributes, augmented, None);
                self.core.remember(&id, Fields::new());
                id
            }
            #[cfg(feature = "_output")]
            CurrentFields::Fields(fields) if self.ignores_fields_of_spans => {
                let id = self.new_span_with(attributes, augmented, None);
                self.core.remember(&id, fields);
                id
            }
            CurrentFields::Fields(fields) => {
                let id = self.new_span_with(attributes, augmented, Some((&fields, None)));
                self.core.remember(&id, fields);
                id
            }
            CurrentFields::More => self.new_span_looking_closer(attributes, augmented),
        }
    }

    fn record(&self, span: &Id, values: &span::Record<'_>) {
        if self.core.kept.contain(span) {
            return;
        }
        if span_lock::may_be_held() {
            return postponed::postpone(self.core.key(), span, values);
        }
        let at_creation = || self.core.created_with(span);
        if !last_recorded::is_shown(&self.inner, span, values, &self.core.augmentation, at_creation) {
            self.inner.record(span, values);
        }
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        if self.core.kept.is_any() {
            let exists = !self.core.kept.contain(span);
            let nearest = self.core.kept.nearest(follows, self.registry());
            // A layer may lock a span twice if it follows itself.
            if let Some(follows) = nearest.filter(|nearest| exists && nearest != span) {
                self.locking(|| self.inner.record_follows_from(span, &follows));
            }
            return;
        }
        self.locking(|| self.inner.record_follows_from(span, follows));
    }

    /// Returns `true`: [`event`](Self::event) asks the inner subscriber, with the event as it will get it.
    fn event_enabled(&self, _: &Event<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        if is_about_the_context(event.metadata()) {
            return self.forward(event);
        }
        if !self.core.set_up.is_checked() {
            self.check_set_up(event.metadata());
        }
        #[cfg(feature = "_output")]
        let _published = self.core.augmentation.policies.publish();
        if let Some(parent) = self.kept_parent(event.parent()) {
            return self.forward_in_kept(event, parent);
        }
        #[cfg(feature = "_output")]
        if self.reads_fields_itself {
            return self.forward_as_it_is(event);
        }
        match self.core.augmentation.fields_for_event(Parentage::of_event(event)) {
            CurrentFields::Nothing => self.forward(event),
            CurrentFields::Fields(fields) => {
                self.forward_with(event, &fields, None);
                give_back(fields);
            }
            CurrentFields::More => self.forward_looking_closer(event),
        }
    }

    fn enter(&self, span: &Id) {
        let is_kept = self.core.kept.contain(span);
        self.core.enter(span, || {
            if !is_kept {
                self.locking(|| self.inner.enter(span));
            }
        });
    }

    fn exit(&self, span: &Id) {
        let key = self.core.span_key(span);
        let is_kept = self.core.kept.contain(span);
        let guard = frame_stack::take_guarded();
        if guard.map_or_else(|| frame_stack::pop_bare(key), frame_stack::is_guard_on_top) {
            if !is_kept {
                self.inner.exit(span);
            }
            return;
        }
        self.exit_otherwise(span, guard, is_kept);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.inner.clone_span(id)
    }

    #[allow(deprecated)]
    fn drop_span(&self, id: Id) {
        self.try_close(id);
    }

    fn try_close(&self, id: Id) -> bool {
        if span_lock::is_postponed() {
            self.pass_on_postponed();
        }
        let is_kept = self.core.kept.contain(&id);
        let dispatch = if is_kept { self.core.home.dispatch() } else { None };
        let closed = match dispatch {
            Some(dispatch) => close(dispatch, id.clone()),
            None => self.inner.try_close(id.clone()),
        };
        if closed {
            if is_kept {
                self.core.kept.remove(&id);
            }
            self.core.forget(&id);
        }
        closed
    }

    fn current_span(&self) -> Current {
        if self.core.kept.is_any()
            && let Some(id) = self.core.kept_current()
            && let Some(span) = self.registry().and_then(|registry| registry.span_data(&id))
        {
            return Current::new(id, span.metadata());
        }
        self.inner.current_span()
    }

    // Required by the trait: a `Subscriber` can answer `Dispatch::downcast_ref` in no other way, and
    // `tracing-opentelemetry`, `tracing-error` and `reload` find their layers by it.
    #[allow(unsafe_code)]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            Some(std::ptr::from_ref(self).cast())
        } else if id == TypeId::of::<Core>() {
            Some(std::ptr::from_ref(&self.core).cast())
        } else {
            self.core.set_up.note_downcast(id);
            // SAFETY: the caller guarantees to use the pointer as a reference to the type of `id`, for as long as `self` is
            // borrowed. The guarantee is passed on unchanged; `inner` lives as long as `self`.
            let found = unsafe { self.inner.downcast_raw(id) };
            if other_version::intercept(found.is_some()) { None } else { found }
        }
    }
}

impl<'a, S: LookupSpan<'a>> LookupSpan<'a> for ContextSubscriber<S> {
    type Data = S::Data;

    fn span_data(&'a self, id: &Id) -> Option<Self::Data> {
        self.inner.span_data(id)
    }

    fn register_filter(&mut self) -> tracing_subscriber::filter::FilterId {
        self.inner.register_filter()
    }
}

impl<S: std::fmt::Debug> std::fmt::Debug for ContextSubscriber<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContextSubscriber")
            .field("schema", &self.core.augmentation.schema)
            .field("inner", &self.inner)
            .finish()
    }
}
