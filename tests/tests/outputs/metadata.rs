//! A layer sees the metadata that it registered, by address, in every method: `console-subscriber` identifies call
//! sites by it.

use std::sync::{Arc, Mutex};

use ctx_layer::{ContextLayer, Schema, SubscriberFieldsExt, field::well_known::*, fields_once_per_line};
use ctx_tests::schema;
use tracing::{
    Dispatch, Event, Metadata, Subscriber, debug, dispatcher::with_default, error, event_enabled, info, info_span,
    span, span_enabled, subscriber::Interest, warn,
};
use tracing_subscriber::{Layer, Registry, filter::LevelFilter, layer::Context, prelude::*, registry::LookupSpan};

#[derive(Default)]
struct Seen {
    registered: Vec<usize>,
    unknown: Vec<String>,
    asked: usize,
}

/// A layer that remembers metadata by address.
#[derive(Clone, Default)]
struct ByAddress {
    seen: Arc<Mutex<Seen>>,
    /// `true` if the metadata of the registry's spans has to be registered, too.
    asks_registry: bool,
}

impl ByAddress {
    fn check(&self, method: &str, metadata: &Metadata<'_>) {
        let mut seen = self.seen.lock().unwrap();
        seen.asked += 1;
        if !seen.registered.contains(&std::ptr::from_ref(metadata).addr()) {
            seen.unknown.push(format!("{method}: {}", metadata.name()));
        }
    }

    fn check_span<S: Subscriber + for<'a> LookupSpan<'a>>(&self, method: &str, id: &span::Id, ctx: &Context<'_, S>) {
        if self.asks_registry {
            self.check(method, ctx.span(id).unwrap().metadata());
            self.check(method, ctx.metadata(id).unwrap());
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ByAddress {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.seen.lock().unwrap().registered.push(std::ptr::from_ref(metadata).addr());
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.check("enabled", metadata);
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        self.check("event_enabled", event.metadata());
        true
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        self.check("on_event", event.metadata());
        if let Some(span) = ctx.event_span(event) {
            self.check_span("event_span", &span.id(), &ctx);
        }
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        self.check("on_new_span", attributes.metadata());
        self.check_span("on_new_span", id, &ctx);
    }

    fn on_record(&self, id: &span::Id, _: &span::Record<'_>, ctx: Context<'_, S>) {
        self.check_span("on_record", id, &ctx);
    }

    fn on_follows_from(&self, id: &span::Id, _: &span::Id, ctx: Context<'_, S>) {
        self.check_span("on_follows_from", id, &ctx);
    }

    fn on_enter(&self, id: &span::Id, ctx: Context<'_, S>) {
        self.check_span("on_enter", id, &ctx);
    }

    fn on_exit(&self, id: &span::Id, ctx: Context<'_, S>) {
        self.check_span("on_exit", id, &ctx);
    }

    fn on_close(&self, id: span::Id, ctx: Context<'_, S>) {
        self.check_span("on_close", &id, &ctx);
    }
}

/// Creates spans and events of all kinds, each with and without current fields.
fn all_kinds() {
    let run = || {
        info!("plain");
        warn!(tenant_id = "own", "its own");
        error!(name: "named", target: "elsewhere", rows = 3, "of many values {}", 1);
        debug!(counter.requests = 1, "a metric");
        assert!(event_enabled!(tracing::Level::INFO) && span_enabled!(tracing::Level::INFO));
        let span = info_span!("span", path = "/", recorded = tracing::field::Empty);
        span.record("recorded", 1);
        let declaring = info_span!("declaring", tenant_id = tracing::field::Empty);
        declaring.follows_from(&span);
        declaring.in_scope(|| {
            info!("inside");
            let _ = TENANT_ID.record("recorded");
            let _ = USER_ID.record("u-1");
            info!("recorded");
            info!(parent: &span, "with a parent");
            info_span!(parent: None, "root").in_scope(|| info!(parent: None, "root"));
        });
        span.in_scope(|| info!("inside"));
    };
    run();
    TENANT_ID.in_scope("acme", run);
    run();
}

fn sees_what_it_registered(name: &str, asks_registry: bool, stack: impl FnOnce(ByAddress) -> Dispatch) {
    let layer = ByAddress { asks_registry, ..ByAddress::default() };
    with_default(&stack(layer.clone()), all_kinds);
    let seen = layer.seen.lock().unwrap();
    assert!(seen.asked > 60, "{name}: {}", seen.asked);
    assert!(seen.unknown.is_empty(), "{name}: {:#?}", seen.unknown);
}

#[test]
fn a_layer_sees_the_metadata_it_registered_in_every_method() {
    let registry = tracing_subscriber::registry;
    let ids = || Schema::builder().field(&TRACE_ID).field(&SPAN_ID).build().unwrap();
    let other = || Schema::builder().field(&USER_ID).build().unwrap();
    sees_what_it_registered("alone", true, |layer| registry().with(layer).into());
    sees_what_it_registered("whole stack", true, |layer| registry().with(layer).with_context_fields(schema()).into());
    sees_what_it_registered("no field", true, |layer| registry().with(layer).with_context_fields(ids()).into());
    sees_what_it_registered("two stacks", true, |layer| {
        registry().with(layer).with_context_fields(other()).with_context_fields(schema()).into()
    });
    sees_what_it_registered("filtered", true, |layer| {
        registry().with(layer.with_filter(LevelFilter::TRACE)).with_context_fields(schema()).into()
    });
    sees_what_it_registered("boxed and listed", true, |layer| {
        registry().with(vec![Layer::<Registry>::boxed(layer)]).with_context_fields(schema()).into()
    });
    sees_what_it_registered("once per line", true, |layer| {
        registry().with(fields_once_per_line(layer)).with_context_fields(schema()).into()
    });
    sees_what_it_registered("once per line, no stack", true, |layer| {
        registry().with(fields_once_per_line(layer)).into()
    });
    // The registry keeps the span as the stack created it; only the output sees what the output adds.
    sees_what_it_registered("around", false, |layer| registry().with(ContextLayer::new(layer, schema())).into());
    sees_what_it_registered("around, in a stack", false, |layer| {
        registry().with(ContextLayer::new(layer, schema())).with_context_fields(other()).into()
    });
    sees_what_it_registered("around and once per line", false, |layer| {
        registry().with(ContextLayer::new(fields_once_per_line(layer), ids())).with_context_fields(schema()).into()
    });
    sees_what_it_registered("twice around", false, |layer| {
        let around = ContextLayer::new(ContextLayer::new(layer, schema()), other());
        registry().with(around).with_context_fields(ids()).into()
    });
}
