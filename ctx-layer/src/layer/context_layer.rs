//! A layer that wraps one output: fields that are there alone, or are not there.

use std::{any::TypeId, sync::OnceLock};

use tracing_core::{
    Dispatch, Event, Field, Interest, LevelFilter, Metadata, Subscriber,
    field::{Value, ValueSet, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context};

use super::{
    ambient::{Ambient, Ids, Onto},
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
    context::{InForce, fields_in, give_back, read},
    field::{Fields, Schema},
};

/// A layer that wraps another and decides which fields appear there.
///
/// It wraps one output, such as a `fmt` layer: the fields of its schema are on what this output sees, and nowhere else.
///
/// Combines with [`with_context_fields`](super::SubscriberFieldsExt::with_context_fields): what is on spans and events already
/// stays there, and the ambient values of the fields in this schema are shown as it says. What the code sets itself is never
/// masked or hashed. Spans remember values only under `with_context_fields`; without it they are carried by whatever else
/// carries the OpenTelemetry context.
///
/// It forwards every method of [`Layer`], and answers `downcast_ref` for what it wraps.
///
/// ```
/// use ctx_layer::{ContextLayer, Schema, SubscriberFieldsExt, field::well_known::{SPAN_ID, TRACE_ID}};
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
    augmentation: Augmentation,
    hide_on_spans: bool,
    home: StackDispatch,
    /// Known once the stack is installed, where spans show no registered fields.
    declared: OnceLock<Declared>,
}

impl<L> ContextLayer<L> {
    /// Wraps `layer`, which gets the fields of `schema`.
    pub fn new(layer: L, schema: Schema) -> Self {
        crate::context::register(schema.fields().map(|(declaration, _)| declaration));
        if !schema.is_empty() {
            filled::adds_to_others();
        }
        ContextLayer {
            inner: layer,
            augmentation: Augmentation::new(schema),
            hide_on_spans: false,
            home: StackDispatch::new(),
            declared: OnceLock::new(),
        }
    }

    /// Hides registered fields on the spans that this output sees; events have them, also those that their spans have
    /// declared themselves.
    ///
    /// See [`fields_once_per_line`](super::fields_once_per_line()).
    pub fn hide_on_spans(mut self) -> Self {
        self.hide_on_spans = true;
        self
    }

    /// Calls `f` with the fields, and OpenTelemetry ids, that apply; with `None` where there is nothing to put on it.
    fn with_ambient<R>(
        &self,
        in_force: InForce,
        parent: Parentage<'_>,
        ids: impl FnOnce() -> Option<Ids>,
        f: impl FnOnce(Option<(&Fields, Option<&Ids>)>) -> R,
    ) -> R {
        match in_force {
            InForce::Nothing => f(None),
            InForce::Fields(fields) => {
                let result = f(Some((&fields, None)));
                give_back(fields);
                result
            }
            InForce::More => {
                let elsewhere = match parent {
                    // Without one, it may have been a span that is switched off.
                    Parentage::Explicit(_) | Parentage::Root => parent::elsewhere(),
                    Parentage::Contextual => None,
                };
                let ambient = Ambient::resolve(&self.augmentation, elsewhere.as_ref(), ids());
                f(ambient.as_ref().map(Ambient::parts))
            }
        }
    }

    /// Passes on a span without its registered fields, and keeps what it gave to them itself for its events.
    fn hiding_on_span(&self, attributes: &Attributes<'_>, id: &Id, forward: impl Fn(&Attributes<'_>)) {
        let call_site = original_of(attributes.metadata());
        let filled = Filled::before(attributes);
        let declared = self.keep(call_site, filled, id, attributes);
        let metadata = self.augmentation.of(attributes.metadata()).metadata;
        let (own, without) = (call_site.fields().len(), Without(filled.and(declared)));
        rewrite(attributes, own, metadata.fields(), &without, &mut |values: &ValueSet<'_>| {
            forward(&with_parent_of(attributes, metadata, values));
        });
    }

    /// Passes on what is recorded on a span without its registered fields, in the same way.
    fn hiding_on_record(&self, values: &Record<'_>, id: &Id, forward: impl Fn(&Record<'_>)) {
        let mut call_site = None;
        Source::record(values, &mut CallSite(&mut call_site));
        let Some(call_site) = call_site else { return forward(values) };
        let filled = Filled::before(values);
        let declared = self.keep(call_site, filled, id, values);
        let own = call_site.fields();
        let mut found = Found { hidden: filled.and(declared), own: own.len(), ..Found::default() };
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

    /// Keeps what a span gives to registered fields itself, and returns which of its fields those are.
    fn keep(&self, call_site: &'static Metadata<'static>, filled: Filled, id: &Id, values: &dyn Source) -> Filled {
        let Some(known) = self.declared.get() else { return Filled::default() };
        let declared = known.of(call_site);
        if !declared.but(filled).is_empty() {
            self.home.with(|dispatch| known.keep(dispatch, id, values, declared.but(filled)));
        }
        declared
    }

    /// Passes on an ambient value that is recorded late as this output shows it: the stack may show it otherwise.
    fn record_late(&self, field: &Field, values: &Record<'_>, filled: Filled, forward: impl Fn(&Record<'_>)) {
        let fields = self.augmentation.of(call_site_of(field.callsite())).metadata.fields();
        let registered = self.augmentation.schema.fields().find(|(declaration, _)| declaration.name() == field.name());
        // The value is in force already.
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
        if self.augmentation.schema.is_empty() || is_about_the_context(event.metadata()) {
            return f(event);
        }
        let parent = Parentage::of_event(event);
        let in_force = self.augmentation.in_force_for_event(parent);
        let ids = || Ids::of_event(&self.augmentation, parent, &self.home);
        self.with_ambient(in_force, parent, ids, |ambient| {
            let Some((fields, ids)) = ambient else { return f(event) };
            let augmented = self.augmentation.of(filled::all_fields_of(event));
            if !augmented.takes_fields {
                return f(event);
            }
            let filled = Filled::in_all(event, augmented.declared);
            let additions = Onto { fields, ids, augmentation: &self.augmentation, augmented, filled };
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
        if self.hide_on_spans {
            let schema = core.map_or(&self.augmentation.schema, |core| &core.augmentation.schema);
            // A layer is moved into its stack: the first is it.
            let _ = self.declared.set(Declared::new(schema.clone()));
        }
        self.inner.on_register_dispatch(subscriber);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.inner.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.inner.register_callsite(self.augmentation.to_register(metadata))
    }

    fn enabled(&self, metadata: &Metadata<'_>, ctx: Context<'_, S>) -> bool {
        self.augmentation.with(metadata, |metadata| self.inner.enabled(metadata, ctx))
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
        let augmented = self.augmentation.of(attributes.metadata());
        let parent = Parentage::of_span(attributes);
        self.with_ambient(
            self.augmentation.in_force_for_span(parent),
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
                        let additions = Onto { fields, ids, augmentation: &self.augmentation, augmented, filled };
                        let names = augmented.metadata.fields();
                        rewrite(attributes, augmented.own, names, &additions, &mut on_new_span);
                    }
                    // The output knows the call site by the augmented metadata, with values or without.
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
        if self.augmentation.schema.is_empty() {
            return forward(values);
        }
        let filled = Filled::before(values);
        let mut late = Late { filled, field: None };
        Source::record(values, &mut late);
        match &late.field {
            Some(field) => self.record_late(field, values, filled, forward),
            None => forward(values),
        }
    }

    fn on_follows_from(&self, span: &Id, follows: &Id, ctx: Context<'_, S>) {
        self.inner.on_follows_from(span, follows, ctx);
    }

    /// Asked with the event as the output will get it: filters inside may look at its values.
    fn event_enabled(&self, event: &Event<'_>, ctx: Context<'_, S>) -> bool {
        self.with_event(event, |event| self.inner.event_enabled(event, ctx.clone()))
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        #[cfg(feature = "json")]
        let _published =
            if self.augmentation.schema.is_empty() { None } else { self.augmentation.policies.publish_besides() };
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

    // Forced by the trait; see `ContextSubscriber`. What is asked of `Filtered` and `Option` layers inside is asked
    // through here too.
    #[allow(unsafe_code)]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            Some(std::ptr::from_ref(self).cast())
        } else {
            // SAFETY: the caller's promise is passed on unchanged; `inner` lives as long as `self`.
            unsafe { self.inner.downcast_raw(id) }
        }
    }
}

impl<L: std::fmt::Debug> std::fmt::Debug for ContextLayer<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContextLayer")
            .field("schema", &self.augmentation.schema)
            .field("hide_on_spans", &self.hide_on_spans)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

/// Adds nothing, and takes away the values that are not the code's: what is rewritten is cut down to its own fields.
struct Without(Filled);

impl Additions for Without {
    fn add<'a>(&'a self, values: &mut RewriteValues<'a>) {
        for (_, value) in values.iter_mut().enumerate().filter(|(index, _)| self.0.contains(*index)) {
            *value = None;
        }
    }
}

/// Finds a field that is recorded and is not the span's own, or has a value that is not.
struct Late {
    filled: Filled,
    field: Option<Field>,
}

impl Visit for Late {
    fn record_debug(&mut self, field: &Field, _: &dyn std::fmt::Debug) {
        if field.index() >= call_site_of(field.callsite()).fields().len() || self.filled.contains(field.index()) {
            self.field = Some(field.clone());
        }
    }
}

/// Finds the call site of what is recorded.
struct CallSite<'a>(&'a mut Option<&'static Metadata<'static>>);

impl Visit for CallSite<'_> {
    fn record_debug(&mut self, field: &Field, _: &dyn std::fmt::Debug) {
        *self.0 = Some(call_site_of(field.callsite()));
    }
}

/// Finds out whether anything that is recorded is hidden, and whether anything is not.
#[derive(Default)]
struct Found {
    /// Those of the span's own fields that are hidden; all others than its own are.
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
