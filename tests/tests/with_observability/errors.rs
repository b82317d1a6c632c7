//! `log_errors`: the form of an error.

use std::{error::Error, fmt};

use ctx_layer::with_observability;
use ctx_tests::{Recorder, Value as Recorded, attribute};
use opentelemetry::{StringValue, Value, trace::Status};
use tracing_subscriber::prelude::*;

use crate::setup::{Outputs, messages, with_and_without_context};

#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection refused")
    }
}

impl Error for Refused {}

#[derive(Debug)]
struct NotLoaded(Refused);

impl fmt::Display for NotLoaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the profile was not loaded")
    }
}

impl Error for NotLoaded {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[with_observability]
fn typed() -> Result<(), NotLoaded> {
    Err(NotLoaded(Refused))
}

#[with_observability]
fn boxed() -> Result<(), Box<dyn Error>> {
    Err(NotLoaded(Refused).into())
}

#[with_observability]
fn boxed_send() -> Result<(), Box<dyn Error + Send>> {
    Err(Box::new(NotLoaded(Refused)))
}

#[with_observability]
fn boxed_send_sync() -> Result<(), Box<dyn Error + Send + Sync>> {
    Err(NotLoaded(Refused).into())
}

#[with_observability]
fn boxed_static() -> Result<(), Box<dyn Error + Send + Sync + 'static>> {
    Err(NotLoaded(Refused).into())
}

#[with_observability]
fn any() -> anyhow::Result<()> {
    Err(NotLoaded(Refused).into())
}

#[with_observability]
async fn later() -> Result<(), NotLoaded> {
    tokio::task::yield_now().await;
    Err(NotLoaded(Refused))
}

#[with_observability]
fn borrowed(error: &NotLoaded) -> Result<(), &NotLoaded> {
    Err(error)
}

#[with_observability]
fn generic<E: Error>(error: E) -> Result<(), E> {
    Err(error)
}

trait Store {
    type Error: Error;
    fn save(&self) -> Result<(), Self::Error>;
}

struct Disk;

#[with_observability]
impl Store for Disk {
    type Error = NotLoaded;

    fn save(&self) -> Result<(), Self::Error> {
        Err(NotLoaded(Refused))
    }
}

#[with_observability]
fn associated<S: Store>(store: &S) -> Result<(), S::Error> {
    Err(store.save().unwrap_err())
}

/// A layer that only looks for errors of one type.
#[derive(Clone, Default)]
struct Finder(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl tracing::field::Visit for Finder {
    fn record_error(&mut self, field: &tracing::field::Field, error: &(dyn Error + 'static)) {
        assert_eq!(field.name(), "error");
        assert!(error.downcast_ref::<NotLoaded>().is_some_and(|error| error.source().is_some()));
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn fmt::Debug) {}
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Finder {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

fn every_error() {
    let _ = typed();
    let _ = boxed();
    let _ = boxed_send();
    let _ = boxed_send_sync();
    let _ = boxed_static();
    let _ = any();
}

#[test]
fn an_error_is_recorded_with_its_type() {
    let finder = Finder::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(finder.clone()), every_error);
    assert_eq!(finder.0.load(std::sync::atomic::Ordering::Relaxed), 6);
}

fn assert_exception(out: &Outputs, spans: usize) {
    let spans_found = out.spans();
    assert_eq!(spans_found.len(), spans);
    let chain = Value::Array(vec![StringValue::from("connection refused")].into());
    for span in spans_found {
        let event = span.events.iter().find(|event| event.name == "failed").expect("it failed");
        let get = |key| attribute(&event.attributes, key);
        assert_eq!(get("error"), Some("the profile was not loaded".into()), "{}", span.name);
        assert_eq!(get("exception.message"), Some("the profile was not loaded".into()), "{}", span.name);
        assert_eq!(get("exception.stacktrace"), Some(chain.clone()), "{}", span.name);
        assert_eq!(get("error.chain"), Some(chain.clone()), "{}", span.name);
        assert_eq!(span.status, Status::error("the profile was not loaded"), "{}", span.name);
    }
    let failed = out.events_named("failed");
    assert_eq!(failed.len(), spans);
    for event in failed {
        assert_eq!(event["level"], "ERROR");
        assert_eq!(event["fields"]["error"], "the profile was not loaded");
        assert!(event["fields"]["elapsed_ms"].is_f64());
    }
}

#[test]
fn an_error_is_exported_as_an_exception_with_its_sources() {
    with_and_without_context(|out| {
        out.run(every_error);
        let _ = out.block_on(later());
        assert_exception(out, 7);
    });
}

#[test]
fn a_borrowed_or_generic_error_is_an_exception_with_its_sources() {
    with_and_without_context(|out| {
        out.run(|| {
            let error = NotLoaded(Refused);
            let _ = borrowed(&error);
            let _ = generic(NotLoaded(Refused));
            let _ = Disk.save();
        });
        assert_exception(out, 3);
    });
    with_and_without_context(|out| {
        let _ = out.run(|| associated(&Disk));
        assert_eq!(out.events_named("failed").len(), 1);
        assert_eq!(out.span("associated").status, Status::error("the profile was not loaded"));
    });
}

#[derive(Debug)]
struct Unexpected<'a>(&'a str);

impl fmt::Display for Unexpected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unexpected {:?}", self.0)
    }
}

impl Error for Unexpected<'_> {}

#[with_observability]
fn parse(text: &str) -> Result<u8, Unexpected<'_>> {
    text.parse().map_err(|_| Unexpected(text))
}

#[with_observability]
async fn parse_later<'a>(text: &'a str) -> Result<u8, Unexpected<'a>> {
    tokio::task::yield_now().await;
    text.parse().map_err(|_| Unexpected(text))
}

#[with_observability]
fn boxed_borrowed(text: &str) -> Result<u8, Box<dyn Error + '_>> {
    Err(Box::new(Unexpected(text)))
}

#[test]
fn an_error_may_borrow_from_the_arguments() {
    with_and_without_context(|out| {
        let text = String::from("x");
        assert_eq!(out.run(|| parse(&text).map_err(|error| error.0)), Err("x"));
        assert_eq!(out.block_on(parse_later(&text)).map_err(|error| error.0), Err("x"));
        assert!(out.run(|| boxed_borrowed(&text).is_err()));
        let failed = out.events_named("failed");
        assert_eq!(failed.len(), 3);
        for event in failed {
            assert_eq!(event["fields"]["error"], "unexpected \"x\"");
        }
    });
}

type Parsed<'a, T> = Result<T, Unexpected<'a>>;
type Boxed<'a, T> = Result<T, Box<dyn Error + 'a>>;
type Either<T, E> = Result<T, E>;

#[with_observability]
fn parse_alias(text: &str) -> Parsed<'_, u8> {
    Err(Unexpected(text))
}

#[with_observability(err)]
async fn parse_alias_later(text: &str) -> Boxed<'_, u8> {
    Err(Box::new(Unexpected(text)))
}

#[with_observability]
fn either<'a>(text: &'a str) -> Either<u8, Unexpected<'a>> {
    Err(Unexpected(text))
}

#[with_observability(ret, err)]
fn either_of<T, Failed: Error>(result: Either<T, Failed>) -> Either<(), Failed> {
    result.map(drop)
}

#[test]
fn an_error_may_borrow_under_an_alias_of_result() {
    with_and_without_context(|out| {
        let text = String::from("x");
        assert!(out.run(|| parse_alias(&text).is_err()));
        assert!(out.block_on(parse_alias_later(&text)).is_err());
        assert!(out.run(|| either(&text).is_err()));
        assert!(out.run(|| either_of::<(), _>(Err(Unexpected(&text))).is_err()));
        let failed = out.events_named("failed");
        assert_eq!(failed.len(), 4);
        for event in failed {
            assert_eq!(event["fields"]["error"], "unexpected \"x\"");
        }
    });
}

#[with_observability]
fn gives_an_error<'a>(error: &'a dyn Error) -> Result<Box<dyn Error + 'a>, u8> {
    Ok(Box::new(Unexpected(if error.source().is_some() { "source" } else { "x" })))
}

#[test]
fn a_function_may_return_an_error_that_borrows() {
    with_and_without_context(|out| {
        assert!(out.run(|| gives_an_error(&Unexpected("y")).is_ok()));
        assert_eq!(out.fields("returned")["return"], "Unexpected(\"x\")");
    });
}

struct OnlyDisplay;

impl fmt::Display for OnlyDisplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shown")
    }
}

#[derive(Debug)]
struct OnlyDebug;

struct Nothing;

#[with_observability]
fn with_text() -> Result<(), &'static str> {
    Err("a text")
}

#[with_observability]
fn with_owned_text() -> Result<(), String> {
    Err("a text".to_owned())
}

#[with_observability]
fn with_display() -> Result<(), OnlyDisplay> {
    Err(OnlyDisplay)
}

#[with_observability]
fn with_debug() -> Result<(), OnlyDebug> {
    Err(OnlyDebug)
}

#[with_observability]
fn with_nothing() -> Result<(), Nothing> {
    Err(Nothing)
}

#[with_observability]
fn with_unit() -> Result<(), ()> {
    Err(())
}

#[with_observability]
fn with_unbounded<E>(error: E) -> Result<(), E> {
    Err(error)
}

#[test]
fn other_types_are_logged_by_display_debug_or_the_name_of_their_type() {
    with_and_without_context(|out| {
        let _ = out.run(|| {
            let _ = with_text();
            let _ = with_owned_text();
            let _ = with_display();
            let _ = with_debug();
            let _ = with_nothing();
            let _ = with_unit();
            with_unbounded(3_u8)
        });
        let nothing = std::any::type_name::<Nothing>();
        let expected = ["a text", "a text", "shown", "OnlyDebug", nothing, "()", "u8"];
        let shown: Vec<_> = out.events_named("failed").iter().map(|event| event["fields"]["error"].clone()).collect();
        assert_eq!(shown, expected);
        let status: Vec<_> = out.spans().into_iter().map(|span| span.status).collect();
        assert_eq!(status, expected.map(Status::error));
    });
}

#[with_observability(err(level = "warn", Debug))]
fn as_debug() -> Result<(), NotLoaded> {
    Err(NotLoaded(Refused))
}

#[with_observability(err(Display))]
fn as_display() -> Result<(), NotLoaded> {
    Err(NotLoaded(Refused))
}

#[with_observability(err(level = info))]
fn as_info() -> Result<(), NotLoaded> {
    Err(NotLoaded(Refused))
}

#[test]
fn err_chooses_level_and_form() {
    with_and_without_context(|out| {
        out.run(|| {
            let _ = as_debug();
            let _ = as_display();
            let _ = as_info();
        });
        let failed = out.events_named("failed");
        assert_eq!(failed.iter().map(|event| event["level"].clone()).collect::<Vec<_>>(), ["WARN", "ERROR", "INFO"]);
        assert_eq!(failed[0]["fields"]["error"], "NotLoaded(Refused)");
        assert_eq!(failed[1]["fields"]["error"], "the profile was not loaded");
        assert_eq!(failed[2]["fields"]["error"], "the profile was not loaded");
        for span in out.spans() {
            assert_eq!(span.status, Status::error("the profile was not loaded"), "{}", span.name);
        }
    });
}

#[with_observability(log_errors = false)]
fn quiet() -> Result<(), NotLoaded> {
    Err(NotLoaded(Refused))
}

#[test]
fn without_log_errors_only_the_status_shows_the_error() {
    with_and_without_context(|out| {
        let _ = out.run(quiet);
        assert_eq!(messages(out), ["called"]);
        assert_eq!(out.span("quiet").status, Status::error("the profile was not loaded"));
    });
}

#[test]
fn every_output_gets_the_error_once() {
    let recorder = Recorder::default();
    let _ = tracing::subscriber::with_default(tracing_subscriber::registry().with(recorder.clone()), typed);
    let failed = recorder.event("failed");
    assert_eq!(failed.get("error"), Some(&Recorded::Error("the profile was not loaded".into())));
    assert_eq!(recorder.items().len(), 3, "the span, its call, its failure");
}

#[with_observability]
async fn generic_later<T, E: Error + Send>(result: Result<T, E>) -> Result<T, E> {
    tokio::task::yield_now().await;
    result
}

#[with_observability]
fn made<E: Error>(error: E) -> impl Future<Output = Result<(), E>> {
    std::future::ready(Err(error))
}

struct Client<Transport>(Transport);

#[with_observability]
impl<Failure: Error, Transport: Fn() -> Result<u8, Failure>> Client<Transport> {
    fn call(&self) -> Result<u8, Failure> {
        (self.0)()
    }
}

#[test]
fn type_parameters_that_are_not_static_may_be_errors() {
    with_and_without_context(|out| {
        let text = String::from("x");
        assert!(out.block_on(generic_later::<u8, _>(Err(Unexpected(&text)))).is_err());
        assert!(out.block_on(async { made(Unexpected(&text)).await }).is_err());
        assert!(out.run(|| Client(|| Err::<u8, _>(Unexpected(&text))).call()).is_err());
        let failed = out.events_named("failed");
        assert_eq!(failed.len(), 3);
        assert!(failed.iter().all(|event| event["fields"]["error"] == "unexpected \"x\""));
    });
}
