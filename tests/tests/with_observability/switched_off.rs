//! Disabled events are not emitted.

use ctx_layer::with_observability;
use ctx_tests::Recorder;
use futures_util::{Stream, StreamExt};
use tracing_subscriber::{filter::LevelFilter, prelude::*};

#[with_observability(log_args = false, log_result = false, ret(level = "trace"))]
fn quiet() -> u8 {
    7
}

#[with_observability(log_args = false, log_result = false)]
fn numbers() -> impl Stream<Item = u8> {
    futures_util::stream::iter([1, 2])
}

fn names(level: LevelFilter, f: impl FnOnce()) -> Vec<String> {
    let recorder = Recorder::default();
    let stack = tracing_subscriber::registry().with(level).with(recorder.clone());
    tracing::subscriber::with_default(stack, f);
    recorder.items().into_iter().map(|item| item.name).collect()
}

#[test]
fn a_result_whose_level_is_off_is_not_emitted() {
    assert_eq!(names(LevelFilter::INFO, || assert_eq!(quiet(), 7)), ["quiet"]);
    assert_eq!(names(LevelFilter::TRACE, || assert_eq!(quiet(), 7)).len(), 2, "the control");
}

#[test]
fn the_end_of_a_stream_whose_result_is_not_logged_is_not_emitted() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let run = || drop(runtime.block_on(numbers().collect::<Vec<_>>()));
    assert_eq!(names(LevelFilter::TRACE, run), ["numbers"]);
}
