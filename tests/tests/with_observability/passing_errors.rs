//! Errors that pass through several functions: they are logged where they first appear, and set each span's status.

use std::{error::Error, fmt};

use ctx_layer::with_observability;
use ctx_tests::{Yield, each_poll_on_a_new_thread, runtime};
use opentelemetry::trace::Status;
use tracing::{Instrument, info_span};

use crate::setup::{Outputs, with_and_without_context};

#[derive(Debug)]
struct Wrapped(String);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Wrapped {}

/// An error as `#[from]` creates it.
#[derive(Debug)]
struct Outer(Wrapped);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the order was not stored")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl From<Wrapped> for Outer {
    fn from(error: Wrapped) -> Self {
        Outer(error)
    }
}

/// Returns where errors were logged, and with which message.
fn failures(out: &Outputs) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let failed = out.events_named("failed");
    failed.iter().map(|event| (text(&event["span"]["name"]), text(&event["fields"]["error"]))).collect()
}

fn at(span: &str, error: &str) -> (String, String) {
    (span.to_owned(), error.to_owned())
}

fn assert_status(out: &Outputs, expected: &[(&str, &str)]) {
    let found: Vec<_> = out.spans().iter().map(|span| (span.name.to_string(), span.status.clone())).collect();
    let expected: Vec<_> =
        expected.iter().map(|(name, text)| ((*name).to_owned(), Status::error((*text).to_owned()))).collect();
    assert_eq!(found, expected);
}

#[with_observability]
fn query() -> Result<(), Wrapped> {
    Err(Wrapped("connection lost".into()))
}

#[with_observability]
fn load() -> Result<(), Wrapped> {
    query()
}

#[with_observability]
fn handle() -> Result<(), Box<dyn Error>> {
    load()?;
    Ok(())
}

#[test]
fn an_error_is_logged_where_it_first_appears_and_sets_each_status() {
    with_and_without_context(|out| {
        assert!(out.run(handle).is_err());
        assert_eq!(failures(out), [at("query", "connection lost")]);
        let text = "connection lost";
        assert_status(out, &[("query", text), ("load", text), ("handle", text)]);
    });
}

#[with_observability]
async fn query_later() -> Result<(), Wrapped> {
    Yield::default().await;
    Err(Wrapped("connection lost".into()))
}

#[with_observability]
async fn load_later() -> Result<(), Wrapped> {
    Yield::default().await;
    let result = query_later().await;
    Yield::default().await;
    result
}

#[with_observability]
async fn handle_later() -> Result<(), Box<dyn Error + Send + Sync>> {
    Yield::default().await;
    let result = load_later().await;
    Yield::default().await;
    Ok(result?)
}

#[test]
fn an_error_across_awaits_is_logged_once() {
    with_and_without_context(|out| {
        assert!(out.block_on(handle_later()).is_err());
        assert_eq!(failures(out), [at("query_later", "connection lost")]);
        let text = "connection lost";
        assert_status(out, &[("query_later", text), ("load_later", text), ("handle_later", text)]);
    });
}

#[test]
fn an_error_is_logged_once_if_each_poll_is_on_another_thread() {
    with_and_without_context(|out| {
        assert!(each_poll_on_a_new_thread(&out.dispatch, handle_later()).is_err());
        assert_eq!(failures(out), [at("query_later", "connection lost")]);
    });
}

#[test]
fn tasks_on_a_runtime_of_several_threads_each_log_their_error_once() {
    with_and_without_context(|out| {
        let runtime = runtime(&out.dispatch);
        let tasks: Vec<_> = (0..20).map(|_| runtime.spawn(handle_later())).collect();
        for task in tasks {
            assert!(runtime.block_on(task).unwrap().is_err());
        }
        assert_eq!(failures(out), vec![at("query_later", "connection lost"); 20]);
        assert_eq!(out.spans().len(), 60);
    });
}

#[with_observability]
fn wraps() -> Result<(), Outer> {
    Ok(query()?)
}

#[with_observability]
fn wraps_twice() -> anyhow::Result<()> {
    Ok(wraps()?)
}

#[test]
fn an_error_with_a_logged_source_is_not_logged_again() {
    with_and_without_context(|out| {
        assert!(out.run(wraps_twice).is_err());
        assert_eq!(failures(out), [at("query", "connection lost")]);
        let text = "the order was not stored";
        assert_status(out, &[("query", "connection lost"), ("wraps", text), ("wraps_twice", text)]);
    });
}

#[with_observability]
fn quotes() -> Result<(), String> {
    query().map_err(|error| format!("cannot load: {error}; giving up"))
}

#[with_observability]
fn has_context() -> anyhow::Result<()> {
    anyhow::Context::context(query(), "cannot load")
}

#[test]
fn an_error_that_only_quotes_a_logged_one_is_logged() {
    with_and_without_context(|out| {
        assert!(out.run(has_context).is_err());
        assert_eq!(failures(out), [at("query", "connection lost")], "it is the source");
    });
    with_and_without_context(|out| {
        assert!(out.run(quotes).is_err());
        let quoted = "cannot load: connection lost; giving up";
        assert_eq!(failures(out), [at("query", "connection lost"), at("quotes", quoted)]);
    });
}

/// An error whose message and sources do not mention the one that it holds.
#[derive(Debug)]
enum Stored {
    #[allow(dead_code, reason = "shown by its `Debug`")]
    Query(String),
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not stored")
    }
}

impl Error for Stored {}

#[with_observability]
fn holds() -> Result<(), Stored> {
    query().map_err(|error| Stored::Query(error.to_string()))
}

#[test]
fn an_error_that_holds_a_logged_one_without_a_source_is_logged() {
    with_and_without_context(|out| {
        assert!(out.run(holds).is_err());
        assert_eq!(failures(out), [at("query", "connection lost"), at("holds", "not stored")]);
    });
}

#[with_observability]
fn miss() -> Result<(), String> {
    Err("no".into())
}

#[with_observability]
fn another_error() -> Result<(), String> {
    let _ = query();
    let _ = miss();
    Err("not connected".into())
}

#[test]
fn a_different_error_after_a_recovery_is_logged() {
    with_and_without_context(|out| {
        assert!(out.run(another_error).is_err());
        let expected = [at("query", "connection lost"), at("miss", "no"), at("another_error", "not connected")];
        assert_eq!(failures(out), expected);
    });
}

#[with_observability]
fn recovers() -> Result<u8, Wrapped> {
    query().or(Ok::<(), Wrapped>(()))?;
    Ok(1)
}

#[test]
fn a_function_that_recovers_is_ok() {
    with_and_without_context(|out| {
        assert!(out.run(recovers).is_ok());
        assert_eq!(failures(out), [at("query", "connection lost")]);
        assert_eq!(out.span("recovers").status, Status::Ok);
        assert_eq!(out.span("query").status, Status::error("connection lost"));
    });
}

#[with_observability]
async fn retries() -> Result<(), Wrapped> {
    for _ in 0..2 {
        if query_later().await.is_ok() {
            break;
        }
    }
    query_later().await
}

#[with_observability]
fn retries_at_once() -> Result<(), Wrapped> {
    query().or_else(|_| query()).or_else(|_| query())
}

#[test]
fn each_attempt_is_logged_and_the_last_error_only_once() {
    with_and_without_context(|out| {
        assert!(out.block_on(retries()).is_err());
        assert_eq!(failures(out), vec![at("query_later", "connection lost"); 3]);
        assert_eq!(out.span("retries").status, Status::error("connection lost"));
    });
    with_and_without_context(|out| {
        assert!(out.run(retries_at_once).is_err());
        assert_eq!(failures(out), vec![at("query", "connection lost"); 3]);
    });
}

#[with_observability(log_errors = every_level)]
fn every_level() -> Result<(), Wrapped> {
    load()
}

#[with_observability(log_errors = every_level)]
fn every_level_above() -> Result<(), Wrapped> {
    every_level()
}

#[test]
fn every_level_logs_the_error_on_request() {
    with_and_without_context(|out| {
        assert!(out.run(every_level_above).is_err());
        let text = "connection lost";
        assert_eq!(failures(out), [at("query", text), at("every_level", text), at("every_level_above", text)]);
    });
}

#[with_observability(log_errors = false)]
fn does_not_log() -> Result<(), Wrapped> {
    Err(Wrapped("unseen".into()))
}

#[with_observability]
fn logs_for_it() -> Result<(), Wrapped> {
    does_not_log()
}

#[with_observability(log_errors = false)]
fn passes_on() -> Result<(), Wrapped> {
    query()
}

#[with_observability]
fn above_what_passes_on() -> Result<(), Wrapped> {
    passes_on()
}

#[test]
fn an_error_that_is_not_logged_yet_is_logged_further_up() {
    with_and_without_context(|out| {
        assert!(out.run(logs_for_it).is_err());
        assert_eq!(failures(out), [at("logs_for_it", "unseen")]);
    });
}

#[test]
fn a_logged_error_is_not_logged_again_past_a_function_that_does_not_log() {
    with_and_without_context(|out| {
        assert!(out.run(above_what_passes_on).is_err());
        assert_eq!(failures(out), [at("query", "connection lost")]);
    });
}

#[test]
fn two_tasks_that_fail_with_the_same_message_are_both_logged() {
    with_and_without_context(|out| {
        let runtime = runtime(&out.dispatch);
        let (a, b) = (runtime.spawn(query_later()), runtime.spawn(query_later()));
        let _ = runtime.block_on(a).unwrap();
        let _ = runtime.block_on(b).unwrap();
        assert_eq!(failures(out), vec![at("query_later", "connection lost"); 2]);
    });
    // On one thread, inside one span.
    with_and_without_context(|out| {
        out.block_on(async {
            let request = info_span!("request");
            let failing = || query_later().instrument(request.clone());
            let (a, b, c) = futures_util::join!(failing(), failing(), load_later().instrument(request.clone()));
            assert!(a.is_err() && b.is_err() && c.is_err());
        });
        assert_eq!(failures(out), vec![at("query_later", "connection lost"); 3]);
    });
}

#[test]
fn two_calls_one_after_the_other_are_both_logged() {
    with_and_without_context(|out| {
        out.run(|| {
            let _ = query();
            let _ = query();
            let _request = info_span!("request").entered();
            let _ = query();
            let _ = query();
        });
        assert_eq!(failures(out), vec![at("query", "connection lost"); 4]);
    });
}

#[with_observability]
async fn branch(name: u8) -> Result<(), String> {
    for _ in 0..name {
        Yield::default().await;
    }
    Err(format!("branch {name}"))
}

#[with_observability]
async fn joins() -> Result<(), String> {
    let (a, b, c) = tokio::join!(branch(1), branch(2), branch(3));
    let _ = (a, c);
    b
}

#[with_observability]
async fn tries_to_join() -> Result<(), String> {
    tokio::try_join!(branch(2), branch(1)).map(|_| ())
}

#[test]
fn errors_of_concurrent_branches_are_each_logged_once() {
    with_and_without_context(|out| {
        assert_eq!(out.block_on(joins()), Err("branch 2".into()));
        let expected = [1, 2, 3].map(|name| at("branch", &format!("branch {name}")));
        assert_eq!(failures(out), expected);
        assert_eq!(out.span("joins").status, Status::error("branch 2"));
    });
    with_and_without_context(|out| {
        assert_eq!(each_poll_on_a_new_thread(&out.dispatch, joins()), Err("branch 2".into()));
        assert_eq!(failures(out).len(), 3);
    });
    with_and_without_context(|out| {
        assert_eq!(out.block_on(tries_to_join()), Err("branch 1".into()));
        assert_eq!(failures(out), [at("branch", "branch 1")]);
    });
}

#[with_observability(level = "trace")]
fn hidden() -> Result<(), Wrapped> {
    Err(Wrapped("hidden".into()))
}

#[with_observability]
fn retries_what_is_hidden() -> Result<(), Wrapped> {
    hidden().or_else(|_| hidden()).or_else(|_| hidden())
}

#[test]
fn functions_without_a_span_log_each_of_their_errors() {
    let out = Outputs::filtered("info");
    assert!(out.run(retries_what_is_hidden).is_err());
    let text = "hidden";
    let expected = vec![at("retries_what_is_hidden", text); 3];
    assert_eq!(failures(&out), expected, "logged in the span that is there, and not once more by that one's function");
}

#[with_observability]
fn in_a_scope() -> Result<(), Wrapped> {
    ctx_layer::Fields::new().with(&ctx_layer::field::well_known::TENANT_ID, "acme").in_scope(query)
}

#[test]
fn a_scope_between_the_functions_changes_nothing() {
    with_and_without_context(|out| {
        assert!(out.run(in_a_scope).is_err());
        assert_eq!(failures(out), [at("query", "connection lost")]);
    });
}

#[with_observability]
fn through_a_span() -> Result<(), Wrapped> {
    info_span!("plain").in_scope(|| info_span!("another").in_scope(query))
}

#[test]
fn spans_between_the_functions_change_nothing() {
    with_and_without_context(|out| {
        assert!(out.run(through_a_span).is_err());
        assert_eq!(failures(out), [at("query", "connection lost")]);
    });
}

#[with_observability(log_args = false, log_result = false)]
fn handles_or_fails(fails: bool) -> Result<(), Wrapped> {
    if fails {
        return Err(Wrapped("connection lost".into()));
    }
    let _ = query();
    Ok(())
}

#[test]
fn an_error_logged_in_a_closed_span_does_not_count() {
    with_and_without_context(|out| {
        out.run(|| {
            // The registry reuses the first span's id.
            for n in 0..=8191 {
                let _ = handles_or_fails(n == 8191);
            }
        });
        assert_eq!(failures(out).last(), Some(&at("handles_or_fails", "connection lost")));
        // As two tests that run on one thread.
        out.run(|| info_span!("plain").in_scope(|| drop(query())));
        let next = Outputs::with_context();
        assert!(next.run(|| handles_or_fails(true)).is_err());
        assert_eq!(failures(&next), [at("handles_or_fails", "connection lost")]);
    });
}

#[with_observability]
fn calls_under(out: &Outputs) -> Result<(), Wrapped> {
    out.run(|| info_span!("theirs").in_scope(query))
}

#[test]
fn an_error_logged_by_another_subscriber_is_logged_here() {
    with_and_without_context(|out| {
        let other = Outputs::with_context();
        assert!(out.run(|| calls_under(&other)).is_err());
        assert_eq!(failures(&other), [at("query", "connection lost")]);
        assert_eq!(failures(out), [at("calls_under", "connection lost")]);
    });
}

#[with_observability(err(level = "debug"))]
fn fails_quietly() -> Result<(), Wrapped> {
    Err(Wrapped("connection lost".into()))
}

#[with_observability(err(level = "info"))]
fn fails_less_quietly() -> Result<(), Wrapped> {
    fails_quietly()
}

#[with_observability]
fn fails_aloud() -> Result<(), Wrapped> {
    fails_less_quietly()
}

#[with_observability(err(level = "warn"))]
fn fails_quietly_again() -> Result<(), Wrapped> {
    fails_aloud()
}

#[test]
fn an_error_logged_at_a_lower_level_is_logged_again_at_a_higher_one() {
    for filter in ["error", "info", "debug"] {
        let out = Outputs::filtered(filter);
        assert!(out.run(fails_quietly_again).is_err());
        let levels: Vec<_> = out.events_named("failed").iter().map(|event| event["level"].clone()).collect();
        let expected = match filter {
            "error" => vec!["ERROR"],
            "info" => vec!["INFO", "ERROR"],
            _ => vec!["DEBUG", "INFO", "ERROR"],
        };
        assert_eq!(levels, expected, "{filter}");
    }
}

#[with_observability]
fn says_nothing() -> Result<(), Wrapped> {
    Err(Wrapped(String::new()))
}

#[with_observability]
fn says_nothing_either() -> Result<(), Wrapped> {
    let _ = says_nothing();
    Err(Wrapped(String::new()))
}

#[test]
fn two_errors_with_empty_messages_are_different() {
    with_and_without_context(|out| {
        assert!(out.run(says_nothing_either).is_err());
        assert_eq!(failures(out), [at("says_nothing", ""), at("says_nothing_either", "")]);
    });
}

#[with_observability]
fn ready_at_once() -> impl Future<Output = Result<(), Wrapped>> {
    std::future::ready(query())
}

#[with_observability]
async fn awaits_what_was_ready() -> Result<(), Wrapped> {
    let made = ready_at_once();
    Yield::default().await;
    made.await
}

#[test]
fn an_error_logged_while_a_future_is_created_is_not_logged_again() {
    with_and_without_context(|out| {
        assert!(out.block_on(awaits_what_was_ready()).is_err());
        assert_eq!(failures(out), [at("query", "connection lost")]);
        assert!(each_poll_on_a_new_thread(&out.dispatch, awaits_what_was_ready()).is_err());
        assert_eq!(failures(out).len(), 2);
    });
}
