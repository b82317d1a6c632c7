//! Values whose destructors log. A binary of its own, because a failure in a destructor of a thread-local aborts the
//! process. The subscriber is global, because a scoped one misses what is logged while a span is closed.

use std::{fmt, sync::OnceLock, thread};

use ctx_layer::{Fields, FutureFieldsExt, SubscriberFieldsExt, field::well_known::*};
use ctx_tests::{Captured, each_poll_on_a_new_thread};
use tracing::{Dispatch, info, info_span};
use tracing_subscriber::{fmt as output, prelude::*};

/// A value that logs when it is dropped.
#[derive(Clone)]
struct Logs(&'static str);

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        info!(text = "t", "{} dropped", self.0);
    }
}

ctx_layer::context_fields! {
    /// A field whose value logs when it is dropped.
    static LOGS: Logs = "logs";
}

fn out() -> &'static Captured {
    static OUT: OnceLock<Captured> = OnceLock::new();
    OUT.get_or_init(|| {
        let out = Captured::default();
        let schema = ctx_layer::Schema::builder().well_known().field(&LOGS).build().unwrap();
        tracing_subscriber::registry()
            .with(output::layer().json().with_writer(out.clone()))
            .with_context_fields(schema)
            .init();
        out
    })
}

fn dropped(which: &str) -> usize {
    out().json().iter().filter(|line| line["fields"]["message"] == format!("{which} dropped")).count()
}

/// Runs code on a thread whose end is part of the test.
fn on_a_thread_that_ends(run: impl FnOnce() + Send) {
    out();
    thread::scope(|scope| scope.spawn(run).join().unwrap());
}

#[test]
fn a_value_is_dropped_with_its_guard() {
    on_a_thread_that_ends(|| drop(LOGS.attach(Logs("guarded"))));
    assert_eq!(dropped("guarded"), 1);
}

#[test]
fn a_value_is_dropped_with_its_span() {
    on_a_thread_that_ends(|| {
        let span = LOGS.in_scope(Logs("spanned"), || info_span!("remembers"));
        span.in_scope(|| assert!(Fields::current().get(&LOGS).is_some()));
        assert_eq!(dropped("spanned"), 0);
        drop(span);
    });
    assert_eq!(dropped("spanned"), 1);
}

#[test]
fn a_value_of_a_threads_last_event_is_dropped_when_the_thread_ends() {
    on_a_thread_that_ends(|| LOGS.in_scope(Logs("last"), || info!("the last event")));
    assert_eq!(dropped("last"), 1);
}

#[test]
fn a_recorded_value_is_dropped_when_it_is_replaced_or_the_span_closes() {
    on_a_thread_that_ends(|| {
        info_span!("recorded").in_scope(|| {
            assert!(LOGS.record(Logs("recorded first")));
            info!("with the first");
            assert!(LOGS.record(Logs("recorded second")));
            info!("with the second");
        });
    });
    assert_eq!((dropped("recorded first"), dropped("recorded second")), (1, 1));
}

#[test]
fn a_value_set_for_a_future_is_dropped_with_it() {
    out();
    let dispatch = tracing::dispatcher::get_default(Dispatch::clone);
    let work = async { info!("in the future") }.with_field(&LOGS, Logs("future's")).with_field(&TENANT_ID, "acme");
    each_poll_on_a_new_thread(&dispatch, work);
    assert_eq!(dropped("future's"), 1);
}
