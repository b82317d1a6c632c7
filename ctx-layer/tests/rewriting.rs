//! The rewriting under a subscriber made by hand, with nothing else around it: small enough for Miri.
//!
//! `cargo +nightly miri test -p ctx-layer --test rewriting`

use std::{
    error::Error,
    fmt, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use ctx_layer::{ContextSubscriber, Fields, Schema, SubscriberFieldsExt, field::well_known::*};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    info, info_span,
    span::{Attributes, Id, Record},
};

/// Notes what it gets, by which method.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct ByHand {
    notes: Notes,
    next: AtomicU64,
}

fn subscriber() -> (Notes, ContextSubscriber<ByHand>) {
    let notes = Notes::default();
    let by_hand = ByHand { notes: notes.clone(), next: AtomicU64::new(1) };
    (notes, by_hand.with_context_fields(Schema::well_known()))
}

impl ByHand {
    fn note(&self, what: &str, record: impl FnOnce(&mut dyn Visit)) {
        let mut line = Line(what.to_owned());
        record(&mut line);
        self.notes.0.lock().unwrap().push(line.0);
    }
}

impl Subscriber for ByHand {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note("span", |visitor| span.record(visitor));
        Id::from_u64(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.note("record", |visitor| values.record(visitor));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note("event", |visitor| event.record(visitor));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}

    fn try_close(&self, _: Id) -> bool {
        true
    }
}

struct Line(String);

impl Line {
    fn add(&mut self, method: &str, field: &Field, value: impl fmt::Display) {
        self.0 += &format!(" {field}:{method}={value}");
    }
}

impl Visit for Line {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add("i64", field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add("u64", field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.add("i128", field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add("f64", field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add("bool", field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add("str", field, value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.add("bytes", field, format_args!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let source = value.source().map(|source| format!("<{source}")).unwrap_or_default();
        self.add("error", field, format_args!("{value}{source}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add("debug", field, format_args!("{value:?}"));
    }
}

#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn current() -> Fields {
    Fields::new().with(&TENANT_ID, "acme").with(&USER_ID, "u-1")
}

#[test]
fn every_kind_of_value_is_passed_on_as_it_was_with_the_fields_behind() {
    let (notes, subscriber) = subscriber();
    tracing::subscriber::with_default(subscriber, || {
        let _guard = current().attach();
        let error = Outer(io::Error::other("inner"));
        let error: &(dyn Error + 'static) = &error;
        let owned = String::from("owned");
        info!("only the message {}", 1);
        info!(text = owned.as_str());
        info!(error);
        info!(a = -1, b = 2u64, c = 3i128, d = 0.5, e = true, f = "text", g = &b"by"[..], h = ?Some(1), i = %'x', "all");
        info!(error, second = error, text = "between", "two errors");
    });
    assert_eq!(
        notes.take(),
        [
            "event message:debug=only the message 1 tenant_id:str=acme user_id:str=u-1",
            "event text:str=owned tenant_id:str=acme user_id:str=u-1",
            "event error:error=outer<inner tenant_id:str=acme user_id:str=u-1",
            "event message:debug=all a:i64=-1 b:u64=2 c:i128=3 d:f64=0.5 e:bool=true f:str=text g:bytes=[98, 121] \
             h:debug=Some(1) i:debug=x tenant_id:str=acme user_id:str=u-1",
            "event message:debug=two errors error:error=outer<inner second:error=outer<inner text:str=between \
             tenant_id:str=acme user_id:str=u-1",
        ]
    );
}

#[test]
fn an_own_value_wins_and_an_empty_one_is_filled() {
    let (notes, subscriber) = subscriber();
    tracing::subscriber::with_default(subscriber, || {
        let _guard = current().attach();
        info!(tenant_id = "own", "own");
        info!(tenant_id = None::<&str>, "none");
        let _span = info_span!("span", user_id = tracing::field::Empty, tenant_id = "own");
    });
    assert_eq!(
        notes.take(),
        [
            "event message:debug=own tenant_id:str=own user_id:str=u-1",
            "event message:debug=none tenant_id:str=acme user_id:str=u-1",
            "span user_id:str=u-1 tenant_id:str=own",
        ]
    );
}

#[test]
fn without_fields_current_everything_is_passed_on_as_it_is() {
    let (notes, subscriber) = subscriber();
    tracing::subscriber::with_default(subscriber, || {
        info!(n = 1, "message");
        let span = info_span!("span", a = 1, b = tracing::field::Empty);
        span.record("b", "later");
    });
    assert_eq!(notes.take(), ["event message:debug=message n:i64=1", "span a:i64=1", "record b:str=later"]);
}

#[test]
fn spans_remember_their_fields_on_other_threads() {
    let (notes, subscriber) = subscriber();
    let dispatch = tracing::Dispatch::new(subscriber);
    let span = tracing::dispatcher::with_default(&dispatch, || current().in_scope(|| info_span!("span")));
    std::thread::spawn(move || {
        tracing::dispatcher::with_default(&dispatch, || {
            span.in_scope(|| info!("inside"));
            info!(parent: &span, "child");
            info!("outside");
        });
    })
    .join()
    .unwrap();
    assert_eq!(
        notes.take(),
        [
            "span tenant_id:str=acme user_id:str=u-1",
            "event message:debug=inside tenant_id:str=acme user_id:str=u-1",
            "event message:debug=child tenant_id:str=acme user_id:str=u-1",
            "event message:debug=outside",
        ]
    );
}
