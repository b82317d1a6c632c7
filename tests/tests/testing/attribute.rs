//! `#[ctx_layer::test]`.

use ctx_layer::{
    Schema,
    field::well_known::TENANT_ID,
    testing::{Capture, Telemetry},
};
use tracing::{debug, info};

#[ctx_layer::test]
fn a_synchronous_test_is_captured(telemetry: Telemetry) {
    TENANT_ID.in_scope("acme", || info!("done"));
    telemetry.assert_field_everywhere(&TENANT_ID, "acme");
}

#[ctx_layer::test]
fn a_test_may_borrow_the_capture(telemetry: &Capture) {
    info!("done");
    assert_eq!(telemetry.events().len(), 1);
}

#[ctx_layer::test]
async fn an_async_test_captures_bare_tasks(telemetry: &Telemetry) {
    tokio::spawn(async { info!("in a task") }).await.expect("it does not panic");
    tokio::task::spawn_blocking(|| info!("blocking")).await.expect("it does not panic");
    assert_eq!(telemetry.events().len(), 2);
}

#[ctx_layer::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_async_test_of_several_threads_captures_bare_tasks(telemetry: Telemetry) {
    let threads: Vec<_> = (0..32)
        .map(|number| {
            tokio::spawn(async move {
                info!(number, "in a task");
                tokio::task::yield_now().await;
                std::thread::current().id()
            })
        })
        .collect();
    let main = std::thread::current().id();
    for thread in threads {
        assert_ne!(thread.await.expect("it does not panic"), main);
    }
    assert_eq!(telemetry.events().len(), 32);
}

#[ctx_layer::test]
async fn a_test_may_return_a_result(telemetry: Telemetry) -> Result<(), Box<dyn std::error::Error>> {
    let number: i32 = "7".parse()?;
    info!(number, "parsed");
    assert!(*telemetry.event("parsed").field("number").ok_or("it is missing")? == 7);
    Ok(())
}

#[ctx_layer::test(filter = "info", schema = Schema::builder().field(&TENANT_ID).build().expect("it is one"))]
async fn arguments_change_the_schema_and_the_filter(telemetry: Telemetry) {
    debug!("filtered");
    TENANT_ID.in_scope("acme", || info!("done"));
    assert_eq!(telemetry.events().len(), 1);
}

#[ctx_layer::test]
#[tokio::test]
async fn another_attribute_may_run_the_test(telemetry: Telemetry) {
    tokio::spawn(async { info!("in a task") }).await.expect("it does not panic");
    assert_eq!(telemetry.events().len(), 1);
}

#[ctx_layer::test]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_attribute_of_several_threads_captures_bare_tasks(telemetry: Telemetry) {
    tokio::spawn(async { info!("in a task") }).await.expect("it does not panic");
    assert_eq!(telemetry.events().len(), 1);
}

#[ctx_layer::test]
#[should_panic(expected = "there is no span \"missing\"")]
fn a_test_may_have_to_panic(telemetry: Telemetry) {
    telemetry.span("missing");
}

#[ctx_layer::test]
#[ignore = "it is ignored: otherwise it fails"]
fn a_test_may_be_ignored() {
    panic!("it is not ignored");
}
