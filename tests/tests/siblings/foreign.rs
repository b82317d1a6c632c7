//! Foreign code that runs inside this crate's code.

use std::{
    cell::Cell,
    convert::Infallible,
    fmt,
    str::FromStr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::*};
use ctx_tests::Recorder;
use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
use tracing::{Dispatch, Event, Subscriber, dispatcher, info, info_span};
use tracing_subscriber::{Layer, layer, prelude::*};

ctx_layer::context_fields! {
    /// A field whose value reads itself.
    static ITSELF: Itself = "itself" => propagated;
}

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

#[derive(Clone, Debug)]
struct Itself(String);

/// Reads, sets and logs, unless it runs inside itself too often to end.
fn busy() {
    let depth = DEPTH.replace(DEPTH.get() + 1);
    assert!(depth < 50, "it runs inside itself");
    let _ = ITSELF.get();
    TENANT_ID.in_scope("inner", || info!("foreign code"));
    let _ = USER_ID.record("ada");
    info_span!("foreign").in_scope(|| ());
    DEPTH.set(depth);
}

impl fmt::Display for Itself {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Itself {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        busy();
        Ok(Itself(text.to_owned()))
    }
}

fn schema() -> Schema {
    Schema::builder().well_known().field(&ITSELF).build().unwrap()
}

#[test]
fn a_parser_that_reads_its_own_field_ends() {
    let recorder = Recorder::default();
    let stack = tracing_subscriber::registry().with(recorder.clone()).with_context_fields(schema());
    dispatcher::with_default(&Dispatch::new(stack), || {
        let _span = info_span!("request").entered();
        let _baggage = Context::current_with_baggage([KeyValue::new("itself", "value")]).attach();
        info!("one");
        assert_eq!(ITSELF.get().unwrap().0, "value");
        info!("two");
    });
    assert_eq!(recorder.event("one").text("itself"), Some("value"));
    assert_eq!(recorder.event("two").text("itself"), Some("value"));
}

/// A layer that does everything in each of its methods.
#[derive(Default)]
struct Busy {
    calls: AtomicUsize,
}

thread_local! {
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

impl Busy {
    fn act(&self) {
        if !IS_INSIDE.replace(true) {
            self.calls.fetch_add(1, Relaxed);
            busy();
            IS_INSIDE.set(false);
        }
    }
}

impl<S: Subscriber> Layer<S> for Busy {
    fn on_new_span(&self, _: &tracing::span::Attributes<'_>, _: &tracing::Id, _: layer::Context<'_, S>) {
        self.act();
    }

    fn on_record(&self, _: &tracing::Id, _: &tracing::span::Record<'_>, _: layer::Context<'_, S>) {
        self.act();
    }

    fn on_event(&self, _: &Event<'_>, _: layer::Context<'_, S>) {
        self.act();
    }

    fn on_enter(&self, _: &tracing::Id, _: layer::Context<'_, S>) {
        self.act();
    }

    fn on_exit(&self, _: &tracing::Id, _: layer::Context<'_, S>) {
        self.act();
    }

    fn on_close(&self, _: tracing::Id, _: layer::Context<'_, S>) {
        self.act();
    }
}

#[test]
fn a_layer_that_sets_records_and_opens_spans_changes_no_tenant() {
    let recorder = Recorder::default();
    let stack =
        tracing_subscriber::registry().with(recorder.clone()).with(Busy::default()).with_context_fields(schema());
    dispatcher::with_default(&Dispatch::new(stack), || {
        // `tracing` switches a call site off for ever if it is first reached inside a call of the only subscriber.
        busy();
        let _tenant = TENANT_ID.attach("acme");
        let request = info_span!("request");
        let entered = request.enter();
        info!("first");
        assert!(ROLE.record("admin"));
        assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
        drop(entered);
        assert_eq!(TENANT_ID.get().as_deref(), Some("acme"));
        request.in_scope(|| info!("second"));
        drop(request);
        info!("third");
    });
    for message in ["first", "second", "third"] {
        assert_eq!(recorder.event(message).text("tenant_id"), Some("acme"), "{message}");
    }
    let foreign = recorder.items().into_iter().filter(|item| item.name == "foreign code");
    // Of calls inside an event or a new span, `tracing` itself passes none on to a subscriber of the thread.
    assert!(foreign.clone().count() > 1);
    foreign.for_each(|item| assert_eq!(item.text("tenant_id"), Some("inner")));
}
