//! The status of the exported span.

use ctx_layer::with_observability;
use opentelemetry::trace::Status;

use crate::setup::with_and_without_context;

#[with_observability]
fn unit() {}

#[with_observability]
fn plain() -> u8 {
    1
}

#[with_observability]
fn option(value: Option<u8>) -> Option<u8> {
    value
}

#[with_observability]
fn result(value: Result<u8, String>) -> Result<u8, String> {
    value
}

#[with_observability(log_args = false, log_result = false, log_errors = false)]
fn silent(value: Result<u8, String>) -> Result<u8, String> {
    value
}

#[with_observability]
async fn later(value: Result<u8, String>) -> Result<u8, String> {
    tokio::task::yield_now().await;
    value
}

type Outcome = std::result::Result<(), std::fmt::Error>;

#[with_observability]
fn alias() -> Outcome {
    Err(std::fmt::Error)
}

#[with_observability(log_args = false)]
fn recovers() -> u8 {
    tracing::error!("it looks bad");
    1
}

#[test]
fn success_and_types_other_than_result_are_ok() {
    with_and_without_context(|out| {
        out.run(|| {
            unit();
            plain();
            option(None);
            result(Ok(1)).unwrap();
            silent(Ok(1)).unwrap();
        });
        out.block_on(later(Ok(1))).unwrap();
        let spans = out.spans();
        assert_eq!(spans.len(), 6);
        for span in spans {
            assert_eq!(span.status, Status::Ok, "{}", span.name);
        }
    });
}

#[test]
fn an_error_is_the_status_with_its_message_as_the_description() {
    with_and_without_context(|out| {
        let _ = out.run(|| (result(Err("no such user".into())), silent(Err("no such user".into()))));
        let _ = out.block_on(later(Err("no such user".into())));
        let spans = out.spans();
        assert_eq!(spans.len(), 3);
        for span in spans {
            assert_eq!(span.status, Status::error("no such user"), "{}", span.name);
        }
    });
}

#[test]
fn an_alias_of_result_is_a_result() {
    with_and_without_context(|out| {
        let _ = out.run(alias);
        assert!(matches!(out.span("alias").status, Status::Error { .. }));
    });
}

#[test]
fn a_function_that_logs_an_error_and_succeeds_is_ok() {
    with_and_without_context(|out| {
        out.run(recovers);
        assert_eq!(out.span("recovers").status, Status::Ok);
    });
}

#[test]
fn the_status_is_not_a_field() {
    with_and_without_context(|out| {
        let _ = out.run(|| result(Err("no".into())));
        assert!(!out.text().contains("otel."));
        assert!(out.span("result").attributes.iter().all(|attribute| !attribute.key.as_str().starts_with("otel.")));
    });
}
