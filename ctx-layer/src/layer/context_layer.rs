//! A layer that wraps one output, and adds fields to it or hides them from it.

use std::{any::TypeId, sync::OnceLock};

use tracing_core::{
    Dispatch, Event, Field, Interest, LevelFilter, Metadata, Subscriber,
    field::{Value, ValueSet, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context};

use super::{
    ambient::{Ambient, AmbientAdditions, Ids},
    core::{Core, is_about_the_context},
    declared::Declared,
    filled::{self, Filled},
    metadata::{Augmentation, call_site_of, original_of},
    parent::{self, Parentage},
    rewrite::{Additions, RewriteValues, Source, rewrite},
    stack_dispatch::StackDispatch,
    subscriber::{like, with_parent_of},
};
use crate::{
    context::{CurrentFields, fields_in, give_back, read},
    field::{Fields, Schema},
};

/// A layer that wraps another and decides which fields appear there.
///
/// It wraps one output, such as a `fmt` layer. The fields of its schema appear in this output, and in no other.
///
/// It can be combined with [`with_context_fields`](super::SubscriberFieldsExt::with_context_fields). Fields that are on spans and
/// events already stay there; values from the context are shown by the policies of this schema. Values that the code sets itself
/// are never masked or hashed. Spans remember values only under `with_context_fields`; without it, values are carried only as far
/// as the OpenTelemetry context is.
///
/// It forwards every method of [`Layer`], and `downcast_ref` finds the wrapped layer.
///
/// ```
/// use ctx_layer::{ContextLayer, field::well_known::{SPAN_ID, TRACE_ID}, prelude::*};
/// use tracing_subscriber::prelude::*;
///
/// // Only the JSON lines carry trace_id and span_id.
/// let ids = Schema::builder().field(&TRACE_ID).field(&SPAN_ID).build()?;
/// let subscriber = tracing_subscriber::registry()
///     .with(ContextLayer::new(tracing_subscriber::fmt::layer().json(), ids))
///     .with_context_fields(Schema::well_known());
/// # drop(subscriber);
/// # Ok::<(), ctx_layer::field::SchemaError>(())
/// ```
pub struct ContextLayer<L> {
    inner: L,
    alone: Augmentation,
    /// Set once the stack is installed, if its subscriber knows more shared targets.
    with_shared: OnceLock<Augmentation>,
    hide_on_spans: bool,
    home: StackDispatch,
    /// Set once the stack is installed, if spans show no registered fields.
    declared: OnceLock<Declared>,
}

impl<L> ContextLayer<L> {
    /// Wraps `layer`, and adds the fields of `schema` to what it gets.
    pub fn new(layer: L, schema: Schema) -> Self {
        crate::context::register(schema.fields().map(|(declaration, _)| declaration));
        if !schema.is_empty() {
            filled::adds_to_others();
        }
        ContextLayer {
            inner: layer,
            alone: Augmentation::new(schema),
            with_shared: OnceLock::new(),
            hide_on_spans: false,
            home: StackDispatch::new(),
            declared: OnceLock::new(),
        }
    }

    #[inline]
    fn augmentation(&self) -> &Augmentation {
        self.with_shared.get().unwrap_or(&self.alone)
    }

    /// Hides registered fields on the spans that this output sees. Events show them, including those that their spans have
    /// declared themselves.
    ///
    /// See [`fields_once_per_line`](super::fields_once_per_line()).
    pub fn hide_on_spans(mut self) -> Self {
        self.hide_on_spans = true;
        self
    }

    /// Calls `f` with the fields and OpenTelemetry ids that apply, or with `None` if there is nothing to add.
    fn with_ambient<R>(
        &self,
        current: CurrentFields,
        parent: Parentage<'_>,
        ids: impl FnOnce() -> Option<Ids>,
        f: impl FnOnce(Option<(&Fields, Option<&Ids>)>) -> R,
    ) -> R {
        match current {
            CurrentFields::Nothing => f(None),
            CurrentFields::Fields(fields) => {
                let result = f(Some((&fields, None)));
                give_back(fields);
                result
            }
            CurrentFields::More => {
                let elsewhere = match parent {
                    // A `Root` may have an explicit parent that is disabled.
                    Parentage::Explicit(_) | Parentage::Root => parent::elsewhere(),
                    Parentage::Contextual => None,
                };
                let ambient = Ambient::resolve(self.augmentation(), elsewhere.as_ref(), ids());
                f(ambient.as_ref().map(Ambient::parts))
            }
        }
    }

    /// Passes on a span without its registered fields, and keeps its own values of them for its events.
    fn hiding_on_span(&self, attributes: &Attributes<'_>, id: &Id, forward: impl Fn(&Attributes<'_>)) {
        let call_site = original_of(attributes.metadata());
        let filled = Filled::before(attributes);
        let declared = self.keep(call_site, filled, id, attributes);
        let metadata = self.augmentation().of(attributes.metadata()).metadata;
        let (own, without) = (call_site.fields().len(), Without(filled.union(declared)));
        rewrite(attributes, own, metadata.fields(), &without, &mut |values: &ValueSet<'_>| {
            forward(&with_parent_of(attributes, metadata, values));
        });
    }

    /// Passes on recorded values without the registered fields, and keeps those for events.
    fn hiding_on_record(&self, values: &Record<'_>, id: &Id, forward: impl Fn(&Record<'_>)) {
        let mut call_site = None;
        Source::record(values, &mut CallSite(&mut call_site));
        let Some(call_site) = call_site else { return forward(values) };
        let filled = Filled::before(values);
        let declared = self.keep(call_site, filled, id, values);
        let own = call_site.fields();
        let mut found = Found { hidden: filled.union(declared), own: own.len(), ..Found::default() };
        Source::record(values, &mut found);
        match found {
            Found { is_any_hidden: false, .. } => forward(values),
            Found { is_any_shown: false, .. } => {}
            Found { hidden, .. } => {
                rewrite(values, own.len(), own, &Without(hidden), &mut |values: &ValueSet<'_>| {
                    forward(&Record::new(values));
                });
            }
        }
    }

    /// Keeps the values that a span has for registered fields, and returns the indices of those fields.
    fn keep(&self, call_site: &'static Metadata<'static>, filled: Filled, id: &Id, values: &dyn Source) -> Filled {
        let Some(known) = self.declared.get() else { return Filled::default() };
        let declared = known.of(call_site);
        if !declared.difference(filled).is_empty() {
            self.home.with(|dispatch| known.keep(dispatch, id, values, declared.difference(filled)));
        }
        declared
    }

    /// Passes on a value that was recorded on an open span, as this output shows it: the stack may show it otherwise.
    fn record_on_open_span(&self, field: &Field, values: &Record<'_>, filled: Filled, forward: impl Fn(&Record<'_>)) {
        let fields = self.augmentation().of(call_site_of(field.callsite())).metadata.fields();
        let registered =
            self.augmentation().schema.fields().find(|(declaration, _)| declaration.name() == field.name());
        // The value is current already.
        let ambient = registered
            .and_then(|(declaration, policy)| Some((read(fields_in)?.shared(declaration)?, policy.sensitivity())));
        match (ambient, fields.field(field.name())) {
            (Some((ambient, sensitivity)), Some(field)) => {
                let value: &dyn Value = ambient.entry().as_value(sensitivity);
                filled.passing_on(&Record::new(&fields.value_set(&[(&field, Some(value))])), forward);
            }
            _ => forward(values),
        }
    }

    fn with_event<R>(&self, event: &Event<'_>, mut f: impl FnMut(&Event<'_>) -> R) -> R {
        match self.declared.get() {
            Some(declared) if declared.is_any() && !is_about_the_context(event.metadata()) => {
                let mut result = None;
                self.home.with(|dispatch| {
                    result = Some(declared.with_event(dispatch, event, |event| self.with_current(event, &mut f)));
                });
                result.unwrap_or_else(|| self.with_current(event, f))
            }
            _ => self.with_current(event, f),
        }
    }

    fn with_current<R>(&self, event: &Event<'_>, mut f: impl FnMut(&Event<'_>) -> R) -> R {
        if self.augmentation().schema.is_empty() || is_about_the_context(event.metadata()) {
            return f(event);
        }
        let parent = Parentage::of_event(event);
        let current = self.augmentation().fields_for_event(parent);
        let ids = || Ids::of_event(self.augmentation(), parent, &self.home);
        self.with_ambient(current, parent, ids, |ambient| {
            let Some((fields, ids)) = ambient else { return f(event) };
            let augmented = self.augmentation().of(filled::all_fields_of(event));
            if !augmented.takes_fields {
                return f(event);
            }
            let filled = Filled::in_all(event, augmented.declared);
            let additions = AmbientAdditions { fields, ids, augmentation: self.augmentation(), augmented, filled };
            let mut result = None;
            rewrite(event, augmented.own, augmented.metadata.fields(), &additions, &mut |values: &ValueSet<'_>| {
                result = Some(filled.passing_on_event(&like(event, values), augmented.metadata, &mut f));
            });
            // `rewrite` calls back exactly once.
            result.unwrap_or_else(|| f(event))
        })
    }
}

impl<S, L> Layer<S> for ContextLayer<L>
where
    S: Subscriber,
    L: Layer<S>,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        let core = subscriber.downcast_ref::<Core>();
        self.home.set(subscriber, core.is_some());
        if let Some(shared) = core.and_then(|core| self.alone.with_shared_of(&core.augmentation)) {
            // A layer is moved into its stack, so the first call is the only one that matters.
            let _ = self.with_shared.set(shared);
        }
        if self.hide_on_spans {
            let schema = core.map_or(&self.augmentation().schema, |core| &core.augmentation.schema);
            let _ = self.declared.set(Declared::new(schema.clone()));
        }
        self.inner.on_register_dispatch(subscriber);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.inner.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.inner.register_callsite(self.augmentation().to_register(metadata))
    }

    fn enabled(&self, metadata: &Metadata<'_>, ctx: Context<'_, S>) -> bool {
        self.augmentation().with(metadata, |metadata| self.inner.enabled(metadata, ctx))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.inner.max_level_hint()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        if self.hide_on_spans {
            return self.hiding_on_span(attributes, id, |attributes| {
                self.inner.on_new_span(attributes, id, ctx.clone());
            });
        }
        let augmented = self.augmentation().of(attributes.metadata());
        let parent = Parentage::of_span(attributes);
        self.with_ambient(
            self.augmentation().fields_for_span(parent),
            parent,
            || None,
            |ambient| {
                let filled = Filled::in_all(attributes, augmented.declared);
                let mut on_new_span = |values: &ValueSet<'_>| {
                    let attributes = with_parent_of(attributes, augmented.metadata, values);
                    filled.passing_on(&attributes, |attributes| self.inner.on_new_span(attributes, id, ctx.clone()));
                };
                match ambient {
                    Some((fields, ids)) if augmented.takes_fields => {
                        let additions =
                            AmbientAdditions { fields, ids, augmentation: self.augmentation(), augmented, filled };
                        let names = augmented.metadata.fields();
                        rewrite(attributes, augmented.own, names, &additions, &mut on_new_span);
                    }
                    // The output knows the call site by the augmented metadata, with or without values.
                    _ => on_new_span(attributes.values()),
                }
            },
        );
    }

    fn on_record(&self, span: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let forward = |values: &Record<'_>| self.inner.on_record(span, values, ctx.clone());
        if self.hide_on_spans {
            return self.hiding_on_record(values, span, forward);
        }
        if self.augmentation().schema.is_empty() {
            return forward(values);
        }
        let filled = Filled::before(values);
        let mut ambient = FindAmbient { filled, field: None };
        Source::record(values, &mut ambient);
        match &ambient.field {
            Some(field) => self.record_on_open_span(field, values, filled, forward),
            None => forward(values),
        }
    }

    fn on_follows_from(&self, span: &Id, follows: &Id, ctx: Context<'_, S>) {
        self.inner.on_follows_from(span, follows, ctx);
    }

    /// Passes on the event as the output will get it: filters inside may look at its values.
    fn event_enabled(&self, event: &Event<'_>, ctx: Context<'_, S>) -> bool {
        self.with_event(event, |event| self.inner.event_enabled(event, ctx.clone()))
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        #[cfg(feature = "_output")]
        let _published =
            if self.augmentation().schema.is_empty() { None } else { self.augmentation().policies.publish_besides() };
        self.with_event(event, |event| self.inner.on_event(event, ctx.clone()));
    }

    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        self.inner.on_enter(id, ctx);
    }

    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        self.inner.on_exit(id, ctx);
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        self.inner.on_close(id, ctx);
    }

    fn on_id_change(&self, old: &Id, new: &Id, ctx: Context<'_, S>) {
        self.inner.on_id_change(old, new, ctx);
    }

    // Required by the trait; see `ContextSubscriber`. It also makes the markers of `Filtered` and `Option` layers inside
    // visible.
    #[allow(unsafe_code)]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            Some(std::ptr::from_ref(self).cast())
        } else {
            // SAFETY: the caller's guarantee is passed on unchanged; `inner` lives as long as `self`.
            unsafe { self.inner.downcast_raw(id) }
        }
    }
}

impl<L: std::fmt::Debug> std::fmt::Debug for ContextLayer<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContextLayer")
            .field("schema", &self.augmentation().schema)
            .field("hide_on_spans", &self.hide_on_spans)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

/// Removes the values that the code did not set itself.
struct Without(Filled);

impl Additions for Without {
    fn add<'a>(&'a self, values: &mut RewriteValues<'a>) {
        for (_, value) in values.iter_mut().enumerate().filter(|(index, _)| self.0.contains(*index)) {
            *value = None;
        }
    }
}

/// Finds a field that was added to the span, or whose value was.
struct FindAmbient {
    filled: Filled,
    field: Option<Field>,
}

impl Visit for FindAmbient {
    fn record_debug(&mut self, field: &Field, _: &dyn std::fmt::Debug) {
        if field.index() >= call_site_of(field.callsite()).fields().len() || self.filled.contains(field.index()) {
            self.field = Some(field.clone());
        }
    }
}

/// Finds the call site of recorded values.
struct CallSite<'a>(&'a mut Option<&'static Metadata<'static>>);

impl Visit for CallSite<'_> {
    fn record_debug(&mut self, field: &Field, _: &dyn std::fmt::Debug) {
        *self.0 = Some(call_site_of(field.callsite()));
    }
}

/// Checks whether any recorded value is hidden, and whether any is shown.
#[derive(Default)]
struct Found {
    /// The span's own fields that are hidden; added fields always are.
    hidden: Filled,
    own: usize,
    is_any_hidden: bool,
    is_any_shown: bool,
}

impl Visit for Found {
    fn record_debug(&mut self, field: &Field, _: &dyn std::fmt::Debug) {
        if field.index() >= self.own || self.hidden.contains(field.index()) {
            self.is_any_hidden = true;
        } else {
            self.is_any_shown = true;
        }
    }
}
