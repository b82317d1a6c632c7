//! The duration of a call.

use std::{thread::sleep, time::Duration};

use ctx_layer::with_observability;
use futures_util::{Stream, StreamExt, stream};
use opentelemetry::Value;

use crate::setup::{Outputs, with_and_without_context};

const LONG: Duration = Duration::from_millis(30);
const LONG_MS: f64 = 30.0;

#[with_observability]
fn works() {
    sleep(LONG);
}

#[with_observability]
async fn waits() {
    tokio::time::sleep(LONG).await;
}

#[with_observability]
async fn works_and_waits() -> Result<(), &'static str> {
    sleep(LONG);
    tokio::time::sleep(LONG).await;
    Err("timed out")
}

#[with_observability]
fn slow_stream() -> impl Stream<Item = u8> {
    stream::iter([1, 2]).then(async |item| {
        tokio::time::sleep(LONG / 2).await;
        item
    })
}

fn times(out: &Outputs, message: &str) -> (f64, Option<f64>) {
    let fields = out.fields(message);
    (fields["elapsed_ms"].as_f64().expect("it is a number"), fields["busy_ms"].as_f64())
}

#[test]
fn a_function_took_at_least_as_long_as_it_slept() {
    with_and_without_context(|out| {
        out.run(works);
        let (elapsed, busy) = times(out, "returned");
        assert!(elapsed >= LONG_MS, "{elapsed}");
        assert_eq!(busy, None);
    });
}

#[test]
fn a_waiting_future_is_not_busy() {
    with_and_without_context(|out| {
        out.block_on(waits());
        let (elapsed, busy) = times(out, "returned");
        let busy = busy.expect("it is async");
        assert!(elapsed >= LONG_MS, "{elapsed}");
        assert!(busy > 0.0 && busy < elapsed / 2.0, "{busy} of {elapsed}");
    });
}

#[test]
fn a_working_future_is_busy_and_a_failure_has_its_duration() {
    with_and_without_context(|out| {
        assert!(out.block_on(works_and_waits()).is_err());
        let (elapsed, busy) = times(out, "failed");
        let busy = busy.expect("it is async");
        assert!(elapsed >= 2.0 * LONG_MS, "{elapsed}");
        assert!(busy >= LONG_MS && busy < elapsed, "{busy} of {elapsed}");
    });
}

#[test]
fn a_stream_is_timed_to_its_end() {
    with_and_without_context(|out| {
        out.block_on(async { slow_stream().collect::<Vec<_>>().await });
        let (elapsed, busy) = times(out, "returned");
        let busy = busy.expect("it is async");
        assert!(elapsed >= LONG_MS, "{elapsed}");
        assert!(busy > 0.0 && busy < elapsed, "{busy} of {elapsed}");
    });
}

#[test]
fn the_durations_are_numbers_in_the_exported_event() {
    with_and_without_context(|out| {
        out.block_on(waits());
        let span = out.span("waits");
        let returned = span.events.iter().find(|event| event.name == "returned").expect("it returned");
        for key in ["elapsed_ms", "busy_ms"] {
            let value = ctx_tests::attribute(&returned.attributes, key);
            assert!(matches!(value, Some(Value::F64(time)) if time > 0.0), "{key}: {value:?}");
        }
    });
}
