//! Subscribers other than `Registry`, and no subscriber at all.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use ctx_layer::with_observability;
use ctx_tests::Yield;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::with_default,
};

/// A subscriber that notes its calls. It has no current span, and so no hierarchy.
#[derive(Clone, Default)]
struct Minimal {
    notes: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if !["elapsed_ms", "busy_ms"].contains(&field.name()) {
            self.0 += &format!(" {}={value:?}", field.name());
        }
    }
}

impl Minimal {
    fn note(&self, text: String) {
        self.notes.lock().unwrap().push(text);
    }

    fn notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap())
    }
}

impl Subscriber for Minimal {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text(format!("new {}", span.metadata().name()));
        span.record(&mut text);
        self.note(text.0);
        Id::from_u64(self.spans.fetch_add(1, Relaxed) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(event.metadata().level().to_string());
        event.record(&mut text);
        self.note(text.0);
    }

    fn enter(&self, id: &Id) {
        self.note(format!("enter {}", id.into_u64()));
    }

    fn exit(&self, id: &Id) {
        self.note(format!("exit {}", id.into_u64()));
    }
}

#[with_observability(kind = client, attributes_from_args = { id: "user.id" })]
fn load(id: u8) -> Result<u8, String> {
    if id == 0 { Err("no such user".into()) } else { Ok(id) }
}

#[with_observability]
async fn load_later(id: u8) -> Result<u8, String> {
    Yield::default().await;
    load(id)
}

#[with_observability]
fn panics() {
    panic!("out of range")
}

#[test]
fn a_subscriber_other_than_registry_gets_spans_and_events() {
    let subscriber = Minimal::default();
    with_default(subscriber.clone(), || assert_eq!(load(3), Ok(3)));
    let expected = [
        "new load user.id=3 otel.kind=\"client\"",
        "enter 1",
        "DEBUG message=\"called\" id=3",
        "DEBUG message=\"returned\" return=3",
        "exit 1",
    ];
    assert_eq!(subscriber.notes(), expected);
}

#[test]
fn another_subscriber_gets_errors_panics_and_cancellations_as_events() {
    let subscriber = Minimal::default();
    let events = || -> Vec<_> {
        let notes = subscriber.notes();
        notes.into_iter().filter(|note| note.starts_with("ERROR") || note.contains("cancelled")).collect()
    };
    with_default(subscriber.clone(), || {
        assert!(load(0).is_err());
        assert_eq!(events(), ["ERROR message=\"failed\" error=no such user"]);
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(events(), ["ERROR message=\"panicked\" error=panic: out of range"]);
        let mut future = Box::pin(load_later(1));
        let mut task = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut task).is_pending());
        drop(future);
        assert_eq!(events(), ["DEBUG message=\"cancelled\""]);
    });
}

#[test]
fn without_current_spans_an_error_may_be_logged_twice_but_never_lost() {
    let subscriber = Minimal::default();
    with_default(subscriber.clone(), || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert!(runtime.block_on(load_later(0)).is_err());
        assert!(load(0).is_err());
    });
    let failed = subscriber.notes().iter().filter(|note| note.starts_with("ERROR")).count();
    assert!(failed >= 2, "{failed}");
}

#[test]
fn without_a_subscriber_the_function_works_as_written() {
    assert_eq!(load(3), Ok(3));
    assert_eq!(load(0), Err("no such user".into()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(load_later(4)), Ok(4));
    assert!(std::panic::catch_unwind(panics).is_err());
}
