//! Futures and streams that are dropped before they end.

use std::{
    future::{Future, pending},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use ctx_layer::with_observability;
use ctx_tests::Yield;
use futures_util::{Stream, StreamExt, future::BoxFuture, stream};
use opentelemetry::{Value, trace::Status};

use crate::setup::{messages, with_and_without_context};

struct LogsWhenDropped;

impl Drop for LogsWhenDropped {
    fn drop(&mut self) {
        tracing::info!("dropped");
    }
}

#[with_observability]
async fn endless() {
    let _guard = LogsWhenDropped;
    Yield::default().await;
    pending::<()>().await;
}

#[with_observability]
fn boxed() -> BoxFuture<'static, ()> {
    Box::pin(endless_block())
}

#[with_observability]
fn endless_block() -> impl Future<Output = ()> + Send {
    async {
        pending::<()>().await;
    }
}

#[with_observability]
async fn ends() -> u8 {
    Yield::default().await;
    1
}

#[with_observability]
async fn fails() -> Result<(), &'static str> {
    Err("no")
}

#[with_observability(log_result = false, log_args = false)]
async fn quiet() {
    pending::<()>().await;
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> bool {
    matches!(future.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(_))
}

#[test]
fn a_future_that_is_dropped_after_some_polls_is_marked_as_cancelled() {
    with_and_without_context(|out| {
        out.run(|| {
            let mut future = Box::pin(endless());
            assert!(!poll(future.as_mut()));
            assert!(!poll(future.as_mut()));
        });
        assert_eq!(out.attribute("endless", "cancelled"), Some(Value::Bool(true)));
        assert_eq!(out.span("endless").status, Status::Unset, "that is no error");
        assert_eq!(messages(out), ["called", "dropped", "cancelled"]);
        let cancelled = out.event("cancelled");
        assert_eq!(cancelled["level"], "DEBUG");
        assert_eq!(cancelled["span"]["name"], "endless");
        assert!(cancelled["fields"]["elapsed_ms"].is_f64());
        assert!(cancelled["fields"]["busy_ms"].is_f64());
    });
}

#[test]
fn the_values_of_a_cancelled_future_are_dropped_inside_its_span() {
    with_and_without_context(|out| {
        out.run(|| {
            let mut future = Box::pin(endless());
            assert!(!poll(future.as_mut()));
        });
        assert_eq!(out.event("dropped")["span"]["name"], "endless");
    });
}

#[test]
fn a_future_that_is_never_polled_has_no_span() {
    with_and_without_context(|out| {
        out.run(|| {
            drop(endless());
            drop(endless_block());
        });
        assert_eq!(out.spans().len(), 0);
        assert_eq!(messages(out), [""; 0]);
    });
}

#[test]
fn a_future_that_has_ended_is_not_cancelled() {
    with_and_without_context(|out| {
        assert_eq!(out.block_on(ends()), 1);
        assert_eq!(out.block_on(fails()), Err("no"));
        for span in ["ends", "fails"] {
            assert_eq!(out.attribute(span, "cancelled"), None);
        }
        assert_eq!(out.events_named("cancelled").len(), 0);
    });
}

#[test]
fn boxed_futures_and_async_blocks_are_marked_as_cancelled() {
    with_and_without_context(|out| {
        out.run(|| {
            let mut future = boxed();
            assert!(!poll(future.as_mut()));
        });
        for span in ["boxed", "endless_block"] {
            assert_eq!(out.attribute(span, "cancelled"), Some(Value::Bool(true)), "{span}");
        }
        assert_eq!(out.events_named("cancelled").len(), 2);
    });
}

#[test]
fn the_losing_branch_of_a_select_is_cancelled() {
    with_and_without_context(|out| {
        out.block_on(async {
            tokio::select! {
                () = endless() => unreachable!("it does not end"),
                value = ends() => assert_eq!(value, 1),
            }
        });
        assert_eq!(out.attribute("endless", "cancelled"), Some(Value::Bool(true)));
        assert_eq!(out.attribute("ends", "cancelled"), None);
    });
}

#[test]
fn an_aborted_task_is_cancelled() {
    with_and_without_context(|out| {
        out.block_on(async {
            let task = tokio::spawn(endless());
            tokio::task::yield_now().await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
        assert_eq!(out.attribute("endless", "cancelled"), Some(Value::Bool(true)));
    });
}

#[test]
fn without_log_result_there_is_the_attribute_and_no_event() {
    with_and_without_context(|out| {
        out.run(|| assert!(!poll(Box::pin(quiet()).as_mut())));
        assert_eq!(out.attribute("quiet", "cancelled"), Some(Value::Bool(true)));
        assert_eq!(messages(out), [""; 0]);
    });
}

#[with_observability]
fn numbers() -> impl Stream<Item = u8> {
    stream::iter([1, 2, 3])
}

#[test]
fn a_stream_that_is_dropped_before_its_end_is_marked_as_cancelled() {
    with_and_without_context(|out| {
        out.block_on(async {
            let mut numbers = numbers();
            assert_eq!(numbers.next().await, Some(1));
        });
        assert_eq!(out.attribute("numbers", "cancelled"), Some(Value::Bool(true)));
        assert_eq!(messages(out), ["called", "cancelled"]);
    });
    with_and_without_context(|out| {
        assert_eq!(out.block_on(async { numbers().collect::<Vec<_>>().await }), [1, 2, 3]);
        assert_eq!(out.attribute("numbers", "cancelled"), None);
    });
}
