//! Panics.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use ctx_layer::with_observability;
use ctx_tests::{Yield, attribute};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use opentelemetry::trace::Status;

use crate::setup::{Outputs, messages, with_and_without_context};

#[derive(Debug, PartialEq)]
struct Payload(u8);

#[with_observability]
fn sync() -> u8 {
    panic!("out of range")
}

#[with_observability]
fn formatted(index: usize) {
    panic!("no item {index}")
}

#[with_observability]
fn with_payload() {
    resume_unwind(Box::new(Payload(7)))
}

#[with_observability]
async fn later() -> u8 {
    Yield::default().await;
    panic!("out of range")
}

#[with_observability]
async fn later_with_payload() {
    Yield::default().await;
    resume_unwind(Box::new(Payload(7)))
}

#[with_observability]
fn outer() -> u8 {
    sync()
}

#[with_observability]
async fn outer_later() -> u8 {
    Yield::default().await;
    later().await
}

#[with_observability]
fn streamed() -> impl Stream<Item = u8> {
    stream::iter([1, 2]).map(|item| if item == 1 { item } else { panic!("out of range") })
}

#[with_observability(log_errors = false, log_result = false, log_args = false)]
fn quiet() {
    panic!("out of range")
}

#[with_observability(log_errors = false, log_result = false, log_args = false)]
async fn quiet_later() {
    Yield::default().await;
    panic!("out of range")
}

#[with_observability]
fn never() -> ! {
    panic!("out of range")
}

fn caught<R>(f: impl FnOnce() -> R) -> Box<dyn Any + Send> {
    catch_unwind(AssertUnwindSafe(f)).err().expect("it panics")
}

fn recorded_once(out: &Outputs, span: &str) {
    assert_eq!(out.span(span).status, Status::error("panic: out of range"));
    let exported = out.span(span);
    let exceptions: Vec<_> =
        exported.events.iter().filter_map(|event| attribute(&event.attributes, "exception.message")).collect();
    assert_eq!(exceptions, ["panic: out of range".into()], "{span}");
}

#[test]
fn a_panic_sets_the_status_and_is_recorded_once() {
    with_and_without_context(|out| {
        out.run(|| caught(sync));
        recorded_once(out, "sync");
        assert_eq!(messages(out), ["called", "panicked"]);
        let panicked = out.event("panicked");
        assert_eq!(panicked["level"], "ERROR");
        assert_eq!(panicked["fields"]["error"], "panic: out of range");
        assert_eq!(panicked["span"]["name"], "sync");
    });
}

#[test]
fn panics_of_futures_streams_and_diverging_functions_set_the_status() {
    with_and_without_context(|out| {
        caught(|| out.block_on(later()));
        recorded_once(out, "later");
        caught(|| out.block_on(async { streamed().collect::<Vec<_>>().await }));
        recorded_once(out, "streamed");
        out.run(|| caught(|| never()));
        recorded_once(out, "never");
        assert_eq!(out.events_named("panicked").len(), 3);
        assert_eq!(out.events_named("cancelled").len(), 0);
    });
}

#[test]
fn a_formatted_panic_message_is_recorded() {
    with_and_without_context(|out| {
        out.run(|| caught(|| formatted(3)));
        assert_eq!(out.span("formatted").status, Status::error("panic: no item 3"));
    });
}

#[test]
fn a_panic_continues_with_the_same_payload() {
    with_and_without_context(|out| {
        assert_eq!(out.run(|| caught(sync)).downcast_ref::<&str>(), Some(&"out of range"));
        assert_eq!(out.run(|| caught(with_payload)).downcast_ref::<Payload>(), Some(&Payload(7)));
        let later = caught(|| out.block_on(later_with_payload()));
        assert_eq!(later.downcast_ref::<Payload>(), Some(&Payload(7)));
        let text = "panic: with a value that is not a string";
        assert_eq!(out.span("with_payload").status, Status::error(text));
        assert_eq!(out.span("later_with_payload").status, Status::error(text));
    });
}

#[test]
fn a_panic_through_several_functions_is_logged_once_and_sets_each_status() {
    with_and_without_context(|out| {
        out.run(|| caught(outer));
        assert_eq!(out.event("panicked")["span"]["name"], "sync");
        for span in ["sync", "outer"] {
            assert_eq!(out.span(span).status, Status::error("panic: out of range"));
        }
        assert!(out.span("outer").events.iter().all(|event| event.name == "called"));
    });
    with_and_without_context(|out| {
        caught(|| out.block_on(outer_later()));
        assert_eq!(out.event("panicked")["span"]["name"], "later");
        for span in ["later", "outer_later"] {
            assert_eq!(out.span(span).status, Status::error("panic: out of range"));
        }
    });
}

#[with_observability]
fn recovers() -> Result<(), String> {
    catch_unwind(sync).map(|_| ()).map_err(|_| "the worker panicked".to_owned())
}

#[with_observability]
async fn recovers_later() -> u8 {
    AssertUnwindSafe(later()).catch_unwind().await.unwrap_or(0)
}

#[test]
fn a_function_that_catches_a_panic_has_its_own_status() {
    with_and_without_context(|out| {
        assert!(out.run(recovers).is_err());
        assert_eq!(out.event("failed")["fields"]["error"], "the worker panicked");
        assert_eq!(out.span("recovers").status, Status::error("the worker panicked"));
        assert_eq!(out.block_on(recovers_later()), 0);
        assert_eq!(out.span("recovers_later").status, Status::Ok);
        assert_eq!(out.span("later").status, Status::error("panic: out of range"));
    });
}

#[test]
fn without_logged_errors_a_panic_is_an_exception_of_the_exported_span() {
    with_and_without_context(|out| {
        out.run(|| caught(quiet));
        caught(|| out.block_on(quiet_later()));
        assert_eq!(messages(out), [""; 0]);
        for span in ["quiet", "quiet_later"] {
            recorded_once(out, span);
            let exported = out.span(span);
            assert_eq!(exported.events[0].name, "exception");
            assert_eq!(attribute(&exported.events[0].attributes, "exception.type"), Some("panic".into()));
        }
    });
}

#[test]
fn a_panic_leaves_the_span() {
    with_and_without_context(|out| {
        out.run(|| {
            caught(outer);
            assert!(tracing::Span::current().is_none());
            tracing::info!("afterwards");
        });
        assert_eq!(out.event("afterwards").get("span"), None);
    });
}
