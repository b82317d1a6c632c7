//! Around one output: fields that stand there alone, or do not stand there.

use std::any::TypeId;

use tracing_core::{
    Dispatch, Event, Field, Interest, LevelFilter, Metadata, Subscriber,
    field::{FieldSet, Value, ValueSet, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context};

use super::{
    ambient::{Ambient, Ids, Onto},
    core::is_about_the_context,
    filled::Filled,
    home::Home,
    metadata::{Augmentation, call_site_of, original_of},
    parent::{self, Parentage},
    rewrite::{Additions, Source, Values, rewrite},
    subscriber::{like, with_parent_of},
};
use crate::{
    context::{InForce, fields_in, give_back, read},
    field::{Fields, Schema},
};

/// A layer around one output that decides which fields stand there.
///
/// Made by [`ContextLayer::around`](super::ContextLayer::around) and [`once_per_line`](super::once_per_line()). It
/// forwards every method of [`Layer`], and answers `downcast_ref` for what it wraps.
pub struct ContextOutput<L> {
    inner: L,
    augmentation: Augmentation,
    hide_on_spans: bool,
    home: Home,
}

impl<L> ContextOutput<L> {
    pub(super) fn new(schema: Schema, inner: L) -> Self {
        crate::context::register(schema.fields().map(|(declaration, _)| declaration));
        ContextOutput { inner, augmentation: Augmentation::new(schema), hide_on_spans: false, home: Home::new() }
    }

    /// Hides from this output the ambient fields that spans carry; events keep theirs. Fields that a span declares
    /// itself are its own and stay.
    ///
    /// For text formats, which print the fields of every enclosing span on every line; see
    /// [`once_per_line`](super::once_per_line()).
    pub fn hide_on_spans(mut self) -> Self {
        self.hide_on_spans = true;
        self
    }

    /// The metadata under which this output knows a call site, before its own fields are added.
    fn base(&self, metadata: &'static Metadata<'static>) -> &'static Metadata<'static> {
        if self.hide_on_spans && metadata.is_span() { original_of(metadata) } else { metadata }
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
        if self.augmentation.schema.is_empty() || is_about_the_context(event.metadata()) {
            return f(event);
        }
        let parent = Parentage::of_event(event);
        let in_force = self.augmentation.in_force_for_event(parent);
        let ids = || Ids::of_event(&self.augmentation, parent, &self.home);
        self.with_ambient(in_force, parent, ids, |ambient| {
            let Some((fields, ids)) = ambient else { return f(event) };
            let augmented = self.augmentation.of(event.metadata());
            if !augmented.takes_fields {
                return f(event);
            }
            let filled = Filled::in_all(event, augmented.declared);
            let additions = Onto { fields, ids, augmentation: &self.augmentation, augmented, filled };
            let mut result = None;
            rewrite(event, augmented.own, augmented.metadata.fields(), &additions, &mut |values: &ValueSet<'_>| {
                result = Some(filled.passing_on(&like(event, augmented.metadata, values), &mut f));
            });
            // `rewrite` calls back exactly once.
            result.unwrap_or_else(|| f(event))
        })
    }
}

impl<S, L> Layer<S> for ContextOutput<L>
where
    S: Subscriber,
    L: Layer<S>,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.home.set(subscriber);
        self.inner.on_register_dispatch(subscriber);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.inner.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.inner.register_callsite(self.augmentation.of(self.base(metadata)).metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, ctx: Context<'_, S>) -> bool {
        self.augmentation.with(metadata, |metadata| self.inner.enabled(metadata, ctx))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.inner.max_level_hint()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let base = self.base(attributes.metadata());
        let hides = !std::ptr::eq(base, attributes.metadata());
        let augmented = self.augmentation.of(base);
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
                let names = augmented.metadata.fields();
                match ambient {
                    Some((fields, ids)) if augmented.takes_fields => {
                        let additions = Onto { fields, ids, augmentation: &self.augmentation, augmented, filled };
                        rewrite(attributes, augmented.own, names, &additions, &mut on_new_span);
                    }
                    _ if hides => rewrite(attributes, augmented.own, names, &Nothing, &mut on_new_span),
                    _ => self.inner.on_new_span(attributes, id, ctx.clone()),
                }
            },
        );
    }

    fn on_record(&self, span: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let filled = Filled::before(values);
        let mut found = Found { filled, ..Found::default() };
        if self.hide_on_spans || !self.augmentation.schema.is_empty() {
            Source::record(values, &mut found);
        }
        // What the span declares itself is not hidden.
        if let Some(field) = &found.late
            && (!self.hide_on_spans || filled.contains(field.index()))
        {
            return self.record_late(field, values, filled, |values| self.inner.on_record(span, values, ctx.clone()));
        }
        match found {
            // Only the span's own.
            Found { late: None, .. } => self.inner.on_record(span, values, ctx),
            Found { own: Some(own), .. } => {
                rewrite(values, own.len(), own, &Nothing, &mut |values: &ValueSet<'_>| {
                    self.inner.on_record(span, &Record::new(values), ctx.clone());
                });
            }
            // Only ambient fields: nothing to tell.
            Found { own: None, .. } => {}
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

impl<L: std::fmt::Debug> std::fmt::Debug for ContextOutput<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContextOutput")
            .field("schema", &self.augmentation.schema)
            .field("hide_on_spans", &self.hide_on_spans)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

/// Adds nothing: what is rewritten is only cut down to its own fields.
struct Nothing;

impl Additions for Nothing {
    fn add<'a>(&'a self, _: &mut Values<'a>) {}
}

/// What kinds of field are recorded late: the span's own, with the set they are of, and ambient ones.
#[derive(Default)]
struct Found {
    /// Those of the span's own with a value from us.
    filled: Filled,
    own: Option<&'static FieldSet>,
    late: Option<Field>,
}

impl Visit for Found {
    fn record_debug(&mut self, field: &Field, _: &dyn std::fmt::Debug) {
        let own = call_site_of(field.callsite()).fields();
        if field.index() < own.len() && !self.filled.contains(field.index()) {
            self.own = Some(own);
        } else {
            self.late = Some(field.clone());
        }
    }
}
