//! `Debug` values are formatted only by the outputs that print them.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use ctx_layer::{SubscriberFieldsExt, field::well_known::*};
use ctx_tests::{ATTEMPT, Captured, Recorder, schema};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    info, info_span,
    subscriber::with_default,
};
use tracing_subscriber::{EnvFilter, Layer, fmt as output, layer::Context, prelude::*};

/// A value that counts how often it is formatted.
struct Counting<'a>(&'a AtomicUsize);

impl fmt::Debug for Counting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "formatted {}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Display for Counting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A visitor that visits all values and formats none.
struct Visits;

impl Visit for Visits {
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl<S: Subscriber> Layer<S> for Visits {
    fn on_new_span(&self, attributes: &tracing::span::Attributes<'_>, _: &tracing::Id, _: Context<'_, S>) {
        attributes.record(&mut Visits);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Visits);
    }
}

fn counted<S: Subscriber + Send + Sync + 'static>(subscriber: S, run: impl FnOnce(&AtomicUsize)) -> usize {
    let count = AtomicUsize::new(0);
    with_default(subscriber, || TENANT_ID.in_scope("acme", || run(&count)));
    count.into_inner()
}

#[test]
fn a_value_that_no_output_prints_is_not_formatted() {
    let subscriber = || tracing_subscriber::registry().with(Visits).with(Visits).with_context_fields(schema());
    assert_eq!(counted(subscriber(), |count| info!(value = ?Counting(count), "event")), 0);
    assert_eq!(counted(subscriber(), |count| info!(value = %Counting(count), "event")), 0);
    assert_eq!(counted(subscriber(), |count| info!("message {}", Counting(count))), 0);
    assert_eq!(counted(subscriber(), |count| drop(info_span!("span", value = ?Counting(count)))), 0);
}

#[test]
fn a_value_is_formatted_once_by_each_output_that_prints_it() {
    let (first, second) = (Captured::default(), Captured::default());
    let subscriber = || {
        tracing_subscriber::registry()
            .with(output::layer().json().with_writer(first.clone()))
            .with(Visits)
            .with(output::layer().with_writer(second.clone()).with_ansi(false))
            .with_context_fields(schema())
    };
    assert_eq!(counted(subscriber(), |count| info!(value = ?Counting(count), "event")), 2);
    assert_eq!(first.json()[0]["fields"]["value"], "formatted 0");
    assert_eq!(first.json()[0]["fields"]["tenant_id"], "acme");
    assert!(second.text().contains("value=formatted 1 tenant_id=\"acme\""), "{}", second.text());
}

#[test]
fn a_value_of_a_filtered_event_is_not_formatted() {
    let out = Captured::default();
    let filter = EnvFilter::new("warn");
    let subscriber = tracing_subscriber::registry()
        .with(output::layer().json().with_writer(out.clone()).with_filter(filter))
        .with(Visits)
        .with_context_fields(schema());
    assert_eq!(counted(subscriber, |count| info!(value = ?Counting(count), "event")), 0);
    assert!(out.text().is_empty());
}

/// A layer that formats each value with many flags.
#[derive(Clone, Default)]
struct Flags(Arc<Mutex<Vec<String>>>);

impl Visit for &Flags {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{}: {value:#?} {value:>12?} {value:+08.3?} {value:x?}", field.name());
        self.0.lock().unwrap().push(text);
    }
}

impl<S: Subscriber> Layer<S> for Flags {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut { self });
    }
}

#[test]
fn a_value_is_formatted_with_the_flags_of_the_output() {
    #[derive(Debug)]
    #[allow(dead_code)]
    struct Order {
        id: u32,
        lines: Vec<f64>,
    }
    let run = || {
        let order = Order { id: 255, lines: vec![1.0, 2.5] };
        info!(?order, float = ?1.5, text = ?"a\nb", shown = %2.25, "message {}", 1);
    };
    let (without, with) = (Flags::default(), Flags::default());
    with_default(tracing_subscriber::registry().with(without.clone()), run);
    with_default(tracing_subscriber::registry().with(with.clone()).with_context_fields(schema()), || {
        ATTEMPT.in_scope(1, run);
    });
    let mut with = with.0.lock().unwrap().clone();
    // Integers arrive at `record_debug`, too, if a visitor has no method for them.
    assert!(with.pop().unwrap().starts_with("attempt: 1 "));
    assert_eq!(with, *without.0.lock().unwrap());
    assert!(with[1].starts_with("order: Order {\n    id: 255,"), "{}", with[1]);
}

#[test]
fn the_thread_works_after_a_debug_that_panics() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("on purpose")
        }
    }
    let recorder = Recorder::default();
    with_default(tracing_subscriber::registry().with(recorder.clone()).with_context_fields(schema()), || {
        let result = std::panic::catch_unwind(|| {
            TENANT_ID.in_scope("acme", || {
                let _span = info_span!("request").entered();
                info!(text = "t", value = ?Panics, "panics");
            });
        });
        assert!(result.is_err());
        assert_eq!(TENANT_ID.get(), None);
        info!(text = "t", "after");
    });
    let after = recorder.event("after");
    assert_eq!((after.text("tenant_id"), after.text("text")), (None, Some("t")));
}
