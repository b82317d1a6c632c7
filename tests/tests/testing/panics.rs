//! The output of a failing test: another process runs the test.

use std::process::Command;

use ctx_layer::testing;
use tracing::{info, info_span};

#[test]
#[ignore = "run by the test below"]
fn fails_by_another_assertion() {
    let _telemetry = testing::capture();
    info_span!("request").in_scope(|| info!("handled"));
    assert_eq!(1 + 1, 3);
}

#[test]
#[ignore = "run by the test below"]
fn fails_by_an_assertion_of_the_kit() {
    let telemetry = testing::capture();
    info_span!("request").in_scope(|| info!("handled"));
    telemetry.assert_field_everywhere("tenant_id", "acme");
}

#[test]
fn a_failing_test_prints_what_was_captured_once() {
    for (name, heading) in [
        ("fails_by_another_assertion", "what the test had captured when it panicked:"),
        ("fails_by_an_assertion_of_the_kit", "every span and event has tenant_id=\"acme\""),
    ] {
        let this = std::env::current_exe().expect("it has a path");
        let output = Command::new(this).args(["--ignored", "--exact", &format!("panics::{name}")]).output();
        let output = output.expect("it runs");
        assert!(!output.status.success());
        let printed = String::from_utf8(output.stdout).expect("it is text");
        assert!(printed.contains(heading), "{printed}");
        assert_eq!(printed.matches("INFO handled").count(), 1, "{printed}");
    }
}
