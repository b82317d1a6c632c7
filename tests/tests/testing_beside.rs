//! The test kit in a process with a global subscriber of its own.
//!
//! In a process of its own: there is one global subscriber.

use std::{sync::Once, thread};

use ctx_layer::{Schema, SubscriberFieldsExt, field::well_known::TENANT_ID, testing};
use ctx_tests::Recorder;
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

/// Sets the subscriber of the program, and returns what it receives.
fn program() -> Recorder {
    static ONCE: Once = Once::new();
    static RECORDER: std::sync::OnceLock<Recorder> = std::sync::OnceLock::new();
    let recorder = RECORDER.get_or_init(Recorder::default).clone();
    ONCE.call_once(|| {
        let stack = tracing_subscriber::registry().with(recorder.clone());
        stack.with_context_fields(Schema::well_known()).try_init().expect("it is the first");
    });
    recorder
}

#[test]
fn the_test_is_captured_beside_a_global_subscriber() {
    let program = program();
    let telemetry = testing::capture();
    TENANT_ID.in_scope("acme", || info_span!("work").in_scope(|| info!("captured")));
    telemetry.assert_field_everywhere(&TENANT_ID, "acme");
    assert!(!program.items().iter().any(|item| item.name == "captured"));
    drop(telemetry);
    info!("not captured");
    assert!(program.items().iter().any(|item| item.name == "not captured"));
}

#[test]
fn other_threads_write_to_the_program_or_are_given_the_subscriber() {
    let program = program();
    let telemetry = testing::capture();
    let of_thread = telemetry.telemetry();
    thread::scope(|scope| {
        scope.spawn(|| info!("on another thread"));
        scope.spawn(move || of_thread.in_scope(|| info!("given the subscriber")));
    });
    assert_eq!(telemetry.event("given the subscriber").message(), "given the subscriber");
    assert_eq!(telemetry.events().len(), 1);
    assert!(program.items().iter().any(|item| item.name == "on another thread"));
}

#[ctx_layer::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runtime_of_the_attribute_is_captured(telemetry: testing::Telemetry) {
    program();
    tokio::spawn(async { info!("in a task") }).await.expect("it does not panic");
    tokio::task::spawn_blocking(|| info!("blocking")).await.expect("it does not panic");
    assert_eq!(telemetry.events().len(), 2);
}
