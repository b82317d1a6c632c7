//! Programs that runs of ten million found, made smaller.

use ctx_layer::{
    Schema, SubscriberFieldsExt,
    field::well_known::*,
    prelude::*,
    task::{Carried, Snapshot},
};
use ctx_tests::{Exported, block_on};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
use tracing::{
    Id, Subscriber, info_span, level_filters::LevelFilter, span::Attributes, subscriber::with_default, warn_span,
};
use tracing_subscriber::{Layer, layer, prelude::*};

fn under_opentelemetry(f: impl FnOnce()) {
    let otel = tracing_opentelemetry::layer().with_tracer(Exported::new().tracer());
    with_default(tracing_subscriber::registry().with(otel).with_context_fields(Schema::well_known()), f);
}

fn filtered(f: impl FnOnce()) {
    let otel = tracing_opentelemetry::layer().with_tracer(Exported::new().tracer());
    let stack = tracing_subscriber::registry().with(LevelFilter::WARN).with(otel);
    with_default(stack.with_context_fields(Schema::well_known()), f);
}

fn user() -> Option<String> {
    USER_ID.get().map(String::from)
}

#[test]
fn a_child_of_an_explicit_parent_in_a_wrapper_has_nothing_of_it() {
    under_opentelemetry(|| {
        let nothing = Snapshot::capture().without_span();
        let _ada = USER_ID.attach("ada");
        let parent = info_span!("parent");
        let work = async {
            let child = info_span!(parent: &parent, "child");
            let entered = child.entered();
            assert_eq!(user(), None);
            let grandchild = info_span!("grandchild").entered();
            assert_eq!(user(), None);
            drop((grandchild, entered));
        };
        block_on(work.in_context(nothing));
    });
}

/// Hides a layer from everything that looks for its type, as a layer of another version is hidden.
struct Hidden<L>(L);

impl<S: Subscriber, L: Layer<S>> Layer<S> for Hidden<L> {
    fn on_layer(&mut self, subscriber: &mut S) {
        self.0.on_layer(subscriber);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: layer::Context<'_, S>) {
        self.0.on_new_span(attributes, id, cx);
    }

    fn on_enter(&self, id: &Id, cx: layer::Context<'_, S>) {
        self.0.on_enter(id, cx);
    }

    fn on_exit(&self, id: &Id, cx: layer::Context<'_, S>) {
        self.0.on_exit(id, cx);
    }

    fn on_close(&self, id: Id, cx: layer::Context<'_, S>) {
        self.0.on_close(id, cx);
    }
}

#[test]
fn the_first_span_entered_keeps_the_baggage_attached_since() {
    let otel = tracing_opentelemetry::layer().with_tracer(Exported::new().tracer());
    let stack = tracing_subscriber::registry().with(Hidden(otel)).with_context_fields(Schema::well_known());
    with_default(stack, || {
        let span = info_span!("span");
        let baggage = [KeyValue::new("tenant_id", "acme"), KeyValue::new("user_id", "ada")];
        let _attached = Context::current_with_baggage(baggage).attach();
        assert_eq!(user().as_deref(), Some("ada"));
        let _entered = span.entered();
        assert_eq!(user().as_deref(), Some("ada"));
    });
}

#[test]
fn a_child_of_an_explicit_parent_has_no_other_baggage() {
    under_opentelemetry(|| {
        let _role = ROLE.attach("admin");
        let baggage = [KeyValue::new("tenant_id", "acme"), KeyValue::new("user_id", "ada")];
        let attached = Context::current_with_baggage(baggage).attach();
        let parent = info_span!("parent");
        drop(attached);
        let child = info_span!(parent: &parent, "child");
        let _entered = child.entered();
        assert_eq!((user(), TENANT_ID.get()), (None, None));
        assert_eq!(ROLE.get().as_deref(), Some("admin"));
    });
}

#[test]
fn an_empty_context_is_not_taken_for_one_that_is_lost() {
    filtered(|| {
        let _unset = USER_ID.unset();
        let outer = warn_span!("outer");
        let inner = warn_span!(parent: &outer, "inner");
        let off = info_span!("off");
        let entered = inner.enter();
        let first = off.enter();
        let empty = Context::new();
        let _ = USER_ID.record("ada");
        let _second = off.enter();
        let _attached = empty.attach();
        drop(entered);
        inner.in_scope(|| drop(first));
        assert_eq!(user(), None);
    });
}

#[test]
fn a_value_recorded_elsewhere_is_not_in_a_frame_that_loses_its_context() {
    under_opentelemetry(|| {
        let span = info_span!(parent: None, "span");
        let entered = span.enter();
        let other = std::thread::scope(|scope| {
            let work = || {
                let other = info_span!(parent: None, "other");
                assert!(USER_ID.record_on(&span, "ada"));
                other
            };
            let dispatch = tracing::dispatcher::get_default(Clone::clone);
            scope.spawn(move || tracing::dispatcher::with_default(&dispatch, work)).join().expect("it does not panic")
        });
        Carried::without_span(()).in_scope(|()| {
            other.in_scope(|| drop(entered));
            assert_eq!(user(), None);
        });
    });
}

#[test]
fn a_context_that_looks_the_same_is_not_the_one_that_a_frame_relies_on() {
    filtered(|| {
        let outer = warn_span!("outer");
        let entered = outer.enter();
        let off = info_span!(parent: None, "off");
        let same = Context::current();
        let _off = off.enter();
        let attached = same.attach();
        drop(entered);
        drop(attached);
        assert!(USER_ID.record("ada"));
        assert_eq!(user().as_deref(), Some("ada"));
    });
}
