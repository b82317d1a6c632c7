//! Functions that return streams.

use std::pin::Pin;

use ctx_layer::with_observability;
use futures_util::{Stream, StreamExt, future, stream, stream::BoxStream};
use opentelemetry::trace::Status;
use tracing::info;

use crate::setup::{messages, with_and_without_context};

#[with_observability(attributes_from_args = [count])]
fn numbers(count: u8) -> impl Stream<Item = u8> {
    stream::iter(0..count).inspect(|_| info!("inside"))
}

#[with_observability]
fn boxed<'a>(items: &'a [String]) -> BoxStream<'a, &'a str> {
    stream::iter(items).map(|text| text.as_str()).boxed()
}

#[with_observability]
fn pinned(count: u8) -> Pin<Box<dyn Stream<Item = u8> + Send>> {
    Box::pin(stream::iter(0..count))
}

#[test]
fn the_event_of_a_streams_end_has_the_number_of_items() {
    with_and_without_context(|out| {
        assert_eq!(out.block_on(async { numbers(3).collect::<Vec<_>>().await }), [0, 1, 2]);
        let returned = out.fields("returned");
        assert_eq!(returned["items"], 3);
        assert!(returned["elapsed_ms"].is_f64());
        assert!(returned["busy_ms"].is_f64());
        assert_eq!(returned.get("return"), None);
        assert_eq!(out.span("numbers").status, Status::Ok);
    });
}

#[test]
fn a_stream_is_polled_inside_its_span() {
    with_and_without_context(|out| {
        out.block_on(async {
            let mut numbers = numbers(2);
            numbers.next().await;
            assert!(tracing::Span::current().is_none());
            numbers.next().await;
            assert_eq!(numbers.next().await, None);
        });
        for event in out.events_named("inside") {
            assert_eq!(event["span"]["name"], "numbers");
        }
    });
}

#[test]
fn boxed_streams_are_observed() {
    with_and_without_context(|out| {
        let items = ["a".to_owned(), "b".to_owned()];
        assert_eq!(out.block_on(async { boxed(&items).collect::<Vec<_>>().await }), ["a", "b"]);
        assert_eq!(out.block_on(async { pinned(2).collect::<Vec<_>>().await }), [0, 1]);
        let counts: Vec<_> =
            out.events_named("returned").iter().map(|event| event["fields"]["items"].clone()).collect();
        assert_eq!(counts, [2, 2]);
    });
}

#[with_observability]
fn failing() -> impl Stream<Item = Result<u8, String>> {
    stream::iter([Ok(1), Err("lost".to_owned()), Ok(2)])
}

#[test]
fn an_item_that_is_an_error_is_logged_and_sets_the_status() {
    with_and_without_context(|out| {
        assert_eq!(out.block_on(async { failing().collect::<Vec<_>>().await }).len(), 3);
        assert_eq!(messages(out), ["called", "failed"]);
        assert_eq!(out.fields("failed")["error"], "lost");
        assert_eq!(out.span("failing").status, Status::error("lost"));
    });
}

#[test]
fn the_size_hint_is_that_of_the_inner_stream() {
    with_and_without_context(|out| {
        out.run(|| assert_eq!(pinned(3).size_hint(), (3, Some(3))));
    });
    assert_eq!(pinned(3).size_hint(), (3, Some(3)));
}

#[test]
fn a_stream_polled_after_its_end_behaves_as_without_the_attribute() {
    #[with_observability]
    fn fused() -> impl Stream<Item = u8> + Unpin {
        stream::iter([1]).fuse()
    }
    with_and_without_context(|out| {
        out.block_on(async {
            let mut fused = fused();
            assert_eq!(fused.next().await, Some(1));
            assert_eq!(fused.next().await, None);
            assert_eq!(fused.next().await, None);
        });
        assert_eq!(messages(out), ["called", "returned"]);
    });
}

#[with_observability]
async fn makes_one() -> impl Stream<Item = u8> {
    future::ready(()).await;
    stream::iter([1])
}

#[test]
fn an_async_function_that_returns_a_stream_ends_when_it_returns() {
    with_and_without_context(|out| {
        let items = out.block_on(async { makes_one().await.collect::<Vec<_>>().await });
        assert_eq!(items, [1]);
        assert_eq!(messages(out), ["called", "returned"]);
    });
}
